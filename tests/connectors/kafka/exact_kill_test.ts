/**
 * Pipelines into a topic, run by the command line and killed by SIGKILL until they are done, at counted protocol steps and in the middle of
 * a transaction: readers of committed records see each row once.
 */
import assert from "node:assert/strict";
import type { ProtocolStep } from "../../../src/ports/probe.ts";
import { type Ended, inTemporaryFolder, projectRoot } from "../../golden/command_line.ts";
import { lackingKcat, readCommittedWithKcat } from "../../services/foreign_client.ts";
import { type AllServers, withServers } from "../../services/mod.ts";
import { API, meddlerBefore } from "./support/meddler.ts";
import { makeTopic, newTopic, withClient } from "./support/kafka_world.ts";

const ROWS = 300;
const EPOCH_ROWS = 10;
const LIVES_MAX = 60;

/** One death a life; when they are used up, the run may end. */
const DEATHS: readonly Readonly<Record<string, string>>[] = [
  ...([
    ["take_over", 1],
    ["fenced", 1],
    ["intent_written", 1],
    ["intent_written", 2],
    ["sink_delivered", 1],
    ["sink_delivered", 2],
    ["sink_delivered", 3],
    ["state_written", 1],
    ["state_written", 2],
    ["intent_written", 3],
    ["head_flipped", 1],
    ["sink_delivered", 1],
    ["loaded", 1],
    ["intent_written", 1],
    ["epoch_closed", 2],
    ["sink_delivered", 2],
  ] satisfies [ProtocolStep, number][]).map(([step, count]) => ({ MILLRACE_KILL_AT: `${step}:${count}` })),
  ...[3, 7, 9, 11, 13, 17].map((steps) => ({ MILLRACE_KILL_AFTER_STEPS: String(steps) })),
  { MILLRACE_KILL_AT: "finishing:1" },
];

/** One life; `born` is given the way to end it. */
type Run = (env: Readonly<Record<string, string>>, born?: (kill: () => void) => void) => Promise<Ended>;

/** A project of one pipeline, whose name is the folder's own: it is part of the transactional ids. */
async function inProject(pipeline: string, body: (run: Run) => Promise<void>) {
  await inTemporaryFolder(async (folder) => {
    const name = `kills${crypto.randomUUID().slice(0, 8)}`;
    const csv = ["id,amount", ...Array.from({ length: ROWS }, (_, id) => `${id},${id}.25`)].join("\n");
    await Deno.writeTextFile(`${folder}/rows.csv`, `${csv}\n`);
    await Deno.writeTextFile(`${folder}/${name}.toml`, pipeline);
    await body(async (env, born) => {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", `${projectRoot()}/src/main.ts`, "run", `${name}.toml`, "--quiet"],
        cwd: folder,
        env: { NO_COLOR: "1", ...env },
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      born?.(() => child.kill("SIGKILL"));
      const { code, signal, stdout, stderr } = await child.output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      return { code, killed: signal === "SIGKILL", stdout: text(stdout), stderr: text(stderr) };
    });
  });
}

/** How often it was killed. */
async function liveUntilDone(run: Run): Promise<number> {
  let kills = 0;
  for (let life = 0; life < LIVES_MAX; life++) {
    const { code, killed, stderr } = await run(DEATHS[life] ?? {});
    if (killed) kills++;
    else {
      assert.equal(code, 0, `life ${life}: ${stderr}`);
      assert.ok(life >= DEATHS.length, `done in life ${life}: the deaths behind it were not died`);
      return kills;
    }
  }
  throw new Error(`not done after ${LIVES_MAX} lives`);
}

const ALL = Array.from({ length: ROWS }, (_, id) => id);
async function seen(brokers: string, topic: string): Promise<number[]> {
  const messages = await readCommittedWithKcat(brokers, topic);
  return messages.map(({ value }) => JSON.parse(value).id as number);
}
const headOf = (brokers: string) =>
  `kind = "stream"\n[epoch]\nrecords_max = ${EPOCH_ROWS}\n[connections.bus]\ntype = "kafka"\nbrokers = "${brokers}"\n`;
