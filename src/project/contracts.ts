/**
 * What a checked project is: everything that can be known from its files, with nothing opened yet. `app` turns a blueprint
 * into a running pipeline.
 */
import type { Span } from "../data/fault.ts";
import type { Batch } from "../data/batch.ts";
import type { RecordType } from "../data/types.ts";
import type { Edge, Guarantee } from "../engine/contracts.ts";
import type { MissingRow } from "../component/changelog.ts";
import type { EventTimePlan } from "../component/event_time.ts";
import type { SchemaPlan, SinkPlan, SourcePlan, TableRows, TransformPlan } from "../component/component.ts";
import type { PlanParts } from "./hash.ts";

export type PipelineKind = "serve" | "produce" | "stream" | "batch" | "load";

export interface Project {
  /** The folder, or the folder of the single file, as the user wrote it. */
  readonly folder: string;
  /** What it was read from, for threads that read it again. */
  readonly readFrom: ReadFrom;
  /** The text without the secrets of the configuration, for whatever people may see. */
  mask(text: string): string;
  readonly pipelines: readonly PipelineBlueprint[];
  /** Names of those that the chosen profile consists of, where it says so: what is run unless others are named. */
  readonly chosen: readonly string[] | null;
}

export interface ReadFrom {
  /** A folder, or one .toml file. */
  readonly path: string;
  /** From --set. */
  readonly overrides: ReadonlyMap<string, string>;
  readonly envFile?: string;
}

