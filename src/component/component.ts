/**
 * What a component is: one definition with its settings, its documentation, its check and its constructor. The registry in
 * app/ loads them; `project` gets them handed to it. Adding a component touches its own file and the list in connectors/mod.ts
 * or transforms/mod.ts.
 */
import type { Decoder } from "../data/codec.ts";
import type { Fault, Span } from "../data/fault.ts";
import type { RecordType, Type } from "../data/types.ts";
import type { Checked, Expressions, Scope } from "../expr/contracts.ts";
import type { Guarantee, Operator, OperatorContext, Sink, Source } from "../engine/contracts.ts";
import type { World } from "../ports/mod.ts";
import type { ExchangeContext, ExchangePlan } from "./exchange.ts";
import type { MissingRow } from "./changelog.ts";
import type { FeedPlan, ServeOptions, ServeSummary } from "./serving.ts";
import type { Cel, GroupSetting, SettingGroup } from "./settings.ts";

/** Shown in the reference and run as a test. */
export interface Example {
  readonly title: string;
  /** A whole small pipeline as TOML with [[tests]], or for sources and sinks a fragment that must check clean. */
  readonly toml: string;
}

interface Spec {
  /** The TOML name. */
  readonly type: string;
  /** One sentence. */
  readonly summary: string;
  /** Markdown: guarantees, cost, limits. */
  readonly notes?: string;
  readonly settings: GroupSetting;
  readonly examples: readonly Example[];
}

/** What every component may ask while the plan is made. Nothing here touches the outside world. */
export interface PlanContext {
  readonly pipeline: string;
  /** The node's name in the file. */
  readonly name: string;
  readonly settings: SettingGroup;
  /** The connection's own settings, for sources and sinks with `connection`. */
  readonly connection: SettingGroup | null;
  readonly expressions: Expressions;
  /** `params` alone; components add their variables. */
  readonly params: { readonly type: Type; readonly constants: ReadonlyMap<string, unknown> };
  /** Folder for this pipeline's state. */
  readonly stateFolder: string;
  /** How many processes may run the pipeline at once: several share a checkpoint store. */
  readonly replicas: "one" | "several";
  /** The connection's own name. */
  readonly connectionName?: string;
  /** In a proof: what the names of its own begin with that it has at servers (`ProofPlace`). */
  readonly proof?: string;
  fault(span: Span, message: string, hint?: string): void;
  /** Faults made by `expressions`. */
  report(fault: Fault): void;
}

// ---- transforms ---------------------------------------------------------------------------------------------------

export interface TransformInput {
  readonly node: string;
  readonly type: RecordType;
  readonly span: Span;
  /** Whether its rows have event time: every source that they come from says where. */
  readonly timed: boolean;
  /** How far its rows may be behind the newest, by the greatest `lateness` of these sources, µs; 0 where they have no event time. */
  readonly latenessMicros: number;
}
/** A reference table, read once at the first start or kept from a changelog; rows found by key. */
export interface TablePlan {
  readonly name: string;
  readonly key: string;
  readonly type: RecordType;
  /**
   * Filled before any lane runs; columns in the order of `type`, those that nobody reads left empty. null: every lane keeps its own rows
   * (`OperatorContext.tables`).
   */
  readonly rows: TableRows | null;
  /** Of a kept table: what a record does whose row is not there. Absent: it goes on with null. */
  readonly missing?: MissingRow;
  /** Planning transforms say here which fields they read; only those and the key are loaded. */
  readonly read: Set<string>;
}
/** One loaded table: `find` gives a row number or -1. Columns as state columns. */
export interface TableRows {
  find(key: number | string | null): number;
  /** Of a table whose key is a text: the key is the UTF-8 bytes[from, to). */
  findText(bytes: DataView, from: number, to: number): number;
  /** Many at once, as `find` would: into found[0] the row that the text of row `from` finds, -1 for none and for null. */
  findTexts(texts: TextPlaces, from: number, to: number, found: Int32Array): void;
  readonly size: number;
  /** How often it was loaded. */
  readonly loads: number;
  /** Of `type`'s field: number types give NumberRows, others ValueRows; empty for a field that nobody reads. Stable once loaded. */
  readonly columns: readonly (NumberRows | ValueRows)[];
}
/** Texts of a column, row by row: the UTF-8 bytes[start, end), or null where `valid` is 0. */
export interface TextPlaces {
  readonly bytes: DataView;
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** null: none is null. */
  readonly valid: Uint8Array | null;
}
export interface NumberRows {
  readonly kind: "number";
  values: Float64Array;
  valid: Uint8Array | null;
}
export interface ValueRows {
  readonly kind: "value";
  values: unknown[];
}

