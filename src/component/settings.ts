/**
 * The vocabulary in which a component states its settings, as plain data. From one such tree come validation, defaults,
 * `--help`, the editors' JSON Schema and the reference page (project/). STYLE.md rule 16.
 */
import type { Span } from "../data/fault.ts";
import type { ExprSource } from "../expr/contracts.ts";

interface Common {
  /** One sentence for people. */
  readonly doc: string;
  /** May be left out without a default. */
  readonly optional?: boolean;
  /** It says how the pipeline is run, not what comes out: with another value it is the same plan. */
  readonly operational?: boolean;
}
/** Plain text; `${...}` is filled in. */
export interface TextSetting extends Common {
  readonly kind: "text";
  readonly default?: string;
  /** Never printed. */
  readonly secret?: boolean;
  /** A path of this machine that is written, or read as records: a proof has it in its own folder. */
  readonly place?: true;
}
export interface IntSetting extends Common {
  readonly kind: "int";
  readonly unit: string;
  readonly min: number;
  readonly max: number;
  readonly default?: number;
}
/** "10s", "100ms", "5m", "7d"; the value is milliseconds. */
export interface DurationSetting extends Common {
  readonly kind: "duration";
  readonly default?: string;
}
/** "64KiB", "128MiB"; the value is bytes. */
export interface SizeSetting extends Common {
  readonly kind: "size";
  readonly default?: string;
}
export interface BoolSetting extends Common {
  readonly kind: "bool";
  readonly default?: boolean;
}
export interface ChoiceSetting extends Common {
  readonly kind: "choice";
  /** Value to its own line of documentation. */
  readonly choices: Readonly<Record<string, string>>;
  readonly default?: string;
}
/** One CEL expression (reading rule R1). */
export interface CelSetting extends Common {
  readonly kind: "cel";
}
/** Names to CEL, in document order; or, where `names`, a list of names standing for themselves (["card_id"]). Dotted keys nest. */
export interface CelTableSetting extends Common {
  readonly kind: "cel_table";
  readonly names?: boolean;
}
/** A list of CEL expressions (order_by). */
export interface CelListSetting extends Common {
  readonly kind: "cel_list";
}
/** A list of plain texts (columns, read_by). */
export interface TextListSetting extends Common {
  readonly kind: "text_list";
}
export interface GroupSetting extends Common {
  readonly kind: "group";
  readonly fields: Readonly<Record<string, Setting>>;
}
export interface ListSetting extends Common {
  readonly kind: "list";
  readonly item: GroupSetting;
}
/** Free names, each with the same shape (state.NAME). */
export interface MapSetting extends Common {
  readonly kind: "map";
  readonly item: GroupSetting;
}
/** Either of several shapes, told apart by the TOML kind: a string, a table, a list. */
export interface EitherSetting extends Common {
  readonly kind: "either";
  readonly of: readonly Setting[];
}
export type Setting =
  | TextSetting
  | IntSetting
  | DurationSetting
  | SizeSetting
  | BoolSetting
  | ChoiceSetting
  | CelSetting
  | CelTableSetting
  | CelListSetting
  | TextListSetting
  | GroupSetting
  | ListSetting
  | MapSetting
  | EitherSetting;

/** A checked value and its place, as components get it. Only the kinds a component asked for occur. */
export type SettingValue =
  | string
  | number
  | boolean
  | null
  | Cel
  | CelTable
  | readonly Cel[]
  | readonly string[]
  | SettingGroup
  | readonly SettingGroup[]
  | ReadonlyMap<string, SettingGroup>;

/** A CEL expression with its place; TOML numbers and booleans arrive as their text. */
export interface Cel extends ExprSource {
  readonly cel: true;
}
/** In document order. `path` is the dotted key: ["fraudDetails", "location"]. `"..."` is the entry that copies all fields. */
export interface CelTable {
  readonly entries: readonly { readonly path: readonly string[]; readonly keySpan: Span; readonly value: Cel }[];
}
/** A table of settings. The getters assert that the setting was declared with that kind; defaults are filled in. */
export interface SettingGroup {
  readonly span: Span;
  has(name: string): boolean;
  /** The place of the setting's value, or of the group where it was left out. */
  at(name: string): Span;
  text(name: string): string;
  number(name: string): number;
  bool(name: string): boolean;
  cel(name: string): Cel;
  celTable(name: string): CelTable;
  celList(name: string): readonly Cel[];
  texts(name: string): readonly string[];
  group(name: string): SettingGroup;
  groups(name: string): readonly SettingGroup[];
  map(name: string): ReadonlyMap<string, SettingGroup>;
  /** For "either": which alternative (index into `of`) was given. */
  which(name: string): number;
}