const FIELDS = 'fields = { id = "int", amount = "decimal(2)" }';
const fileIntoTopic = (brokers: string, topic: string) =>
  `${headOf(brokers)}
[sources.rows]
type = "csv"
path = "rows.csv"
${FIELDS}
[sinks.topic]
connection = "bus"
inputs = ["rows"]
topic = "${topic}"
create = { partitions = 1 }
`;

const noKcat = await lackingKcat();
/** Committed rows are read with kcat: kafkajs shows some of aborted transactions too. */
async function withKafkaAndKcat(name: string, body: (servers: Pick<AllServers, "kafka">) => Promise<void>): Promise<void> {
  if (noKcat !== null) return Deno.test(`SKIPPED (no kcat: ${noKcat}): ${name}`, () => {});
  await withServers(name, ["kafka"], body);
}

await withKafkaAndKcat(
  `a file into a topic, killed ${DEATHS.length} times: each row once, in order`,
  async ({ kafka: { brokers } }) => {
    const topic = newTopic("kills");
    await inProject(fileIntoTopic(brokers, topic), async (run) => {
      assert.equal(await liveUntilDone(run), DEATHS.length);
      assert.deepEqual(await seen(brokers, topic), ALL);
    });
  },
);

await withKafkaAndKcat(
  `a topic into a topic, two lanes, killed ${DEATHS.length} times: each row once`,
  async ({ kafka: { brokers } }) => {
    const [input, output] = [newTopic("in"), newTopic("out")];
    await withClient(brokers, async (client) => {
      await makeTopic(client, input, 2);
      const messages = ALL.map((id) => ({ partition: id % 2, key: String(id), value: `{"id":${id},"amount":${id}.25}` }));
      await client.producer.send({ topic: input, messages });
    });
    const pipeline = `${headOf(brokers)}
[sources.rows]
connection = "bus"
topic = "${input}"
key = "id"
${FIELDS}
[sinks.topic]
connection = "bus"
inputs = ["rows"]
topic = "${output}"
key = "id"
create = { partitions = 3 }
`;
    await inProject(pipeline, async (run) => {
      assert.equal(await liveUntilDone(run), DEATHS.length);
      const ids = await seen(brokers, output);
      assert.deepEqual(ids.toSorted((a, b) => a - b), ALL);
    });
  },
);

/** Requests at which a process dies, the how-manieth of its life, and whether the request still arrives. */
const IN_TRANSACTIONS = [API.produce, API.commitMarker, API.endTransaction].flatMap((api) =>
  [1, 3].flatMap((count) => [{ api, count, arrives: false }, { api, count, arrives: true }])
);

await withKafkaAndKcat(
  `a file into a topic, killed ${IN_TRANSACTIONS.length} times inside transactions: each row once, in order`,
  async ({ kafka: { brokers } }) => {
    await using meddler = meddlerBefore(brokers);
    const topic = newTopic("inside");
    await inProject(fileIntoTopic(meddler.brokers, topic), async (run) => {
      for (const { api, count, arrives } of IN_TRANSACTIONS) {
        let left = count;
        const { killed, stderr } = await run({}, (kill) => {
          meddler.meddle = (asked) => {
            if (asked !== api || --left !== 0) return "pass";
            kill();
            return arrives ? "pass" : "cut";
          };
        });
        assert.ok(killed, stderr);
      }
      // The last life only loses what it hears: it takes its lane over again and goes on.
      let ends = 0;
      meddler.meddle = (asked) => {
        if (asked !== API.endTransaction) return "pass";
        return ++ends === 2 ? "cut_answer" : ends === 4 ? "cut" : "pass";
      };
      const { code, stderr } = await run({});
      assert.equal(code, 0, stderr);
      assert.ok(ends >= 4, `${ends} transactions were left`);
      assert.deepEqual(await seen(brokers, topic), ALL);
    });
  },
);