export interface TransformContext extends PlanContext {
  /** In the order of the component's `inputs` names ("inputs" counts as one input). */
  readonly inputs: readonly TransformInput[];
  readonly tables: ReadonlyMap<string, TablePlan>;
}
/** The phases of a transform. The first reads what the transform reads, and has its other outputs; the second has its output. */
export interface TwoPhases {
  readonly first: TransformPlan;
  /** Between them; its rows are of the first one's output. */
  readonly exchange: ExchangeWish;
  readonly second: TransformPlan;
}
/** What a transform that hands rows over to other lanes asks for. */
export interface ExchangeWish {
  readonly lanes: number;
  /** An expression over the rows; or fields of theirs, all of which together are the key. */
  readonly key: Cel | readonly string[];
  /** The field that `key` is, where it is no more than one. */
  readonly keyField: string | null;
  /** Names of the connection and its topic; null: the only one that fits, and PIPELINE.NODE. */
  readonly connection: string | null;
  readonly topic: string | null;
}
export interface TransformPlan {
  /** Types by port; "out" always. `rejected` is understood. */
  readonly outputs: ReadonlyMap<string, RecordType>;
  /** Which fields of input i are read, given which fields of each output are needed. */
  needs(outputs: ReadonlyMap<string, ReadonlySet<string>>): readonly ReadonlySet<string>[];
  /**
   * Name of the input field that state is keyed by; null for no state; "*" when all rows must meet in one lane. Several names: of rows
   * that differ in any of them, none meet.
   */
  readonly keyedBy: string | null | "*" | readonly string[];
  /** The rows of "out" have no event time though those of the inputs have. */
  readonly timeless?: true;
  /** Rows are to go to other lanes on the way through here. */
  readonly exchange?: ExchangeWish;
  /** It can be done in two: each lane what it can do alone, and then, in lanes by key, the rest. */
  readonly phases?: TwoPhases;
  /** Whether a lane without end of input never gives a result (an unwindowed aggregate, a join). */
  readonly needsEnd: boolean;
  /** The kept tables that it looks into. */
  readonly tables?: readonly string[];
  create(context: OperatorContext): Operator;
}
export interface TransformSpec extends Spec {
  readonly role: "transform";
  /** Setting names that hold inputs: ["inputs"], or ["left", "right"]. All inputs named in "inputs" are merged into input 0. */
  readonly inputs: readonly string[];
  /** null when faults were reported. */
  plan(context: TransformContext): TransformPlan | null;
}

// ---- sources and sinks ----------------------------------------------------------------------------------------------

/**
 * What a source reads or a sink writes at a server, as a proof has it: a place of its own, of a name that nobody else has, so that what
 * stands under the configured names is neither read nor written.
 */
export interface ProofPlace {
  /** The connection's name. */
  readonly connection: string;
  /** Whether the connection is marked for tests. */
  readonly isTest: boolean;
  /** What is read, as the sink that writes it states its `place`; absent: the source's own `place`, or nothing is read. */
  readonly reads?: string;
  /** Of places with one key one is made and removed; null: there is nothing to make. */
  readonly key: string | null;
  /** Makes it, empty. Throws where the user may not. */
  make(world: World): Promise<void>;
  /** Removes it with all that stands there; one that is not there is fine. */
  remove(world: World): Promise<void>;
}

/** Something that `check --connect` learned from a server about what a source reads or a sink writes. */
export interface Finding {
  /** "fault": the pipeline cannot run like this. "weak": it runs, with less than it could have. "fine": as it should be. */
  readonly level: "fine" | "weak" | "fault";
  /** One sentence: the present state. */
  readonly text: string;
  /** What would make it better. */
  readonly hint?: string;
}

export interface SourceContext extends PlanContext {
  readonly type: RecordType;
  /** Record-level checks of the schema. */
  readonly schema: SchemaPlan;
  /**
   * The rows fill a table with this key: deletes are passed on unless the settings say otherwise, and a delete need not tell more than
   * the key (its other fields then mean nothing).
   */
  readonly tableKey?: string;
}
/** A schema as sources use it. */
export interface SchemaPlan {
  readonly name: string;
  readonly type: RecordType;
  /** The field that names a record. */
  readonly id: string | null;
  readonly numericText: "accept" | "reject";
  readonly unknownFields: "ignore" | "reject";
  /** Fields of which a second equal value is rejected (`duplicate:F`), bounded sources and tables only. */
  readonly unique: readonly string[];
  readonly require: readonly { readonly code: string; readonly that: import("./settings.ts").Cel }[];
}
export interface SourcePlan {
  /** Whether every input ends by itself, given `until`. */
  readonly bounded: boolean;
  /** The field that the source's partitions are keyed by, where it is stated. */
  readonly partitionedBy: string | null;
  /** More than one partition possible. */
  readonly partitioned: boolean;
  /** Replicas of the pipeline share its partitions (`Source.share`). */
  readonly isShared?: boolean;
  /** What a path from here rests on beside its sink, where a reader of `check` should know; one clause. */
  readonly guaranteeNote?: string;
  /** Every record comes with the time at which it was taken in, which may be well before it is read. */
  readonly keepsArrival?: true;
  /** Makes rows of records that it gave before, from their bytes alone. Absent: that cannot be done, or nobody needs it. */
  redecode?(needed: ReadonlySet<string>): Decoder;
  /** What is read, as a sink that writes it states its `place`: a reader waits until that writer has begun. Absent: none. */
  readonly place?: string;
  /** Where it reads from a server that a proof can have a place of its own at. */
  readonly proof?: ProofPlace;
  /** The file of this machine that is read. */
  readonly file?: { readonly path: string; readonly format: "csv" | "ndjson" };
  /** Asks the server, once and changing nothing; throws where it does not answer. Absent: there is no server. */
  inspect?(world: World): Promise<readonly Finding[]>;
  /** Where its records can be made for anybody, from any number on: what a server serves without reading this source. */
  readonly feed?: FeedPlan;
  /** `needed`: the fields to decode. */
  create(world: World, needed: ReadonlySet<string>): Source;
}
export interface SourceSpec extends Spec {
  readonly role: "source";
  /** Set when it reads through [connections.X] of this type. */
  readonly connection?: string;
  /**
   * Its records are changes, and its readers tell when they have caught up: a table over it is kept as they come. Such a table goes on
   * as long as the pipeline does, so its `until`, where there is one, is `never` unless it was written. With a setting and a value: so
   * where the setting has that value.
   */
  readonly changelog?: true | { readonly setting: string; readonly value: string };
  plan(context: SourceContext): SourcePlan | null;
}

