/**
 * The [[tests]] of a pipeline: given rows go through the real decoders and the real operators of one lane, without KV, sources
 * or sinks; what arrives at a sink, or leaves a transform, is compared field by field.
 */
import type { Batch } from "../data/batch.ts";
import { cell, countingFrom, makeMeta } from "../data/columns.ts";
import { assert } from "../data/fault.ts";
import { compileJsonDecoder, jsonText, splitLines } from "../data/json/mod.ts";
import { BATCH_ROWS_MAX, RECORD_BYTES_MAX } from "../data/limits.ts";
import { createStateStore, type GraphPlan, LaneGraph } from "../engine/mod.ts";
import type { SchemaPlan } from "../component/component.ts";
import { isSinkName } from "../project/hidden.ts";
import type { PipelineBlueprint, TestBlueprint } from "../project/contracts.ts";
import { buildGraph, readerName, tableReaderName } from "./build_plan.ts";

export interface TestResult {
  readonly pipeline: string;
  readonly name: string;
  /** file:line of the test. */
  readonly place: string;
  /** Empty when it passed. */
  readonly differences: readonly string[];
}
/** An observed row: JSON text by field. */
export type Row = ReadonlyMap<string, string>;

export function runTests(blueprint: PipelineBlueprint): TestResult[] {
  return blueprint.tests.map((test) => ({
    pipeline: blueprint.name,
    name: test.name,
    place: `${test.span.file}:${test.span.line}`,
    differences: compare(test, observe(blueprint, test)),
  }));
}

/** Rows by observed node: those that `expect` names. */
export function observe(blueprint: PipelineBlueprint, test: TestBlueprint): ReadonlyMap<string, readonly Row[]> {
  for (const table of blueprint.tables) {
    const given = test.given.flatMap((one) => "node" in one && one.node === table.name ? [one.json] : []);
    const { duplicates } = table.rows.load(table.schema.type, [decodeRows(table.schema, given, table.name, 0)]);
    assert(duplicates.length === 0, `the test gives table "${table.name}" each key once`);
  }
  const seen = new Map<string, Row[]>();
  const nodes = [...test.expect.keys()];
  const plan = observedPlan(blueprint, nodes);
  const write = (node: string, batch: Batch): void => {
    const rows = seen.get(node) ?? [];
    for (let row = 0; row < batch.rows; row++) rows.push(rowTexts(batch, row));
    seen.set(node, rows);
  };
  const graph = new LaneGraph({ plan, lane: 0, state: createStateStore(), write });
  feed(blueprint, test, graph);
  return seen;
}

/** The pipeline's graph with an observer at each named sink or transform. */
function observedPlan(blueprint: PipelineBlueprint, nodes: readonly string[]): GraphPlan {
  const { sources, operators, times } = buildGraph(blueprint);
  const sinks = nodes.map((name) => {
    const sink = blueprint.sinks.find((candidate) => candidate.name === name);
    return { name, inputs: sink ? sink.inputs.filter(({ from }) => !isSinkName(from)) : [{ from: name, port: "out" }] };
  });
  return { pipeline: blueprint.name, sources, operators, sinks, times };
}

function feed(blueprint: PipelineBlueprint, test: TestBlueprint, graph: LaneGraph): void {
  const positions = new Map<string, number>();
  for (const given of test.given) {
    if ("clockMicros" in given) {
      graph.endEpoch();
      graph.beginEpoch(given.clockMicros);
      drainAll(graph);
      continue;
    }
    const { node, json, deleted } = given;
    const reader = readerOf(blueprint, node);
    if (!reader) continue;
    const position = (positions.get(node) ?? 0) + 1;
    positions.set(node, position);
    const batch = decodeRows(reader.schema, [json], node, position - 1);
    graph.feed(reader.name, deleted ? { ...batch, meta: { ...batch.meta, deleted: Uint8Array.of(1) } } : batch, [], 1);
    drainAll(graph);
  }
  graph.endEpoch();
  drainAll(graph);
  if (test.atEnd === "stop" && graph.stop()) drainAll(graph);
  if (test.atEnd !== "close") return;
  for (const { name } of [...blueprint.sources, ...blueprint.changelogs].map(({ name }) => readerOf(blueprint, name)!)) {
    graph.endPartition(name, 0);
    graph.endSource(name);
    drainAll(graph);
  }
}

/** What the graph calls the reader of a source or a changelog table, and the shape of its rows; null for a table that is read once. */
function readerOf(blueprint: PipelineBlueprint, node: string): { readonly name: string; readonly schema: SchemaPlan } | null {
  const source = blueprint.sources.find(({ name }) => name === node);
  if (source) return { name: source.intake ? readerName(node) : node, schema: source.schema };
  const table = blueprint.changelogs.find(({ name }) => name === node);
  return table ? { name: tableReaderName(node), schema: table.schema } : null;
}

function drainAll(graph: LaneGraph): void {
  for (let next = graph.nextDrain(); next; next = graph.nextDrain()) graph.drain(next.operator, BATCH_ROWS_MAX);
}

/** Rows are given one by one: what is compiled for one serves the next. */
const decoders = new WeakMap<SchemaPlan, ReturnType<typeof compileJsonDecoder>>();

function decoderOf(schema: SchemaPlan): ReturnType<typeof compileJsonDecoder> {
  const known = decoders.get(schema);
  if (known) return known;
  const { type } = schema;
  const needed = new Set(type.fields.map((field) => field.name));
  const decoder = compileJsonDecoder({ type, needed, numericText: "accept", unknownFields: "reject" });
  decoders.set(schema, decoder);
  return decoder;
}

function decodeRows(schema: SchemaPlan, rows: readonly string[], source: string, before: number): Batch {
  const { type } = schema;
  const bytes = new TextEncoder().encode(rows.map((row) => row + "\n").join(""));
  const { records } = splitLines(bytes, 0, bytes.length, "end", RECORD_BYTES_MAX);
  const { columns, bad } = decoderOf(schema)(records);
  assert(bad.length === 0, `a given row of "${source}" fits its schema: ${bad[0]?.reason} in ${rows[bad[0]?.row]}`);
  const position = countingFrom(before + 1, rows.length);
  return { rows: rows.length, type, columns, meta: makeMeta(source, 0, position) };
}

function rowTexts(batch: Batch, row: number): Row {
  return new Map(batch.type.fields.map((field, i) => {
    const column = batch.columns[i];
    return [field.name, jsonText(field, column ? cell(column, field.type, row) : null, {})];
  }));
}

function compare(test: TestBlueprint, seen: ReadonlyMap<string, readonly Row[]>): string[] {
  const differences: string[] = [];
  for (const [node, wished] of test.expect) {
    const rows = seen.get(node) ?? [];
    if (rows.length !== wished.length) {
      differences.push(`${node}: ${wished.length} row${wished.length === 1 ? "" : "s"} wished, ${rows.length} came`);
    }
    wished.slice(0, rows.length).forEach(({ fields }, i) => {
      for (const [name, text] of fields) {
        const came = rows[i].get(name) ?? "null";
        if (plain(came) !== plain(text)) differences.push(`${node} row ${i + 1}: ${name} is ${came}, not ${text}`);
      }
    });
  }
  return differences;
}

/** 2800 and 2800.00 are one number. */
const plain = (json: string): string => /^-?\d+\.\d+$/.test(json) ? json.replace(/\.?0+$/, "") : json;
