/**
 * Replicas of one stateful pipeline as processes, against one broker and one checkpoint store; what they are fed, and what must
 * come out, reckoned by hand: a running count and balance per account, so that a lost, doubled or reordered record shows.
 */
import assert from "node:assert/strict";
import { makeTopic, newTopic, withClient } from "../connectors/kafka/support/kafka_world.ts";
import { inTemporaryFolder, projectRoot } from "../golden/command_line.ts";
import { lackingKcat, readCommittedWithKcat } from "./foreign_client.ts";
import { eventually } from "./instance.ts";
import { type AllServers, withServers } from "./mod.ts";

export const PARTITIONS = 4;
const ACCOUNTS = 40;
const SAID_WITHIN_MS = 60_000;
const OUT_WITHIN_MS = 120_000;
const FEED_EVERY_MS = 40;
/** Short, so that the tests are; the broker of the tests allows it. */
export const SESSION_TIMEOUT_MS = 2_000;

export interface Replica {
  readonly name: string;
  readonly ended: Promise<{ readonly code: number; readonly signal: string | null; readonly stdout: string }>;
  /** All it has said so far. */
  said(): string;
  /** Waits until it says so, looking only at what it says from now on where `since` is its length so far. */
  says(pattern: RegExp, since?: number): Promise<void>;
  signal(name: Deno.Signal): void;
}
export interface Replicas {
  readonly folder: string;
  start(name: string, env?: Readonly<Record<string, string>>): Replica;
  /** Sends records, some every few milliseconds, until `stop`; more than one may run after the other. */
  feed(): { stop(): Promise<void> };
  /** Sends this many at once. */
  send(records: number): Promise<void>;
  /** How many rows readers of committed records can see, at least. */
  out(): Promise<number>;
  /** Waits until readers see at least so many. */
  waitForOut(rows: number): Promise<void>;
  /** Waits until everything sent has come out, and compares it with the reference. */
  verify(): Promise<void>;
  /** By partition: how far the group has read, as its tools see it. */
  groupOffsets(): Promise<readonly number[]>;
  sent(): number;
}

const project = (brokers: string, input: string, output: string): string =>
  `workers = "\${WORKERS:-1}"

[state]
url   = "\${KV_URL:-}"
token = "\${KV_TOKEN:-}"

[epoch]
every       = "50ms"
records_max = "\${EPOCH_ROWS:-100}"

[connections.bus]
type    = "kafka"
brokers = "${brokers}"

[sources.payments]
connection      = "bus"
topic           = "${input}"
fields          = { id = "int", account = "int", amount = "decimal(2)" }
key             = "account"
until           = "\${UNTIL:-never}"
member          = "\${MEMBER:-}"
session_timeout = "\${SESSION:-${SESSION_TIMEOUT_MS}ms}"

[transforms.balances]
type        = "decide"
inputs      = ["payments"]
key         = "account"
after_rules = { balance = "balance + amount", count = "count + 1" }
emit        = { id = "id", account = "account", amount = "amount", balance = "balance", count = "count" }

[transforms.balances.state]
balance = { as = "decimal(2)", initial = "0.00" }
count   = { as = "int", initial = "0" }

[sinks.out]
connection          = "bus"
inputs              = ["balances"]
topic               = "${output}"
key                 = "account"
create              = { partitions = ${PARTITIONS} }
transaction_timeout = "5s"

[sinks.refused]
connection = "bus"
inputs     = ["*.rejected"]
topic      = "${output}-refused"
create     = { partitions = 1 }
`;

/** A test of replicas; skipped by name where servers, or kcat to read their results, cannot be had. */
export async function testReplicas(
  name: string,
  wanted: readonly ("kafka" | "denokv")[],
  body: (replicas: Replicas, servers: Pick<AllServers, "kafka" | "denokv">, test: Deno.TestContext) => Promise<void>,
): Promise<void> {
  const lacking = await lackingKcat();
  if (lacking !== null) return Deno.test(`SKIPPED (no kcat: ${lacking}): ${name}`, () => {});
  await withServers(name, wanted, (servers, test) => withReplicas(servers, (replicas) => body(replicas, servers, test)));
}

interface Row {
  readonly id: number;
  readonly account: number;
  readonly cents: number;
}
const rowOf = (id: number): Row => ({ id, account: (id * 7) % ACCOUNTS, cents: (id * 13) % 1000 + 1 });
const money = (cents: number): string => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;

