/**
 * Text in, text out. A table is a heading "name type | name type" and rows "value | value"; null is written null, the empty text ''. A result shows
 * its rows, then its counts and rejects:
 *
 *   1 | 5.00
 *   filtered 2
 *   rejected 3: overflow
 */
import { textOf } from "../../src/engine/state/keys.ts";
import type { PlanContext, TablePlan, TransformContext, TransformPlan, TransformSpec } from "../../src/component/component.ts";
import type { Batch } from "../../src/data/batch.ts";
import { cell, columnOf, makeMeta, textColumn } from "../../src/data/columns.ts";
import { formatDecimal, parseDecimal } from "../../src/data/decimal.ts";
import { assert, type Fault } from "../../src/data/fault.ts";
import type { RecordType, Type } from "../../src/data/types.ts";
import type { Operator, Output, StateStore } from "../../src/engine/contracts.ts";
import { createStateStore, type LaneState, type StateEntry } from "../../src/engine/state/store.ts";
import { expressions } from "../../src/expr/mod.ts";
import { parseTypeText } from "../../src/transforms/support/type_text.ts";
import { type Plain, settingsOf } from "../support/settings.ts";

/** Rows of a table of text, in run-time values. */
export interface Rows {
  readonly type: RecordType;
  readonly rows: readonly (readonly unknown[])[];
}

/** Reads a table of text. */
export function table(text: string): Rows {
  const [heading, ...lines] = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const fields = heading.split("|").map((part) => {
    const [name, ...rest] = part.trim().split(" ");
    const type = parseTypeText(rest.join(" "));
    assert(type !== null, `"${part}" is a name and a type`);
    return { name, type };
  });
  const rows = lines.map((line) => {
    const cells = line.split("|").map((part) => part.trim());
    assert(cells.length === fields.length, `"${line}" has a value for each field`);
    return cells.map((text, index) => parseCell(text, fields[index].type));
  });
  return { type: { fields }, rows };
}

function parseCell(text: string, type: Type): unknown {
  if (text === "null") return null;
  if (text === "''") return "";
  switch (type.kind) {
    case "int":
    case "timestamp":
    case "double":
      return Number(text);
    case "decimal":
      return parseDecimal(text, type.scale);
    case "bool":
      return text === "true";
    case "list":
      return JSON.parse(text);
    default:
      return text;
  }
}

/** A value as the tables write it. */
export function formatCell(value: unknown, type: Type): string {
  if (value === null || value === undefined) return "null";
  if (type.kind === "decimal") return formatDecimal(value as number, type.scale);
  if (type.kind === "map") {
    return `{${[...(value as Map<unknown, unknown>)].map(([k, v]) => `${k}: ${formatCell(v, type.value)}`).join(", ")}}`;
  }
  if (type.kind === "list") return `[${(value as unknown[]).map((item) => formatCell(item, type.item)).join(", ")}]`;
  if (type.kind === "struct") {
    return `{${type.fields.map((f) => `${f.name}: ${formatCell((value as Record<string, unknown>)[f.name], f.type)}`).join(", ")}}`;
  }
  return value === "" ? "''" : String(value);
}

/** Rows [from, to) as a batch whose positions count from 1. */
export function batchOf({ type, rows }: Rows, source: string, from: number, to: number, partition = 0): Batch {
  const part = rows.slice(from, to);
  const columns = type.fields.map((field, index) => columnOf(field.type, part.map((row) => row[index])));
  const position = Float64Array.from(part, (_, index) => from + index + 1);
  const raw = part.map((row) => new TextEncoder().encode(row.map((value, index) => formatCell(value, type.fields[index].type)).join("|")));
  const end = Int32Array.from(raw, ((at) => (bytes: Uint8Array) => at += bytes.length)(0));
  const start = Int32Array.from(raw, (bytes, index) => end[index] - bytes.length);
  const bytes = new Uint8Array(end.at(-1) ?? 0);
  raw.forEach((piece, index) => bytes.set(piece, start[index]));
  return { rows: part.length, type, columns, meta: makeMeta(source, partition, position, position, textColumn(bytes, start, end, null)) };
}

/** What left an operator. */
export class Collected implements Output {
  readonly epochTimeMicros = 1_700_000_000_000_000;
  readonly ports = new Map<string, string[]>();
  readonly places: string[] = [];
  readonly counts = { filtered: 0, duplicates: 0, folded: 0 };
  readonly rejects: string[] = [];

