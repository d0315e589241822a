/**
 * Two owners, one of them frozen: a process is stopped by SIGSTOP in the middle of an epoch, the intent written and nothing delivered;
 * another one takes over and goes on; the first wakes up and goes on as if nothing had been. Whatever the sink: it writes nothing, and every row is there once.
 */
import assert from "node:assert/strict";
import { inTemporaryFolder } from "../golden/command_line.ts";
import { expectedRows, isExact, judge, messagesOf, PARTITIONS } from "../reliability/ledger.ts";
import { project } from "../reliability/ordeal.ts";
import { freshName } from "../reliability/target.ts";
import { openerOf, type SinkName, SINKS } from "../reliability/targets.ts";
import { makeTopic, readByGroup, sendWithKafkajs } from "./foreign_client.ts";
import { eventually } from "./instance.ts";
import { type AllServers, type ServerName, withServers } from "./mod.ts";
import { type Running, startMillrace } from "./processes.ts";
import { lackingS3 } from "./s3_server.ts";

const SESSION_TIMEOUT_MS = 2_000;
const PAYMENTS = 1_200;
const BEFORE = 800;
const COVERED_WITHIN_MS = 60_000;
/** Behind some whole epochs, with the next one open. */
const FREEZE_AT = "intent_written:6";
const EVERY_PARTITION = /partitions_assigned.*partitions="0,1"/;
const ONE_PARTITION = /partitions_assigned.* partitions=\d/;

const head = ({ url, token }: AllServers["denokv"], folder: string): string =>
  `[state]
url    = "${url}"
token  = "${token}"
folder = "${folder}/state"

[epoch]
every       = "50ms"
records_max = 20

`;
const ENDLESS = `until      = "never"\nsession_timeout = "${SESSION_TIMEOUT_MS}ms"\n`;

for (const sink of SINKS) {
  const name = `${sink}: who was frozen in the middle of an epoch writes nothing when it wakes up behind its successor`;
  const lacking = sink === "s3" ? await lackingS3() : null;
  if (lacking !== null) {
    Deno.test(`SKIPPED (${lacking}): ${name}`, () => {});
    continue;
  }
  const own: readonly ServerName[] = sink === "files" || sink === "s3" || sink === "kafka" ? [] : [sink];
  await withServers(name, ["kafka", "denokv", ...own], (servers) => freeze(sink, servers));
}

async function freeze(sink: SinkName, { kafka, denokv }: Pick<AllServers, "kafka" | "denokv">): Promise<void> {
  const target = await openerOf(sink, "endless")();
  if ("skipped" in target) throw new Error(target.skipped);
  const topic = freshName();
  await makeTopic(kafka.brokers, topic, PARTITIONS);
  const send = (from: number, to: number) => sendWithKafkajs(kafka.brokers, topic, messagesOf(from, to));
  await send(0, BEFORE);
  await inTemporaryFolder(async (folder) => {
    const place = await target.place(folder);
    // Its name is that of the pipeline, and so of the group: another one for each test.
    const pipeline = `frozen_${sink}_${freshName().slice(-8)}`;
    const connection = `type = "kafka"\nbrokers = "${kafka.brokers}"\n`;
    await Deno.writeTextFile(
      `${folder}/${pipeline}.toml`,
      project(connection, topic, `${place.toml}${REJECTS(kafka.brokers, topic)}`, { head: head(denokv, folder), source: ENDLESS }),
    );
    const start = (env: Readonly<Record<string, string>> = {}) =>
      startMillrace(["run", `${folder}/${pipeline}.toml`, "--quiet"], { input: folder, output: folder, env: { ...place.env, ...env } });
    // What was read is in a checkpoint before the group is told of it.
    const covered = async (rows: number, by: Running) => {
      let seen = 0;
      const isThere = async () => (seen = await readByGroup(kafka.brokers, `millrace.${pipeline}.payments`, topic)) >= rows;
      assert.ok(await eventually(isThere, COVERED_WITHIN_MS), `${seen} of ${rows} payments are covered:\n${by.said()}`);
    };
    const started: Running[] = [];
    try {
      const frozen = start({ MILLRACE_FREEZE_AT: FREEZE_AT });
      started.push(frozen);
      await frozen.frozen();
      const successor = start();
      started.push(successor);
      await successor.says(EVERY_PARTITION);
      await covered(BEFORE, successor);
      frozen.thaw();
      await frozen.says(/lane_lost/);
      await frozen.says(ONE_PARTITION);
      await send(BEFORE, PAYMENTS);
      await covered(PAYMENTS, successor);
      await eventually(async () => await place.visible() === PAYMENTS, COVERED_WITHIN_MS);
      for (const each of started) each.stop();
      for (const each of started) assert.equal((await each.ended).code, 0, each.said());
      for (const { sink: shelf, content, rows } of place.shelves) {
        const verdict = judge(expectedRows(PAYMENTS, content), await rows());
        assert.ok(isExact(verdict), `${shelf}: ${JSON.stringify(verdict, null, 2)}\n${frozen.said()}`);
      }
    } finally {
      for (const each of started) each.kill();
      await Promise.all(started.map(({ ended }) => ended));
      await place.remove();
    }
  });
}

await withServers(
  "an owner without a shared store stays the owner while it is frozen: a second process is refused",
  ["kafka"],
  async ({ kafka }) => {
    const target = await openerOf("files", "bounded")();
    if ("skipped" in target) throw new Error(target.skipped);
    const topic = freshName();
    await makeTopic(kafka.brokers, topic, PARTITIONS);
    await sendWithKafkajs(kafka.brokers, topic, messagesOf(0, BEFORE));
    await inTemporaryFolder(async (folder) => {
      const place = await target.place(folder);
      await Deno.writeTextFile(`${folder}/store.toml`, project(`type = "kafka"\nbrokers = "${kafka.brokers}"\n`, topic, place.toml));
      const words = ["run", `${folder}/store.toml`, "--quiet", "--set", `state=${folder}/state`];
      const start = (env: Readonly<Record<string, string>> = {}) =>
        startMillrace(words, { input: folder, output: folder, set: ["epoch.records_max=20"], env });
      const first = start({ MILLRACE_FREEZE_AT: FREEZE_AT });
      try {
        await first.frozen();
        const second = await start().ended;
        assert.equal(second.code, 3, second.stderr);
        assert.match(second.stderr, /error\[owned\]/);
        first.thaw();
        const { code, stderr } = await first.ended;
        assert.equal(code, 0, stderr);
        for (const { sink, content, rows } of place.shelves) assert.ok(isExact(judge(expectedRows(BEFORE, content), await rows())), sink);
      } finally {
        first.kill();
        await first.ended;
      }
    });
  },
);

/** A topic, so that replicas share it wherever their own rows go. */
const REJECTS = (brokers: string, topic: string): string => `
[connections.aside]
type    = "kafka"
brokers = "${brokers}"

[sinks.refused]
connection = "aside"
inputs     = ["*.rejected"]
topic      = "${topic}-refused"
create     = { partitions = 1 }
`;