export interface PipelineBlueprint {
  readonly name: string;
  /** Of a stage: the pipeline that it belongs to, which is what people see. */
  readonly shownAs?: string;
  readonly file: string;
  readonly kind: PipelineKind;
  /** Names of pipelines that must have finished before. */
  readonly after: readonly string[];
  readonly bounded: boolean;
  /** The folder of this pipeline's KV file, parts and rejects. */
  readonly stateFolder: string;
  /** The store that several processes share; null: the state folder holds the checkpoint, and one process at a time runs it. */
  readonly shared: SharedState | null;
  /** Digest of everything in the configuration that can change outputs, parameters included. */
  readonly hash: string;
  /** What the hash was made of, for those who ask what has changed. */
  readonly parts: PlanParts;
  /** Effective parameters as text, secrets masked; for summaries. */
  readonly params: ReadonlyMap<string, string>;
  readonly epoch: { readonly everyMs: number; readonly recordsMax: number; readonly bytesMax: number };
  /** Threads over which the lanes are spread. */
  readonly workers: number;
  /** How long a planned stop may take before the program leaves without it. */
  readonly stopWithinMs: number;
  readonly lanesByPartition: boolean;
  /** Why there is one lane, or what the lanes are; one sentence for `check`. */
  readonly lanesReason: string;
  /** For each source and each sink that it reaches; for `check`. */
  readonly guarantees: readonly PathGuarantee[];
  readonly sources: readonly SourceBlueprint[];
  /** Read once, at the first start. */
  readonly tables: readonly TableBlueprint[];
  /** Tables that every lane keeps from changes. */
  readonly changelogs: readonly ChangelogBlueprint[];
  /** Topologically ordered; includes hidden nodes of reports and checks, whose names start with "report:" and "check:". */
  readonly transforms: readonly TransformBlueprint[];
  readonly sinks: readonly SinkBlueprint[];
  readonly reports: readonly ReportBlueprint[];
  readonly checks: readonly CheckBlueprint[];
  /** Charts and tables of the page, as configured. */
  readonly panels: readonly PanelBlueprint[];
  /** Texts of the [[warnings]] whose condition holds. */
  readonly warnings: readonly string[];
  readonly tests: readonly TestBlueprint[];
  /** Where rows change lanes on the way: the linked pipelines that run it, in their order. Empty: it runs as it is. */
  readonly stages: readonly PipelineBlueprint[];
}
/** A checkpoint store behind a server. */
export interface SharedState {
  readonly url: string;
  /** "" where it stands in `tokenFile`. Never shown. */
  readonly token: string;
  readonly tokenFile: string | null;
  /** Keeps projects apart; pipelines are, by their names. */
  readonly prefix: string;
}
/** What holds between a source and a sink. `note` says what it rests on, or why it is not exactly-once. */
export interface PathGuarantee {
  readonly source: string;
  readonly sink: string;
  readonly guarantee: Guarantee;
  readonly note: string;
  readonly hint?: string;
}
export interface SourceBlueprint {
  readonly name: string;
  readonly type: string;
  readonly schema: SchemaPlan;
  readonly plan: SourcePlan;
  readonly rank: number;
  readonly needed: ReadonlySet<string>;
  /** Where its records' event time comes from; null where they have none. */
  readonly time: EventTimePlan | null;
  /** The schema's `unique` and `require`, as an operator that runs right behind the source; null when it has neither. */
  readonly intake: TransformPlan | null;
}
export interface TableBlueprint {
  readonly name: string;
  readonly key: string;
  readonly schema: SchemaPlan;
  readonly plan: SourcePlan;
  /** All fields of the schema that any lookup reads, and the key. */
  readonly needed: ReadonlySet<string>;
  /** Handed to the transforms already; `app` fills it before the first lane runs. */
  readonly rows: LoadableRows;
}
export interface ChangelogBlueprint {
  readonly name: string;
  readonly key: string;
  readonly schema: SchemaPlan;
  readonly plan: SourcePlan;
  /** The fields that look-ups read: what a lane keeps of each row beside its key. */
  readonly kept: ReadonlySet<string>;
  /** Those, the key, and what `require` reads. */
  readonly needed: ReadonlySet<string>;
  /** The schema's `require`; null where it has none. */
  readonly require: TransformPlan | null;
  readonly missing: MissingRow;
  readonly ready: "caught_up" | "at_once";
}
/** Table rows that can be filled, batch by batch; the first row of a key stays. */
export interface LoadableRows extends TableRows {
  /** Forgets all rows and takes in others. */
  begin(type: RecordType): TableLoading;
  /** All at once; tells the places of rows whose key was there, counted over all batches. */
  load(type: RecordType, batches: Iterable<Batch>): { readonly duplicates: readonly number[] };
  /** All rows with these fields, in the order in which they came. */
  batch(name: string, fields: ReadonlySet<string>): Batch;
}
export interface TableLoading {
  /** Tells the rows of the batch whose key was there. Keeps nothing of the batch. */
  add(batch: Batch): readonly number[];
  /** Only now are the rows there. */
  finish(): void;
}
export interface TransformBlueprint {
  readonly name: string;
  readonly type: string;
  readonly inputs: readonly (readonly Edge[])[];
  readonly plan: TransformPlan;
  readonly span: Span;
}
export interface SinkBlueprint {
  readonly name: string;
  readonly type: string;
  readonly inputs: readonly Edge[];
  readonly plan: SinkPlan;
  readonly input: RecordType;
}
/** The hidden aggregate `operator` holds the rows; its columns are `by` and then the aggregates. */
export interface ReportBlueprint {
  readonly title: string;
  readonly operator: string;
  readonly by: readonly string[];
  readonly type: RecordType;
}
/** One entry of [[panels]]. */
export interface PanelBlueprint {
  readonly title: string;
  readonly group: string;
  readonly kind: "lines" | "bars" | "stack" | "shares" | "number" | "table";
  readonly edge: Edge;
  /** A field; null: when the row was processed. */
  readonly x: string | null;
  readonly xIsTime: boolean;
  /** Width of one x, µs for times; 0: every value by itself. */
  readonly every: number;
  readonly measure: PanelMeasure;
  readonly y: string | null;
  readonly by: string | null;
  readonly key: string | null;
  readonly columns: readonly string[];
  readonly unit: string;
  /** Where `by` is a number: between these it is told apart, ascending. */
  readonly bands: readonly number[];
  readonly slider: { readonly at: number; readonly marks: readonly { readonly name: string; readonly at: number }[] } | null;
  /** What is drawn on a second axis. */
  readonly right: { readonly y: string | null; readonly measure: PanelMeasure; readonly unit: string } | null;
  readonly isOverview: boolean;
}
export type PanelMeasure = "count" | "sum" | "avg" | "min" | "max" | "last" | "distinct";
export interface CheckBlueprint {
  readonly name: string;
  readonly totals: readonly { readonly name: string; readonly operator: string; readonly type: RecordType }[];
  /** The condition over the totals' values, in run-time representation, in the order of `totals`. */
  that(values: readonly unknown[]): boolean;
  readonly text: string;
  readonly onFailure: "fail" | "warn";
}
/** A row that a test gives. */
export interface GivenRow {
  readonly node: string;
  readonly json: string;
  /** It takes its key out of its table. */
  readonly deleted?: true;
}
/** One [[tests]] entry; values are written as JSON so that the decoders read them like any record. */
export interface TestBlueprint {
  readonly name: string;
  readonly span: Span;
  /** In arrival order: rows, node being a source's or a table's name, and what the clock says from there on. */
  readonly given: readonly (GivenRow | { readonly clockMicros: number })[];
  /** Behind the last row: the input ends, goes on, or the pipeline is stopped. */
  readonly atEnd: "close" | "open" | "stop";
  /** By sink (or transform) name: the rows wished, only the named fields compared, as JSON text per field. */
  readonly expect: ReadonlyMap<string, readonly { readonly fields: ReadonlyMap<string, string>; readonly span: Span }[]>;
}