  emit(port: string, batch: Batch): void {
    const lines = this.ports.get(port) ?? [];
    this.ports.set(port, lines);
    const { meta, columns, type } = batch;
    assert(columns.every((c) => c === null || c.kind === "text" || c.values.length === batch.rows), "columns are as long as their batch");
    assert(meta.position.length === batch.rows && meta.origin.length === batch.rows, "origins are as long as their batch");
    for (let row = 0; row < batch.rows; row++) {
      lines.push(
        type.fields.map((field, index) => columns[index] === null ? "-" : formatCell(cell(columns[index], field.type, row), field.type))
          .join(" | "),
      );
      if (port === "out") this.places.push(`${meta.source}/${meta.partition}/${meta.position[row]}/${meta.raw?.at(row) ?? "made"}`);
    }
  }
  reject(batch: Batch, row: number, reason: string): void {
    this.rejects.push(`rejected ${batch.meta.position[row]}: ${reason}`);
  }
  count(what: "filtered" | "duplicates" | "folded", rows: number): void {
    this.counts[what] += rows;
  }

  get text(): string {
    const counted = Object.entries(this.counts).filter(([, rows]) => rows > 0).map(([what, rows]) => `${what} ${rows}`);
    return [...this.ports.get("out") ?? [], ...counted, ...this.rejects].join("\n");
  }
}

export interface Setup {
  readonly settings: { readonly [name: string]: Plain };
  /** By input: a table of text. */
  readonly inputs: readonly Rows[];
  /** By name: key field and rows. */
  readonly tables?: Readonly<Record<string, { readonly key: string; readonly rows: Rows }>>;
  readonly params?: Readonly<Record<string, { readonly type: Type; readonly value: unknown }>>;
  /** Of the rows' event time; 0 unless told. */
  readonly latenessMicros?: number;
}

/** The plan, or the faults as text "place:column message (hint)". */
export function planOf(spec: TransformSpec, setup: Setup): { readonly plan: TransformPlan | null; readonly faults: readonly string[] } {
  const faults: string[] = [];
  const { latenessMicros = 0 } = setup;
  const inputs = setup.inputs.map(({ type }, index) => ({ node: spec.inputs[index], type, span: SPAN, timed: true, latenessMicros }));
  const declared = Object.fromEntries(Object.entries(setup.settings));
  const context: TransformContext = {
    ...planContext(settingsOf(spec.settings, declared), setup.params ?? {}, faults),
    inputs,
    tables: new Map(Object.entries(setup.tables ?? {}).map(([name, { key, rows }]) => [name, tablePlan(name, key, rows)])),
  };
  return { plan: spec.plan(context), faults };
}

const SPAN = { file: "test.toml", line: 1, column: 1, endLine: 1, endColumn: 1 };

/** A context whose faults end up in `faults`. */
export function planContext(settings: PlanContext["settings"], params: NonNullable<Setup["params"]>, faults: string[]): PlanContext {
  const report = ({ span, message, hint }: Fault): void => {
    faults.push(`${span?.file}:${span?.column} ${message}${hint === undefined ? "" : ` (${hint})`}`);
  };
  return {
    pipeline: "test",
    name: "node",
    settings,
    connection: null,
    expressions,
    params: {
      type: { kind: "struct", nullable: false, fields: Object.entries(params).map(([name, { type }]) => ({ name, type })) },
      constants: new Map(Object.entries(params).map(([name, { value }]) => [`params.${name}`, value])),
    },
    replicas: "one",
    stateFolder: ".millrace",
    fault: (span, message, hint) => report({ code: "test", span, message, ...(hint === undefined ? {} : { hint }) }),
    report,
  };
}

function tablePlan(name: string, key: string, { type, rows }: Rows): TablePlan {
  const keyIndex = type.fields.findIndex((field) => field.name === key);
  const found = new Map(rows.map((row, index) => [row[keyIndex], index]));
  const columns = type.fields.map((field, index) => {
    const column = columnOf(field.type, rows.map((row) => row[index]));
    if (column.kind === "number") return { kind: "number" as const, values: column.values, valid: column.valid };
    return { kind: "value" as const, values: rows.map((row) => row[index]) };
  });
  return {
    name,
    key,
    type,
    rows: {
      find: (value) => found.get(value) ?? -1,
      findText: (bytes, from, to) => found.get(textOf(bytes, from, to)) ?? -1,
      findTexts: ({ bytes, start, end, valid }, from, to, into) => {
        for (let row = from; row < to; row++) {
          into[row - from] = valid?.[row] === 0 ? -1 : found.get(textOf(bytes, start[row], end[row])) ?? -1;
        }
      },
      size: rows.length,
      loads: 1,
      columns,
    },
    read: new Set(),
  };
}

