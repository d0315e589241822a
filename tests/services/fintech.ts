/** The fintech project on real servers: a database, a warehouse and topics of its own for each test. */
import assert from "node:assert/strict";
import { inTemporaryFolder } from "../golden/command_line.ts";
import { micros } from "../oracle/fintech/amounts.ts";
import type { Processor } from "../oracle/fintech/acceptance.ts";
import type { Message, TableName } from "../oracle/fintech/rows.ts";
import { type Ran, runMillrace, startMillrace } from "../support/clone.ts";
import { eventually } from "./instance.ts";
import { readCommittedWithKcat } from "./foreign_client.ts";
import type { ClickhouseServer, Servers } from "./mod.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname).replace(/\/$/, "");
export const TOPICS: Readonly<Record<Processor, string>> = {
  lifecycle: "customer_lifecycle",
  merchants: "merchant_performance",
  metrics: "customer_transaction_metrics",
  fraud: "customer_fraud_alerts",
};
const CHANGES: readonly TableName[] = ["customers", "accounts", "merchants", "customer_sessions", "transactions"];

export type FintechServers = Pick<Servers, "kafka" | "postgres"> & { readonly clickhouse: ClickhouseServer };
/** What a test gets; everything in it is gone afterwards. */
export interface Fintech {
  /** Of the database, the warehouse and the topics. */
  readonly name: string;
  readonly output: string;
  /** Runs `millrace run config/fintech PIPELINE...`; `more` are further variables. */
  run(pipelines: readonly string[], more?: Readonly<Record<string, string>>, set?: readonly string[]): Promise<Ran>;
  /** The same without end, and without waiting; the caller ends it. */
  start(pipelines: readonly string[], more?: Readonly<Record<string, string>>, set?: readonly string[]): Deno.ChildProcess;
  /** Rows of a query on the database. */
  sql(query: string): Promise<string[][]>;
  /** The values of a topic that are committed, in order. */
  topic(topic: string): Promise<Record<string, unknown>[]>;
}

let made = 0;

export async function fintechOnServers(servers: FintechServers, body: (fintech: Fintech) => Promise<void>): Promise<void> {
  const { kafka, postgres, clickhouse } = servers;
  const name = `millrace_${Deno.pid}_${crypto.randomUUID().slice(0, 8)}_${++made}`;
  const url = new URL(postgres.url);
  await postgres.admin(`CREATE DATABASE ${name} OWNER ${url.username}`);
  url.pathname = name;
  try {
    await inTemporaryFolder(async (output) => {
      const env = {
        FINTECH_BACKEND: "servers",
        FINTECH_OUTPUT: output,
        FINTECH_PREFIX: name,
        FINTECH_WINDOW_CLOCK: "event",
        KAFKA_BROKERS: kafka.brokers,
        POSTGRES_URL: url.href,
        CLICKHOUSE_URL: clickhouse.url,
        CLICKHOUSE_USER: clickhouse.user,
        CLICKHOUSE_PASSWORD: clickhouse.password,
        CLICKHOUSE_DATABASE: name,
      };
      const words = (pipelines: readonly string[], set: readonly string[]) => [
        ...["run", "config/fintech", ...pipelines, "--quiet", "--json"],
        ...set.flatMap((each) => ["--set", each]),
      ];
      await body({
        name,
        output,
        run: (pipelines, more = {}, set = []) => runMillrace(words(pipelines, set), ROOT, { ...env, ...more }),
        start: (pipelines, more = {}, set = []) =>
          startMillrace(words(pipelines, set), ROOT, { ...env, FINTECH_UNTIL: "never", FINTECH_FILES: "parts", ...more }),
        sql: (query) => postgres.rows(query, name),
        topic: async (topic) => (await readCommittedWithKcat(kafka.brokers, `${name}.${topic}`)).map(({ value }) => JSON.parse(value)),
      });
    });
  } finally {
    await postgres.start();
    await postgres.admin(`SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '${name}'`);
    await postgres.admin(`DROP DATABASE ${name} WITH (FORCE)`);
    await clickhouse.start();
    await clickhouse.admin(`DROP DATABASE IF EXISTS ${name}`);
  }
}

/** Runs to the end, which must be a good one. */
export async function done(fintech: Fintech, pipelines: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<void> {
  const { code, output } = await fintech.run(pipelines, more);
  assert.equal(code, 0, `${pipelines.join(" ")}: ${output}`);
}

/** Fills the bank: frozen and inactive accounts, and transactions that commit in the order of their numbers. */
export async function produce(fintech: Fintech, transactions: number): Promise<void> {
  await done(fintech, ["population", "accounts"], { FINTECH_VARIANT: "unusual" });
  await done(fintech, ["produce"], { FINTECH_TRANSACTIONS: String(transactions), FINTECH_BANK: "append" });
}

/** The changes on the topics as the model takes them: tables first, as a bounded run reads them. */
export async function changesOf(fintech: Fintech): Promise<Message[]> {
  const clock = micros("2025-09-05T06:00:00Z")!;
  const messages: Message[] = [];
  for (const table of CHANGES) {
    for (const value of await fintech.topic(`public.${table}`)) messages.push({ table, value, clock });
  }
  return messages;
}

/** Follows the database's changes while it is filled, and on until all of them are on the topics; `more` may kill it again and again. */
export async function captured(
  fintech: Fintech,
  transactions: number,
  more: (life: number) => Readonly<Record<string, string>> = () => ({}),
): Promise<{ readonly kills: number }> {
  let kills = 0;
  let stopping = false;
  const running: { child?: Deno.ChildProcess } = {};
  const following = (async () => {
    for (let life = 0; !stopping; life++) {
      running.child = fintech.start(["capture"], more(life), ["epoch.records_max=500"]);
      const { signal, code, stderr } = await running.child.output();
      if (signal === "SIGKILL") kills++;
      else assert.ok(stopping && code === 0, new TextDecoder().decode(stderr));
    }
  })();
  try {
    // Only what commits behind the slot's beginning is a change; what is there before is copied, in the order of the table.
    const hasSlot = async () => (await fintech.sql(`SELECT 1 FROM pg_replication_slots WHERE database = '${fintech.name}'`)).length > 0;
    assert.ok(await eventually(hasSlot, 60_000), "the slot is made");
    await produce(fintech, transactions);
    for (const table of CHANGES) {
      const [[wished]] = await fintech.sql(`SELECT count(*) FROM ${table}`);
      let there = 0;
      const all = async () => (there = (await fintech.topic(`public.${table}`)).length) >= Number(wished);
      assert.ok(await eventually(all, 90_000), `${there} of ${wished} changes of ${table} are on the topic`);
    }
  } finally {
    stopping = true;
    running.child?.kill("SIGTERM");
    await following;
  }
  return { kills };
}
