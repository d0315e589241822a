/** The banking project on real servers: a database and a topic of its own for each test, its table read back by another client. */
import assert from "node:assert/strict";
import { type CardsRun, inTemporaryFolder } from "../golden/command_line.ts";
import { type ForeignMessage, makeTopic, sendWithKafkajs } from "./foreign_client.ts";
import { eventually } from "./instance.ts";
import type { PostgresServer, Servers } from "./mod.ts";
import { type Running, startMillrace } from "./processes.ts";

export type BankingServers = Pick<Servers, "kafka" | "postgres">;
/** What a test gets; everything in it is gone afterwards. */
export interface Banking {
  readonly database: string;
  readonly topic: string;
  readonly output: string;
  readonly env: Readonly<Record<string, string>>;
}

let made = 0;

/** Runs `body` with a fresh database, an unused topic and a temporary output folder. */
export async function bankingOnServers({ kafka, postgres }: BankingServers, body: (banking: Banking) => Promise<void>): Promise<void> {
  const name = `millrace_${Deno.pid}_${crypto.randomUUID().slice(0, 8)}_${++made}`;
  const url = new URL(postgres.url);
  await postgres.admin(`CREATE DATABASE ${name} OWNER ${url.username}`);
  url.pathname = name;
  try {
    await inTemporaryFolder(async (output) => {
      const env = { BANKING_BACKEND: "servers", KAFKA_BROKERS: kafka.brokers, POSTGRES_URL: url.href, BANKING_TOPIC: name };
      await body({ database: name, topic: name, output, env });
    });
  } finally {
    await postgres.start();
    await postgres.admin(`DROP DATABASE ${name} WITH (FORCE)`);
  }
}

/** Starts `millrace WORDS -c config/banking`; settings as `--set` takes them. */
export function startBanking(
  { output, env }: Banking,
  words: readonly string[],
  set: readonly string[] = [],
  more: Readonly<Record<string, string>> = {},
): Running {
  const run: CardsRun = { input: output, output, set, env: { BANKING_OUTPUT: output, ...env, ...more } };
  return startMillrace([...words, "-c", "config/banking", "--quiet", "--json"], run);
}
/** What is read of an outcome. */
export interface Outcome {
  readonly pipeline: string;
  readonly status: string;
  readonly records: number;
  readonly rejected: number;
  readonly counters: Readonly<Record<string, Readonly<Record<string, number>>>>;
}
/** Runs to the end, which must be a good one. */
export async function bankingDone(banking: Banking, words: readonly string[], set: readonly string[] = []): Promise<readonly Outcome[]> {
  const { code, stdout, stderr } = await startBanking(banking, words, set).ended;
  assert.equal(code, 0, `${words.join(" ")}: ${stderr}`);
  return JSON.parse(stdout) as Outcome[];
}
/** Settings of a producer that sends so many payments at once. */
export const atOnce = (count: number, more: readonly string[] = []): string[] => [`params.count=${count}`, "params.rate=max", ...more];
/** Settings of a consumer that ends with its topic. */
export const TO_THE_END: readonly string[] = ["params.until=end"];

/** A payment as JSON text; `change` replaces fields, undefined removes one. */
export function payment(id: string, change: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    transaction_id: id,
    timestamp: "2026-02-21T12:34:56.120045",
    user_id: 2345,
    merchant: "Tesco",
    category: "Food",
    amount: 145.32,
    currency: "GBP",
    location: "London",
    status: "completed",
    ...change,
  });
}
/** Sends values as somebody else would, keyed like the producer's, into a topic that is made where it is missing. */
export async function send({ env, topic }: Banking, values: readonly (string | null)[], partitions = 1): Promise<void> {
  await makeTopic(env.KAFKA_BROKERS, topic, partitions);
  const messages = values.map((value, index): ForeignMessage => ({ partition: index % partitions, key: "2345", value }));
  await sendWithKafkajs(env.KAFKA_BROKERS, topic, messages);
}

/** Rows of a query, as psql shows them. */
export async function rowsOf(postgres: PostgresServer, { database }: Banking, sql: string): Promise<string[][]> {
  return await postgres.rows(`SET TimeZone = 'UTC'; ${sql}`, database);
}
/** Whether a consumer has made its table. */
export async function hasTable(postgres: PostgresServer, banking: Banking): Promise<boolean> {
  return (await rowsOf(postgres, banking, "SELECT to_regclass('raw_transactions')"))[0][0] !== "NULL";
}
/** How many payments are stored; 0 before there is a table. */
export async function storedCount(postgres: PostgresServer, banking: Banking): Promise<number> {
  return !(await hasTable(postgres, banking))
    ? 0
    : Number((await rowsOf(postgres, banking, "SELECT count(*) FROM raw_transactions"))[0][0]);
}
/** Waits until so many are stored. */
export async function untilStored(postgres: PostgresServer, banking: Banking, count: number): Promise<void> {
  let stored = 0;
  const enough = async () => (stored = await storedCount(postgres, banking).catch(() => 0)) >= count;
  assert.ok(await eventually(enough, 60_000), `${stored} of ${count} are stored`);
}
/** Where a consumer writes what is no payment. */
export function rejectsOf({ output }: Banking): readonly { readonly reason: string; readonly raw: string; readonly position: number }[] {
  const folder = `${output}/rejects/store`;
  const files = [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".ndjson")).map(({ name }) => `${folder}/${name}`);
  const lines = files.flatMap((file) => Deno.readTextFileSync(file).split("\n").filter((line) => line !== ""));
  return lines.map((line) => JSON.parse(line)).toSorted((a, b) => a.position - b.position);
}