/** Whether a source with these settings gives changes. */
export function isChangelog({ changelog }: SourceSpec, settings: SettingGroup): boolean {
  if (changelog === undefined || changelog === true) return changelog === true;
  return settings.text(changelog.setting) === changelog.value;
}

export interface SinkContext extends PlanContext {
  readonly input: RecordType;
  /** Whether the pipeline's input ends. */
  readonly bounded: boolean;
  /** Whether it ends, or its sources say `until`, which may be something else in another environment. */
  readonly mayEnd?: boolean;
}
/** What stands at a sink's target: each row as texts in the order of `columns`, rows in the order in which they stand. */
export interface Delivered {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Which rows have an order: all of them, those with equal values in this column, or none. */
  readonly order: "all" | { readonly by: number } | "none";
}
export interface SinkPlan {
  readonly guarantee: Guarantee;
  /** Why not exactly once, or what it rests on; one line for `check`. */
  readonly guaranteeNote: string;
  /** What would make it stronger, where something at this sink would. */
  readonly guaranteeHint?: string;
  /** Fields of the input that are read. */
  readonly needs: ReadonlySet<string>;
  /**
   * "any": lanes on several threads may use the sink although it is `local`; the thread that finishes it may have none of them.
   * "one": they may not although it is not.
   */
  readonly threads?: "any" | "one";
  /** Where a person finds the result: a path or a table, for summaries. */
  readonly place: string;
  /** As a source's. */
  readonly proof?: ProofPlace;
  /** All that stands at the target now, read without what wrote it. Absent: it cannot be told. */
  delivered?(world: World): Promise<Delivered>;
  /** As a source's. */
  inspect?(world: World): Promise<readonly Finding[]>;
  /** Serves a feed to whoever connects, until the signal comes. */
  serve?(options: ServeOptions): Promise<ServeSummary>;
  create(world: World): Sink;
}
export interface SinkSpec extends Spec {
  readonly role: "sink";
  /** Writes files of this machine: a replica elsewhere cannot go on with what another one wrote. */
  readonly local?: true;
  readonly connection?: string;
  /** Set when it has a `type` and may name a connection of this type beside it. */
  readonly optionalConnection?: string;
  plan(context: SinkContext): SinkPlan | null;
}
/** A [connections.X] variant: its settings only; the sources and sinks of that type open it. */
export interface ConnectionSpec extends Spec {
  readonly role: "connection";
  /** Where it has topics: plans both ends of one between two stages of a pipeline; null when faults were reported. */
  exchange?(context: ExchangeContext): ExchangePlan | null;
}
export type ComponentSpec = TransformSpec | SourceSpec | SinkSpec | ConnectionSpec;

/** Whether it reads a parameter that has no value: what is wrong with it is told where it is declared. */
export function lacksParameter({ uses }: Checked): boolean {
  return [...uses].some((path) => path.split(".")[0] === "params");
}
/** A scope for CEL over one record type, with `params`. */
export function scopeOf(type: RecordType, context: PlanContext, more: ReadonlyMap<string, Type> = new Map()): Scope {
  const variables = new Map<string, Type>(type.fields.map((f) => [f.name, f.type]));
  variables.set("params", context.params.type);
  variables.set("meta", META_TYPE);
  for (const [name, t] of more) variables.set(name, t);
  return { variables, constants: context.params.constants };
}
const notNull = { nullable: false } as const;
/** `meta` in CEL. */
export const META_TYPE: Type = {
  kind: "struct",
  nullable: false,
  fields: [
    { name: "source", type: { kind: "string", ...notNull } },
    { name: "partition", type: { kind: "int", ...notNull } },
    { name: "position", type: { kind: "int", ...notNull } },
    { name: "origin", type: { kind: "int", ...notNull } },
    { name: "epoch_time", type: { kind: "timestamp", ...notNull } },
  ],
};
