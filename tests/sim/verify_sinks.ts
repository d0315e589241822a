/**
 * Compares files, topics and the warehouse with the ledger table: they must tell its very rows, the time of each decision included, because
 * a replay that decided anew would differ in it.
 */
import type { SimDisk } from "../../src/sim/disk.ts";
import type { SimSqlRow } from "../../src/sim/sql_sink.ts";
import { publishedCsv, publishedParts } from "./file_sinks.ts";
import { ACCOUNT, fileLine, firstDifference, ID, jsonRow, tableLine } from "./ledger_lines.ts";
import { type Servers, STREAM } from "./pipeline.ts";
import type { Setup } from "./setup.ts";

export function fileProblems(setup: Setup, { tables }: Servers, disk: SimDisk): string[] {
  const problems: string[] = [];
  const ledger = tables.ledger.rows;
  const csv = publishedCsv(disk);
  if (csv === null) problems.push("there is no published CSV file with its header");
  const parts = publishedParts(disk);
  if (parts === null) problems.push("the manifest does not list the rolled files as they are");
  setup.records.forEach((_, partition) => {
    const table = ledger.filter((row) => row.partition === partition);
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
  const positionOf = new Map(ledger.map((row) => [`${row.values[ID]} ${row.values[ACCOUNT]}`, row.position]));
  const positions = (csv ?? []).map((row) => positionOf.get(`${row[ID]} ${row[ACCOUNT]}`) ?? -1);
  if (positions.some((position, index) => index > 0 && position < positions[index - 1]!)) problems.push("the CSV file is not sorted");
  return problems;
}

/** `topic`: run-time values, partition after partition. */
export function topicProblems(servers: Servers, topic: readonly (readonly unknown[])[]): string[] {
  return accountProblems("topic", servers, topic.map((row) => ({ account: Number(row[ACCOUNT]), line: tableLine(row) })));
}

/** What readers of committed records see of the simulated cluster. */
export function streamProblems(servers: Servers): string[] {
  const rows = servers.broker.committed(STREAM).flat().map(jsonRow);
  return accountProblems("stream", servers, rows.map((row) => ({ account: Number(row[ACCOUNT]), line: fileLine(row) })));
}

/** What the shipped SQL sink has committed. */
export function databaseProblems(servers: Servers): string[] {
  const rows = servers.database.rows.map(jsonRow);
  return accountProblems("database", servers, rows.map((row) => ({ account: Number(row[ACCOUNT]), line: fileLine(row) })));
}

export function warehouseProblems({ windowTokens }: Setup, servers: Servers): string[] {
  const { warehouse, tables } = servers;
  const problems = warehouse.conflicts.map((conflict) => `warehouse, one row with two contents: ${conflict}`);
  const lineOf = ({ values }: { readonly values: readonly string[] }) => ({ account: Number(values[ACCOUNT]), line: values.join("|") });
  problems.push(...accountProblems("warehouse", servers, warehouse.replaced().map(lineOf)));
  // Tokens are remembered for so many inserts: within them every row is there once, beyond them it is there at least.
  const wished = tables.ledger.rows.map(({ values }) => tableLine(values)).sort();
  const plain = warehouse.plain().map((row) => lineOf(row).line).sort();
  const isRemembered = windowTokens > wished.length;
  const difference = firstDifference(isRemembered ? plain : [...new Set(plain)], wished);
  if (difference !== null) problems.push(`rows under tokens: ${difference}`);
  return problems;
}

/** The order of each account is kept. */
function accountProblems(
  what: string,
  { tables }: Servers,
  found: readonly { readonly account: number; readonly line: string }[],
): string[] {
  const problems: string[] = [];
  const ledger = tables.ledger.rows;
  const accounts = new Set([...found.map(({ account }) => account), ...ledger.map((row) => Number(row.values[ACCOUNT]))]);
  for (const account of accounts) {
    const actual = found.filter((row) => row.account === account).map(({ line }) => line);
    const wished = ledger.filter((row) => row.values[ACCOUNT] === account).map((row) => tableLine(row.values));
    const difference = firstDifference(actual, wished);
    if (difference !== null) problems.push(`${what}, account ${account}: ${difference}`);
  }
  return problems;
}