/** A lane's operator that can be crashed and recovered. */
export class Lane {
  #plan: TransformPlan;
  #state: LaneState;
  readonly #entries = new Map<string, StateEntry>();
  #epoch = 0;
  operator: Operator;
  #drained = 0;
  readonly #ended = new Set<number>();

  constructor(plan: TransformPlan) {
    this.#plan = plan;
    this.#state = createStateStore();
    this.operator = this.#create();
  }
  #create(): Operator {
    const operator = this.#plan.create({ lane: 0, state: this.#state as StateStore });
    this.#state.restored();
    return operator;
  }

  /** Writes a checkpoint, forgets everything in memory and goes on from the checkpoint. */
  recover(plan = this.#plan): void {
    this.#plan = plan;
    const { sets, deletes } = this.#state.checkpoint(++this.#epoch);
    for (const key of deletes) this.#entries.delete(JSON.stringify(key));
    // Copies: the store may write into its buffers again.
    for (const entry of sets) this.#entries.set(JSON.stringify(entry.key), { key: entry.key, value: entry.value.slice() });
    const entries = [...this.#entries.values()].toSorted((a, b) => compareKeys(a.key, b.key));
    this.#state = createStateStore({ epoch: this.#epoch, tables: this.#state.layouts, entries });
    this.operator = this.#create();
    for (const input of this.#ended) this.operator.inputEnded?.(input);
  }
  end(input: number): void {
    this.#ended.add(input);
    this.operator.inputEnded?.(input);
  }
  /** Drains at most `rowsMax` rows; false when nothing waits. */
  drain(rowsMax: number, out: Output): boolean {
    if ((this.operator.backlog?.(this.#drained) ?? 0) <= 0) return false;
    this.#drained = this.operator.drain!(this.#drained, rowsMax, out);
    return true;
  }
}

function compareKeys(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
  }
  return a.length - b.length;
}

export interface Cut {
  /** Rows per batch. */
  readonly rowsMax: number;
  /** Whether to recover behind a batch or a drain, by its number from 0. */
  recovers?(step: number): boolean;
  /** The order in which inputs are read to their ends; by default the last one first. */
  readonly order?: readonly number[];
}

/** Runs rows through a plan: every input to its end, then what is held back. */
export function runPlan(plan: TransformPlan, inputs: readonly Rows[], cut: Cut = { rowsMax: 1000 }): Collected {
  const out = new Collected();
  const lane = new Lane(plan);
  let step = 0;
  const behind = (): void => {
    if (cut.recovers?.(step++)) lane.recover();
  };
  for (const input of cut.order ?? inputs.map((_, index) => inputs.length - 1 - index)) {
    const { rows } = inputs[input];
    for (let from = 0; from < rows.length; from += cut.rowsMax) {
      lane.operator.process(input, batchOf(inputs[input], `in${input}`, from, Math.min(rows.length, from + cut.rowsMax)), out);
      behind();
    }
    lane.end(input);
    while (lane.drain(cut.rowsMax, out)) behind();
  }
  return out;
}

/** Plans and runs; faults fail the test with their texts. */
export function run(spec: TransformSpec, setup: Setup, cut?: Cut): Collected {
  const { plan, faults } = planOf(spec, setup);
  assert(plan !== null, `the settings check clean: ${faults.join("; ")}`);
  assert(faults.length === 0, `a plan has no faults: ${faults.join("; ")}`);
  return runPlan(plan, setup.inputs, cut);
}

/** The faults of settings that must not check. */
export function faultsOf(spec: TransformSpec, setup: Setup): readonly string[] {
  const { plan, faults } = planOf(spec, setup);
  assert(plan === null && faults.length > 0, "settings with a fault give no plan");
  return faults;
}

/** Lines without their indentation. */
export function lines(text: string): string {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "").join("\n");
}
