/**
 * The whole way: messages into the embedded topics as change data capture would write them, `millrace run config/fintech` as its users start
 * it, and what lies on the topics' consumers' side: the warehouse's tables.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Processor } from "../oracle/fintech/acceptance.ts";
import type { Message, Profile, TableName } from "../oracle/fintech/rows.ts";
import { type Ran, runMillrace } from "../support/clone.ts";
import { pipelineName } from "./shipped.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname).replace(/\/$/, "");
const TOPICS: readonly TableName[] = ["transactions", "customers", "accounts", "merchants", "customer_sessions"];

/** Where each processor's rows lie, without the profile's ending. */
export const TABLES: Readonly<Record<Processor, string>> = {
  lifecycle: "customer_lifecycle_analytics",
  merchants: "merchant_performance_analytics",
  metrics: "customer_transaction_metrics",
  fraud: "fraud_detection_alerts",
};

/** Writes the messages to the topics under `output`, each topic in the order of its messages, and seals them. */
export async function writeTopics(output: string, messages: readonly Message[]): Promise<void> {
  const lines = new Map<TableName, string[]>(TOPICS.map((name) => [name, []]));
  for (const { table, value } of messages) lines.get(table)!.push(JSON.stringify(value));
  const parts = [`[connections.bus]\ntype = "log"\npath = "${output}/log"\n`];
  await Deno.mkdir(`${output}/feed`);
  for (const [name, each] of lines) {
    await Deno.writeTextFile(`${output}/feed/${name}.ndjson`, each.map((line) => line + "\n").join(""));
    parts.push(`[sources.${name}]\ntype = "ndjson"\npath = "${output}/feed/${name}.ndjson"\nfields = { id = "string?" }\n`);
    parts.push(
      `[sinks.${name}_topic]\nconnection = "bus"\ntopic = "fintech.public.${name}"\ninputs = ["${name}"]\nformat = "raw"\ncreate = {}\n`,
    );
  }
  await Deno.writeTextFile(`${output}/feed/feed.toml`, parts.join("\n"));
  const ran = await runMillrace(["run", `${output}/feed/feed.toml`, "--quiet", "--set", `state=${output}/feed/state`], ROOT);
  assert.equal(ran.code, 0, ran.output);
}

export interface WholeRun {
  readonly output: string;
  readonly profile: Profile;
  /** "together": all four, as one pipeline. */
  readonly processors: readonly Processor[] | "together";
  readonly lanes?: number;
  readonly set?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the processors until their topics have been read, or the process dies. */
export function runProcessors({ output, profile, processors, lanes = 1, set = [], env = {} }: WholeRun): Promise<Ran> {
  const names = processors === "together" ? [processors] : processors.map((processor) => pipelineName(processor, profile));
  const settings = set.flatMap((setting) => ["--set", setting]);
  return runMillrace(["run", "config/fintech", ...names, "--quiet", "--json", ...settings], ROOT, {
    FINTECH_OUTPUT: output,
    FINTECH_LANES: String(lanes),
    FINTECH_WINDOW_CLOCK: "event",
    ...env,
  });
}

/** The rows of a processor's table in the warehouse; nested columns are parsed. */
export function warehouseRows(output: string, processor: Processor, profile: Profile): Record<string, unknown>[] {
  using database = new DatabaseSync(`${output}/fintech.sqlite`, { readOnly: true });
  const table = TABLES[processor] + (profile === "FIXED" ? "" : `_${profile.toLowerCase().replace("-", "_")}`);
  const rows = database.prepare(`SELECT * FROM ${table}`).all() as Record<string, unknown>[];
  const flags = new Set(
    (database.prepare(`SELECT name, type FROM pragma_table_info('${table}')`).all() as { name: string }[]).map(({ name }) => name)
      .filter((name) => /^(is[A-Z]|upgrade$|downgrade$|kycCompleted$|active$|fraudulent$|accountKnown$|modelFraudulent$)/.test(name)),
  );
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        flags.has(name) ? value === 1 : typeof value === "string" && /^[[{]/.test(value) ? JSON.parse(value) : value,
      ]),
    )
  );
}

/** A temporary folder that is removed afterwards. */
export async function inFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "millrace-fintech-" });
  try {
    return await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
