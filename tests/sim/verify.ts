/** Compares what the sinks hold and what the engine counted with the model. */
import type { EngineResult } from "../../src/engine/run_contracts.ts";
import type { SimDisk } from "../../src/sim/disk.ts";
import type { SimSqlRow, SimSqlTable } from "../../src/sim/sql_sink.ts";
import { ACCOUNT, DECIDED_AT, firstDifference, ID } from "./ledger_lines.ts";
import { expectedOf, type LateRow, type LedgerRow, type RejectRow } from "./model.ts";
import type { Servers } from "./pipeline.ts";
import type { Setup } from "./setup.ts";
import { databaseProblems, fileProblems, streamProblems, topicProblems, warehouseProblems } from "./verify_sinks.ts";

/** What a run has left. */
export interface Outcome {
  readonly servers: Servers;
  readonly disk: SimDisk;
  /** Run-time values of the embedded topic's records, partition after partition; null where there is none. */
  readonly topic: readonly (readonly unknown[])[] | null;
}

/** One line per difference; none when all is as it must be. `result`: null where the input has no end, and nobody counted all of it. */
export function problemsOf(setup: Setup, { servers, disk, topic }: Outcome, result: EngineResult | null): string[] {
  const expected = expectedOf(setup.records, setup.latenessMicros ?? Infinity);
  const { tables } = servers;
  const problems: string[] = [];
  const compare = (what: string, actual: readonly string[], wished: readonly string[]): void => {
    const difference = firstDifference(actual, wished);
    if (difference !== null) problems.push(`${what}: ${difference}`);
  };
  setup.records.forEach((_, partition) => {
    compare(`ledger of partition ${partition}`, ledgerLines(tables.ledger, partition), expected.ledger[partition]!.map(ledgerLine));
    compare(`rejects of partition ${partition}`, rejectLines(tables.rejects, partition), expected.rejects[partition]!.map(rejectLine));
    compare(`late records of partition ${partition}`, lateLines(tables.late, partition), expected.late[partition]!.map(lateLine));
  });
  const totals = tables.totals.rows.map((row) => row.values.join(" ")).sort();
  const wishedTotals = result === null ? [] : expected.totals;
  compare("totals", totals, wishedTotals.map((row) => `${row.account} ${row.count} ${row.sumCents}`).sort());
  if (result !== null) compare("counters", counterLines(result), wishedCounters(expected));
  if (setup.sinks.has("files")) problems.push(...fileProblems(setup, servers, disk));
  if (topic !== null) problems.push(...topicProblems(servers, topic));
  if (setup.sinks.has("stream")) problems.push(...streamProblems(servers));
  if (setup.sinks.has("database")) problems.push(...databaseProblems(servers));
  if (setup.sinks.has("warehouse")) problems.push(...warehouseProblems(setup, servers));
  return problems;
}

/** In the order in which the table got them; the time of the decision is not the model's to know. */
function ledgerLines(table: SimSqlTable, partition: number): string[] {
  return ofPartition(table, partition).map((row) =>
    [row.position, ...row.values.filter((_, index) => index !== DECIDED_AT)].map((value) => JSON.stringify(value)).join(" ")
  );
}
function ledgerLine(row: LedgerRow): string {
  const { position, id, account, amountCents, note, status, balanceCents, share } = row;
  return [position, id, account, amountCents, note, status, balanceCents, share].map((value) => JSON.stringify(value)).join(" ");
}

/** Sorted by position: a source's own rejects and an operator's need not keep one order. */
function rejectLines(table: SimSqlTable, wanted: number): string[] {
  const rows = table.rows.map((row) => {
    const [, , partition, position, , step, reason, raw] = row.values;
    return { partition, position, step, reason, raw } as RejectRow;
  });
  return rows.filter(({ partition }) => partition === wanted).sort((a, b) => a.position - b.position).map(rejectLine);
}
function rejectLine(row: RejectRow): string {
  return `${row.position} ${row.step} ${row.reason} ${row.raw}`;
}

function lateLines(table: SimSqlTable, partition: number): string[] {
  return ofPartition(table, partition).map(({ position, values }) =>
    lateLine({ position, id: values[ID] as number, account: values[ACCOUNT] as number })
  );
}
function lateLine({ position, id, account }: LateRow): string {
  return `${position} ${id} ${account}`;
}

function counterLines(result: EngineResult): string[] {
  return ["records", "once", "ledger"].map((name) => {
    const counters = result.counters.get(name);
    if (counters === undefined) return `${name}: no counters`;
    const { rejected, late, duplicates, filtered } = counters;
    return `${name}: in ${counters.in} rejected ${rejected} late ${late} duplicates ${duplicates} filtered ${filtered}`;
  });
}
function wishedCounters({ counts, ledger }: ReturnType<typeof expectedOf>): string[] {
  const { read, flawed, late, duplicates, skipped, unshared } = counts;
  const decided = ledger.reduce((sum, rows) => sum + rows.length, 0);
  return [
    `records: in ${read} rejected ${flawed} late ${late} duplicates 0 filtered 0`,
    `once: in ${read - flawed - late} rejected 0 late 0 duplicates ${duplicates} filtered 0`,
    `ledger: in ${decided + skipped + unshared} rejected ${unshared} late 0 duplicates 0 filtered ${skipped}`,
  ];
}

function ofPartition({ rows }: SimSqlTable, partition: number): SimSqlRow[] {
  return rows.filter((row) => row.partition === partition);
}
