/** Checked settings as components read them. Invariant: a getter answers only for a setting declared with its kind. */
import { assert, type Span } from "../data/fault.ts";
import type { Cel, CelTable, GroupSetting, Setting, SettingGroup, SettingValue } from "../component/settings.ts";
import { MASK, maskUserinfo } from "./secrets.ts";

/** One setting with its place. For an "either", `setting` is the alternative that was given and `which` its index. */
export interface CheckedSetting {
  readonly setting: Setting;
  readonly span: Span;
  readonly value: Exclude<SettingValue, null>;
  readonly which: number;
  readonly secret: boolean;
}

const NO_ENTRIES: CelTable = { entries: [] };

/** A group whose values were all checked. Optional collections that were left out read as empty ones. */
export class CheckedGroup implements SettingGroup {
  readonly span: Span;
  readonly #declared: GroupSetting;
  readonly #values: ReadonlyMap<string, CheckedSetting>;

  constructor(declared: GroupSetting, span: Span, values: ReadonlyMap<string, CheckedSetting>) {
    this.#declared = declared;
    this.span = span;
    this.#values = values;
  }

  /** Whether the component has such a setting at all. */
  declares(name: string, kind: "text_list" | "choice"): boolean {
    return this.#declared.fields[name]?.kind === kind;
  }

  has(name: string): boolean {
    this.#declaration(name);
    return this.#values.has(name);
  }

  at(name: string): Span {
    this.#declaration(name);
    return this.#values.get(name)?.span ?? this.span;
  }

  text(name: string): string {
    return this.#required<string>(name, "text", "choice");
  }

  number(name: string): number {
    return this.#required<number>(name, "int", "duration", "size");
  }

  bool(name: string): boolean {
    return this.#required<boolean>(name, "bool");
  }

  cel(name: string): Cel {
    return this.#required<Cel>(name, "cel");
  }

  celTable(name: string): CelTable {
    return this.#read<CelTable>(name, "cel_table") ?? NO_ENTRIES;
  }

  celList(name: string): readonly Cel[] {
    return this.#read<readonly Cel[]>(name, "cel_list") ?? [];
  }

  texts(name: string): readonly string[] {
    return this.#read<readonly string[]>(name, "text_list") ?? [];
  }

  group(name: string): SettingGroup {
    return this.#required<SettingGroup>(name, "group");
  }

  groups(name: string): readonly SettingGroup[] {
    return this.#read<readonly SettingGroup[]>(name, "list") ?? [];
  }

  map(name: string): ReadonlyMap<string, SettingGroup> {
    return this.#read<ReadonlyMap<string, SettingGroup>>(name, "map") ?? new Map();
  }

  which(name: string): number {
    assert(this.#declaration(name).kind === "either", `setting "${name}" has alternatives`);
    const given = this.#values.get(name);
    assert(given, `setting "${name}" was given`);
    return given.which;
  }

  /** Names of tables of expressions and their entries, this group's and those of all groups in it. */
  *celTables(): Iterable<CelTable> {
    for (const { value } of this.#values.values()) {
      if (value instanceof CheckedGroup) yield* value.celTables();
      else if (value instanceof Map) { for (const group of value.values()) yield* (group as CheckedGroup).celTables(); }
      else if (Array.isArray(value)) { for (const item of value) if (item instanceof CheckedGroup) yield* item.celTables(); }
      else if (isCelTable(value)) yield value;
    }
  }

  /**
   * The effective settings as plain data for a digest: names sorted, defaults included, secrets masked, operational ones left
   * out. The order of lists and of tables of expressions is kept: it is the order of columns and rules.
   */
  canonical(): readonly (readonly [string, unknown])[] {
    const names = [...this.#values.keys()].filter((name) => !this.#declaration(name).operational).sort();
    return names.map((name) => {
      const { value, secret } = this.#values.get(name)!;
      return [name, secret ? MASK : canonicalValue(value)] as const;
    });
  }

  #declaration(name: string): Setting {
    assert(Object.hasOwn(this.#declared.fields, name), `setting "${name}" is declared`);
    return this.#declared.fields[name];
  }

  #read<T>(name: string, ...kinds: Setting["kind"][]): T | undefined {
    const declared = this.#declaration(name);
    const given = this.#values.get(name);
    const fits = given ? kinds.includes(given.setting.kind) : declared.kind === "either" || kinds.includes(declared.kind);
    assert(fits, `setting "${name}" is of kind ${kinds.join(" or ")}`);
    return given?.value as T | undefined;
  }

  #required<T>(name: string, ...kinds: Setting["kind"][]): T {
    const value = this.#read<T>(name, ...kinds);
    assert(value !== undefined, `setting "${name}" was given`);
    return value;
  }
}

const isCelTable = (value: unknown): value is CelTable =>
  typeof value === "object" && value !== null && "entries" in value && Array.isArray(value.entries);

function canonicalValue(value: SettingValue): unknown {
  if (typeof value === "string") return maskUserinfo(value);
  if (value === null || typeof value !== "object") return value;
  if (value instanceof CheckedGroup) return value.canonical();
  if (value instanceof Map) return [...value].sort(byName).map(([name, group]) => [name, canonicalValue(group)]);
  if (Array.isArray(value)) return value.map((item: SettingValue) => canonicalValue(item));
  if (isCelTable(value)) return value.entries.map((entry) => [entry.path, entry.value.text]);
  if ("cel" in value) return value.text;
  return value;
}

function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}
