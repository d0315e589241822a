/** Compares what the sinks hold and what the engine counted with the model. */
import type { EngineResult } from "../../src/engine/run_contracts.ts";
import type { SimDisk } from "../../src/sim/disk.ts";
import type { SimSqlRow } from "../../src/sim/sql_sink.ts";
import { publishedCsv, publishedParts } from "./file_sinks.ts";
import { expectedOf, type LedgerRow, type RejectRow } from "./model.ts";
import { LEDGER_TYPE } from "./operators.ts";
import type { Servers } from "./pipeline.ts";
import type { Setup } from "./setup.ts";

/** What a run has left. */
export interface Outcome {
  readonly servers: Servers;
  readonly disk: SimDisk;
  /** Run-time values of the topic's records, partition after partition; null where there is none. */
  readonly topic: readonly (readonly unknown[])[] | null;
}

/** One line per difference; none when all is as it must be. */
export function problemsOf(setup: Setup, { servers, disk, topic }: Outcome, result: EngineResult): string[] {
  const expected = expectedOf(setup.records);
  const problems: string[] = [];
  const compare = (what: string, actual: readonly string[], wished: readonly string[]): void => {
    const difference = firstDifference(actual, wished);
    if (difference !== null) problems.push(`${what}: ${difference}`);
  };
  setup.records.forEach((_, partition) => {
    compare(`ledger of partition ${partition}`, ledgerLines(servers, partition), expected.ledger[partition]!.map(ledgerLine));
    compare(`rejects of partition ${partition}`, rejectLines(servers, partition), expected.rejects[partition]!.map(rejectLine));
  });
  const totals = servers.totals.rows.map((row) => row.values.join(" ")).sort();
  compare("totals", totals, expected.totals.map((row) => `${row.account} ${row.count} ${row.sumCents}`).sort());
  compare("counters", counterLines(result), wishedCounters(expected));
  problems.push(...fileProblems(setup, servers, disk));
  if (topic !== null) problems.push(...topicProblems(servers, topic));
  return problems;
}

/**
 * The files must tell the very rows of the table, the time of each decision included: a replay that decided anew would differ in it.
 */
function fileProblems(setup: Setup, servers: Servers, disk: SimDisk): string[] {
  const problems: string[] = [];
  const csv = publishedCsv(disk);
  if (csv === null) problems.push("there is no published CSV file with its header");
  const parts = publishedParts(disk);
  if (parts === null) problems.push("the manifest does not list the rolled files as they are");
  setup.records.forEach((_, partition) => {
    const table = ofPartition(servers.ledger.rows, partition);
    const differ = (what: string, actual: readonly string[][], wished: readonly SimSqlRow[]): void => {
      const difference = firstDifference(actual.map(fileLine), wished.map((row) => tableLine(row.values)));
      if (difference !== null) problems.push(`${what}, partition ${partition}: ${difference}`);
    };
    const ofThis = (row: string[]): boolean => Number(row[ACCOUNT]) % setup.records.length === partition;
    differ("CSV file", (csv ?? []).filter(ofThis), table);
    // Rolled files keep the order within a folder.
    for (const odd of [0, 1]) {
      const rows = (parts ?? []).filter((row) => ofThis(row) && Number(row[ACCOUNT]) % 2 === odd);
      differ(`rolled files of folder ${odd}`, rows, table.filter((row) => row.values[ACCOUNT] as number % 2 === odd));
    }
  });
  const positionOf = new Map(servers.ledger.rows.map((row) => [`${row.values[ID]} ${row.values[ACCOUNT]}`, row.position]));
  const positions = (csv ?? []).map((row) => positionOf.get(`${row[ID]} ${row[ACCOUNT]}`) ?? -1);
  if (positions.some((position, index) => index > 0 && position < positions[index - 1]!)) problems.push("the CSV file is not sorted");
  return problems;
}

