/** Replicas of a pipeline whose rows change lanes: each runs both stages and shares the partitions of both; one is killed on the way. */
import assert from "node:assert/strict";
import { type Client, makeTopic, newTopic, readTopic, withClient } from "../connectors/kafka/support/kafka_world.ts";
import { inTemporaryFolder, projectRoot } from "../golden/command_line.ts";
import { eventually } from "./instance.ts";
import { withServers } from "./mod.ts";

const PARTITIONS = 4;
const ACCOUNTS = 17;
const ROUNDS = 40;
const ROWS = 50;
const KILLED_AT = 25;
const ROUND_MS = 100;
const OUT_WITHIN_MS = 60_000;

interface Servers {
  readonly brokers: string;
  readonly kvUrl: string;
  readonly kvToken: string;
}

const project = (topic: string, { brokers, kvUrl, kvToken }: Servers): string =>
  `kind = "stream"
[epoch]
every       = "50ms"
records_max = 100
[state]
url   = "${kvUrl}"
token = "${kvToken}"
[connections.bus]
type    = "kafka"
brokers = "${brokers}"
[sources.payments]
connection      = "bus"
topic           = "${topic}"
key             = "id"
until           = "never"
session_timeout = "2s"
fields          = { id = "int", account = "string" }
[transforms.by_account]
type   = "repartition"
inputs = ["payments"]
key    = "account"
lanes  = ${PARTITIONS}
[transforms.counted]
type        = "decide"
inputs      = ["by_account"]
key         = "account"
after_rules = { count = "count + 1" }
emit        = { id = "id", account = "account", count = "count" }
[transforms.counted.state]
count = { as = "int", initial = "0" }
[sinks.out]
connection = "bus"
inputs     = ["counted"]
topic      = "${topic}-out"
key        = "account"
create     = { partitions = ${PARTITIONS} }
[sinks.rejects]
connection = "bus"
inputs     = ["*.rejected"]
topic      = "${topic}-rejects"
create     = { partitions = 1 }
`;

const startReplica = (folder: string): Deno.ChildProcess =>
  new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--unstable-kv", `${projectRoot()}/src/main.ts`, "run", folder, "--quiet"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();

/** Does nothing where it has ended. */
function end(replica: Deno.ChildProcess): void {
  try {
    replica.kill("SIGTERM");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

async function feed({ producer }: Client, topic: string, round: number): Promise<void> {
  const messages = Array.from({ length: ROWS }, (_, row) => {
    const id = round * ROWS + row;
    return { partition: id % PARTITIONS, key: String(id), value: `{"id":${id},"account":"a${id % ACCOUNTS}"}` };
  });
  await producer.send({ topic, messages });
  await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
}

/** How many there are at least: transactions leave marks too. */
async function seen({ admin }: Client, topic: string): Promise<number> {
  try {
    return (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0);
  } catch {
    return 0; // Not there yet.
  }
}

await withServers(
  "two replicas change the lanes of their rows, one is killed: each row once, in order",
  ["kafka", "denokv"],
  async (servers) => {
    const topic = newTopic("lanes");
    const places = { brokers: servers.kafka.brokers, kvUrl: servers.denokv.url, kvToken: servers.denokv.token };
    await inTemporaryFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/${topic}.toml`, project(topic, places));
      await withClient(places.brokers, async (client) => {
        await makeTopic(client, topic, PARTITIONS);
        const [victim, survivor] = [startReplica(folder), startReplica(folder)];
        try {
          for (let round = 0; round < ROUNDS; round++) {
            await feed(client, topic, round);
            if (round === KILLED_AT) victim.kill("SIGKILL");
          }
          assert.ok(await eventually(async () => await seen(client, `${topic}-out`) >= ROUNDS * ROWS, OUT_WITHIN_MS), "all rows come out");
          const rows = (await readTopic(client, `${topic}-out`, ROUNDS * ROWS)).map(({ value }) => JSON.parse(value!));
          assert.deepEqual(rows.map(({ id }) => id).toSorted((a, b) => a - b), Array.from({ length: ROUNDS * ROWS }, (_, id) => id));
          const counts = Map.groupBy(rows, ({ account }) => account);
          for (const [account, own] of counts) {
            assert.deepEqual(own.map(({ count }) => count), own.map((_, i) => i + 1), `the counts of ${account} go on one by one`);
          }
        } finally {
          for (const replica of [victim, survivor]) end(replica);
          await Promise.all([victim.status, survivor.status]);
        }
      });
    });
  },
);
