/** The card project on real servers: a database and a topic of its own for each test, its results read back by other clients. */
import assert from "node:assert/strict";
import { type CardsRun, inTemporaryFolder } from "../golden/command_line.ts";
import { goldenCases, inputFolder } from "../golden/cases.ts";
import { publishedCase } from "../golden/published.ts";
import { COLUMNS, type Expected, oracle } from "../oracle/cards.ts";
import { readInputs } from "../oracle/expected_files.ts";
import { PROFILES } from "../oracle/switches.ts";
import type { MysqlServer, Servers } from "./mod.ts";

/** The servers that the project needs. */
export type CardsServers = Pick<Servers, "kafka" | "mysql">;
/** What a test gets; everything in it is gone afterwards. */
export interface CardsOnServers {
  readonly database: string;
  readonly topic: string;
  readonly output: string;
  /** For `millrace` and `millraceLayer`: the project unchanged but for these variables. */
  readonly run: CardsRun & { readonly env: Readonly<Record<string, string>> };
}

let made = 0;

/** Runs `body` with a fresh database, an unused topic and a temporary output folder. */
export async function cardsOnServers(
  { kafka, mysql }: CardsServers,
  input: string,
  body: (cards: CardsOnServers) => Promise<void>,
): Promise<void> {
  const name = `millrace_${Deno.pid}_${crypto.randomUUID().slice(0, 8)}_${++made}`;
  await mysql.admin(`CREATE DATABASE ${name}`);
  try {
    await inTemporaryFolder(async (output) => {
      const url = new URL(mysql.url);
      url.pathname = name;
      const env = { CARDS_BACKEND: "servers", KAFKA_BROKERS: kafka.brokers, MYSQL_URL: url.href, CARDS_TOPIC: name };
      await body({ database: name, topic: name, output, run: { input, output, env } });
    });
  } finally {
    await mysql.start();
    await mysql.admin(`DROP DATABASE ${name}`);
  }
}

/** The published case's input where it lies beside the checkout, else the project's own. */
export async function publishedInput(): Promise<string> {
  const published = await publishedCase();
  return published === null ? edgesInput() : `${published.folder}input`;
}
/** The project's own input with every boundary of the rules and refused rows. */
export function edgesInput(): string {
  return inputFolder(goldenCases.find((golden) => golden.name === "edges")!);
}
/** What the rules say about an input. */
export function expectedOf(input: string): Expected {
  return oracle(readInputs(input), PROFILES["strict-zip"]);
}

const TIMES = new Set(["timestamp"]);

/** A table's rows in the order of its first column, as text; "" for null. */
export async function mysqlRows(mysql: MysqlServer, database: string, table: string, columns: readonly string[]): Promise<string[][]> {
  const selected = columns.map((name) => TIMES.has(name) ? `DATE_FORMAT(\`${name}\`, '%Y-%m-%d %H:%i:%s')` : `COALESCE(\`${name}\`, '')`);
  return await mysql.rows(`SELECT ${selected.join(", ")} FROM ${database}.${table} ORDER BY \`${columns[0]}\``);
}

/** The table that the stream writes has every payment once, with its reason. */
export async function assertDecisions(mysql: MysqlServer, database: string, expected: Expected): Promise<void> {
  const wished = expected.stream.map((row, index) => [row[0], expected.reasons[index], row[9]]).toSorted(byId);
  assert.deepEqual(await mysqlRows(mysql, database, "decisions", ["transaction_id", "decline_reason", "pending_balance"]), wished);
}
/** The result tables are those of the reference, row by row. */
export async function assertResultTables(mysql: MysqlServer, database: string, expected: Expected): Promise<void> {
  const tables = [
    ["stream_transactions", COLUMNS.stream, expected.stream],
    ["batch_transactions", COLUMNS.stream, expected.batch],
    ["cards_updated", COLUMNS.cards, expected.cards],
    ["customers_updated", COLUMNS.customers, expected.customers],
  ] as const;
  for (const [table, columns, rows] of tables) {
    assert.deepEqual(await mysqlRows(mysql, database, table, columns), rows.toSorted(byId), table);
  }
}

/** Compares the first columns as numbers. */
export function byId(a: readonly string[], b: readonly string[]): number {
  return Number(a[0]) - Number(b[0]);
}
