/** The shipped pipelines of config/fintech, as they are read from its own files, and their transforms without sources and sinks. */
import { registry } from "../../src/app/full_registry.ts";
import { observe, type Row } from "../../src/app/run_tests.ts";
import { expressions } from "../../src/expr/mod.ts";
import { denoFiles } from "../../src/platform/files.ts";
import type { PipelineBlueprint, TestBlueprint } from "../../src/project/contracts.ts";
import { loadProject } from "../../src/project/mod.ts";
import { planIntake } from "../../src/transforms/intake.ts";
import { micros } from "../oracle/fintech/amounts.ts";
import type { Processor } from "../oracle/fintech/acceptance.ts";
import { type Message, type Profile, type TableName, unwrap } from "../oracle/fintech/rows.ts";

export const FOLDER = decodeURIComponent(new URL("../../config/fintech", import.meta.url).pathname);

/** The file of a processor under a profile. */
export const pipelineName = (processor: Processor, profile: Profile): string =>
  profile === "FIXED" ? processor : `${processor}-${profile.toLowerCase()}`;
/** The node whose rows are the processor's output. */
export const NODES: Readonly<Record<Processor, string>> = { lifecycle: "step", merchants: "figures", metrics: "metrics", fraud: "screen" };

/** All pipelines under their names. */
export async function shipped(env: Readonly<Record<string, string>> = {}): Promise<ReadonlyMap<string, PipelineBlueprint>> {
  const { pipelines } = await loadProject({
    path: FOLDER,
    files: denoFiles,
    environment: { get: (name) => env[name] },
    registry,
    expressions,
    intake: planIntake,
    overrides: new Map(),
    purpose: "test",
  });
  return new Map(pipelines.map((pipeline) => [pipeline.name, pipeline]));
}

const TABLES: Readonly<Record<TableName, { readonly fixed: string; readonly asRun: string }>> = {
  transactions: { fixed: "transactions", asRun: "transactions" },
  customers: { fixed: "customers", asRun: "latest_customers" },
  accounts: { fixed: "accounts", asRun: "latest_accounts" },
  merchants: { fixed: "merchants", asRun: "latest_merchants" },
  customer_sessions: { fixed: "sessions", asRun: "latest_sessions" },
};

/** The rows of one node when the messages arrive in this order, at their clocks. Rows of tables that the pipeline has not are left out. */
export function transformed(pipeline: PipelineBlueprint, profile: Profile, messages: readonly Message[], node: string): readonly Row[] {
  const known = new Map([...pipeline.sources, ...pipeline.changelogs].map(({ name, schema }) => [name, schema.type]));
  const given: TestBlueprint["given"][number][] = [];
  let clock: number | null = null;
  for (const message of messages) {
    const name = TABLES[message.table][profile === "AS-RUN" ? "asRun" : "fixed"];
    const type = known.get(name);
    if (type === undefined) continue;
    if (message.clock !== clock) given.push({ clockMicros: clock = message.clock });
    const { fields, deleted } = unwrap(message);
    const row = Object.fromEntries(type.fields.map((field) => [field.name, fields[field.name] ?? null]));
    given.push({ node: name, json: JSON.stringify(row), ...(deleted && profile !== "AS-RUN" ? { deleted } : {}) });
  }
  const span = { file: "", line: 0, column: 0, endLine: 0, endColumn: 0 };
  return observe(pipeline, { name: "", span, given, atEnd: "close", expect: new Map([[node, []]]) }).get(node) ?? [];
}

/** Values of different writers in one form: numbers by their digits, times to the millisecond. */
export function canonical(value: unknown): unknown {
  if (typeof value === "number" || typeof value === "string") {
    const text = String(value);
    if (/^-?\d+(\.\d+)?$/.test(text)) return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
    const at = micros(text);
    return at === null ? text : `at ${Math.floor(at / 1000)}`;
  }
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, canonical(each)]));
  }
  return value;
}

/** Columns that tell the time of the clock, which is no part of a comparison. */
const CLOCKS: ReadonlySet<string> = new Set(["lifecycle eventTime", "merchants eventTime", "fraud processedTime"]);

/** A row without what only the clock decides, in one form. */
export function comparable(processor: Processor, row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept = Object.entries(row).filter(([name]) => !CLOCKS.has(`${processor} ${name}`));
  return Object.fromEntries(kept.map(([name, value]) => [name, canonical(value)]));
}
/** An observed row as an object. */
export const objectOf = (row: Row): Record<string, unknown> => Object.fromEntries([...row].map(([name, text]) => [name, JSON.parse(text)]));