/** Runs `body` with topics and a project of its own; ends all replicas that are left. */
async function withReplicas(
  { kafka, denokv }: Pick<AllServers, "kafka"> & Partial<Pick<AllServers, "denokv">>,
  body: (replicas: Replicas) => Promise<void>,
) {
  const [input, output] = [newTopic("payments"), newTopic("balances")];
  const name = `r${crypto.randomUUID().slice(0, 8)}`;
  const started: Replica[] = [];
  const feeds: (() => void)[] = [];
  await inTemporaryFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/${name}.toml`, project(kafka.brokers, input, output));
    await withClient(kafka.brokers, async (client) => {
      await makeTopic(client, input, PARTITIONS);
      // What is sent again over a broker's restart must be there once: it is what the reference counts.
      const feeder = client.kafka.producer({
        idempotent: true,
        maxInFlightRequests: 1,
        createPartitioner: () => ({ message }) => message.partition!,
      });
      await feeder.connect();
      let next = 0;
      const send = async (records: number) => {
        const rows = Array.from({ length: records }, () => rowOf(next++));
        const messages = rows.map(({ id, account, cents }) => ({
          partition: account % PARTITIONS,
          key: String(account),
          value: `{"id":${id},"account":${account},"amount":${money(cents)}}`,
        }));
        await feeder.send({ topic: input, acks: -1, messages });
      };
      const out = async () => {
        try {
          const offsets = await client.admin.fetchTopicOffsets(output);
          return offsets.reduce((sum, { high }) => sum + Number(high), 0);
        } catch {
          return 0; // Not there yet, or no broker.
        }
      };
      const replicas: Replicas = {
        folder,
        start: (replica, env = {}) => {
          const one = startReplica(folder, name, replica, { ...(denokv ? { KV_URL: denokv.url, KV_TOKEN: denokv.token } : {}), ...env });
          started.push(one);
          return one;
        },
        send,
        feed: () => {
          let isOver = false;
          feeds.push(() => void (isOver = true));
          const loop = (async () => {
            while (!isOver) {
              await send(20);
              await new Promise((resolve) => setTimeout(resolve, FEED_EVERY_MS));
            }
          })();
          loop.catch(() => {}); // Told by `stop`, where the test comes so far.
          return {
            stop: () => {
              isOver = true;
              return loop;
            },
          };
        },
        out,
        waitForOut: async (rows) => {
          assert.ok(
            await eventually(async () => await out() >= rows, OUT_WITHIN_MS),
            `${rows} rows come out, not ${await out()}${all(started)}`,
          );
        },
        sent: () => next,
        groupOffsets: async () => {
          const [topic] = await client.admin.fetchOffsets({ groupId: `millrace.${name}.payments`, topics: [input] });
          return topic.partitions.toSorted((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset));
        },
        verify: async () => {
          // Transactions leave a mark in each partition, so this is reached early; what is missing then is waited for below.
          await replicas.waitForOut(next);
          const values = await readAll(() => readCommittedWithKcat(kafka.brokers, output), next);
          assertBalances(values.map(({ value }) => JSON.parse(value)), next, all(started));
        },
      };
      try {
        await body(replicas);
      } finally {
        for (const stop of feeds) stop();
        for (const replica of started) replica.signal("SIGKILL");
        await Promise.all(started.map(({ ended }) => ended));
        await feeder.disconnect();
      }
    });
  });
}

async function readAll<T>(read: () => Promise<readonly T[]>, count: number): Promise<readonly T[]> {
  const deadline = performance.now() + OUT_WITHIN_MS;
  for (;;) {
    const found = await read();
    if (found.length >= count || performance.now() > deadline) return found;
  }
}

interface Balance {
  readonly id: number;
  readonly account: number;
  readonly balance: number;
  readonly count: number;
}

/** Each account's rows, in order, are exactly what a running total over its records gives. */
function assertBalances(found: readonly Balance[], sent: number, said: string): void {
  const wished = new Map<number, string[]>();
  const totals = new Map<number, { cents: number; count: number }>();
  for (let id = 0; id < sent; id++) {
    const { account, cents } = rowOf(id);
    const before = totals.get(account) ?? { cents: 0, count: 0 };
    const after = { cents: before.cents + cents, count: before.count + 1 };
    totals.set(account, after);
    wished.set(account, [...wished.get(account) ?? [], `${id} ${money(after.cents)} ${after.count}`]);
  }
  const seen = new Map<number, string[]>();
  for (const { id, account, balance, count } of found) {
    seen.set(account, [...seen.get(account) ?? [], `${id} ${balance.toFixed(2)} ${count}`]);
  }
  for (const [account, rows] of wished) {
    assert.deepEqual(seen.get(account) ?? [], rows, `account ${account}, of ${sent} records sent and ${found.length} rows found${said}`);
  }
  assert.equal(found.length, sent);
}

const all = (replicas: readonly Replica[]): string => replicas.map((one) => `\n--- ${one.name}:\n${one.said().slice(-3000)}`).join("");

function startReplica(folder: string, pipeline: string, name: string, env: Readonly<Record<string, string>>): Replica {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      `${projectRoot()}/src/main.ts`,
      "run",
      `${pipeline}.toml`,
      "--quiet",
      "--json",
      "--set",
      `state=${folder}/state-${name}`,
    ],
    cwd: folder,
    env: { NO_COLOR: "1", MILLRACE_LOG: "info", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let said = "";
  let isOver = false;
  const listen = async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) said += text;
  };
  const ended = Promise.all([child.status, new Response(child.stdout).text(), listen()]).then(([{ code, signal }, stdout]) => {
    isOver = true;
    return { code, signal, stdout };
  });
  return {
    name,
    ended,
    said: () => said,
    says: async (pattern, since = 0) => {
      const has = () => pattern.test(said.slice(since));
      await eventually(() => Promise.resolve(isOver || has()), SAID_WITHIN_MS);
      assert.ok(has(), `${name} ${isOver ? "ended" : "went on"} without saying ${pattern}:\n${said}`);
    },
    signal: (signal) => {
      if (!isOver) child.kill(signal);
    },
  };
}