/** A topic keeps the order of each key. */
function topicProblems(servers: Servers, topic: readonly (readonly unknown[])[]): string[] {
  const problems: string[] = [];
  const accounts = new Set([...topic.map((row) => row[ACCOUNT]), ...servers.ledger.rows.map((row) => row.values[ACCOUNT])]);
  for (const account of accounts) {
    const actual = topic.filter((row) => row[ACCOUNT] === account).map(tableLine);
    const wished = servers.ledger.rows.filter((row) => row.values[ACCOUNT] === account).map((row) => tableLine(row.values));
    const difference = firstDifference(actual, wished);
    if (difference !== null) problems.push(`topic, account ${account}: ${difference}`);
  }
  return problems;
}

function fileLine(row: readonly string[]): string {
  return row.map((text, index) => index === DECIDED_AT ? String(microsOf(text)) : text).join("|");
}
function tableLine(values: readonly unknown[]): string {
  return values.map((value, index) => index === AMOUNT || index === BALANCE ? (value as number / 100).toFixed(2) : String(value)).join("|");
}
/** Microseconds of an RFC 3339 time in UTC. */
function microsOf(text: string): number {
  const [, seconds, fraction] = /^(.{19})(?:\.(\d+))?(?:Z|\+00:00)$/.exec(text) ?? [];
  return Date.parse(`${seconds}Z`) * 1000 + Number((fraction ?? "").padEnd(6, "0"));
}

const [ID, ACCOUNT, AMOUNT, BALANCE, DECIDED_AT] = ["id", "account", "amount", "balance", "decided_at"].map((name) =>
  LEDGER_TYPE.fields.findIndex((field) => field.name === name)
) as [number, number, number, number, number];

/** In the order in which the table got them; the time of the decision is not the model's to know. */
function ledgerLines(servers: Servers, partition: number): string[] {
  return ofPartition(servers.ledger.rows, partition).map((row) =>
    [row.position, ...row.values.filter((_, index) => index !== DECIDED_AT)].map((value) => JSON.stringify(value)).join(" ")
  );
}
function ledgerLine(row: LedgerRow): string {
  const { position, id, account, amountCents, note, status, balanceCents, share } = row;
  return [position, id, account, amountCents, note, status, balanceCents, share].map((value) => JSON.stringify(value)).join(" ");
}

/** Sorted by position: a source's own rejects and an operator's need not keep one order. */
function rejectLines(servers: Servers, partition: number): string[] {
  const rows = servers.rejects.rows.map((row) => {
    const [, , ofPartition, position, , step, reason, raw] = row.values;
    return { partition: ofPartition as number, position: position as number, step, reason, raw } as RejectRow;
  });
  return rows.filter((row) => row.partition === partition).sort((a, b) => a.position - b.position).map(rejectLine);
}
function rejectLine(row: RejectRow): string {
  return `${row.position} ${row.step} ${row.reason} ${row.raw}`;
}

function counterLines(result: EngineResult): string[] {
  return ["records", "once", "ledger"].map((name) => {
    const counters = result.counters.get(name);
    if (counters === undefined) return `${name}: no counters`;
    return `${name}: in ${counters.in} rejected ${counters.rejected} duplicates ${counters.duplicates} filtered ${counters.filtered}`;
  });
}
function wishedCounters({ counts, ledger }: ReturnType<typeof expectedOf>): string[] {
  const { read, flawed, duplicates, skipped, unshared } = counts;
  const decided = ledger.reduce((sum, rows) => sum + rows.length, 0);
  return [
    `records: in ${read} rejected ${flawed} duplicates 0 filtered 0`,
    `once: in ${read - flawed} rejected 0 duplicates ${duplicates} filtered 0`,
    `ledger: in ${decided + skipped + unshared} rejected ${unshared} duplicates 0 filtered ${skipped}`,
  ];
}

function ofPartition(rows: readonly SimSqlRow[], partition: number): SimSqlRow[] {
  return rows.filter((row) => row.partition === partition);
}

/** Where two lists part, in words; null when they are equal. */
export function firstDifference(actual: readonly string[], wished: readonly string[]): string | null {
  for (let index = 0; index < Math.max(actual.length, wished.length); index++) {
    if (actual[index] === wished[index]) continue;
    return `row ${index + 1} of ${actual.length} is ${actual[index] ?? "missing"}, wished (of ${wished.length}) ${
      wished[index] ?? "nothing"
    }`;
  }
  return null;
}
