/** One transaction an epoch: whatever the sink learns of what the broker did, readers of committed records see each row once. */
import assert from "node:assert/strict";
import type { RecordType } from "../../../src/data/types.ts";
import type { EpochStamp, Marker, Sink, SinkLane } from "../../../src/engine/contracts.ts";
import { withServers } from "../../services/mod.ts";
import { plan } from "../support/project.ts";
import { batchOf } from "../support/rows.ts";
import { connectionToml, loggedWorld, newTopic, readTopic, withClient } from "./support/kafka_world.ts";
import { API, type Fate, meddlerBefore } from "./support/meddler.ts";

const KAFKA = ["kafka"] as const;
const PIPELINE = "p";

interface Opened {
  readonly sink: Sink;
  readonly input: RecordType;
  readonly lanes: readonly SinkLane[];
  /** Ten rows an epoch and lane: lane * 1000 + epoch * 10 and on. */
  deliver(lane: number, epoch: number): Promise<void>;
}
interface Wished {
  readonly brokers: string;
  readonly topic: string;
  readonly run?: string;
  readonly lanes?: number;
  readonly more?: string;
  readonly epochMs?: number;
  readonly requestTimeout?: string;
}

/** One process's sink. All tests share a cluster: the sink's name is the topic's, and with it the transactional id. */
async function opened({ brokers, topic, run = "r", lanes = 1, more = "", epochMs, requestTimeout }: Wished): Promise<Opened> {
  const blueprint = await plan(`${connectionToml(brokers, "", requestTimeout)}
[sources.in]
type = "csv"
path = "x"
fields = { id = "int" }
[sinks.${topic.replaceAll("-", "_")}]
connection = "bus"
inputs = ["in"]
topic = "${topic}"
create = { partitions = 2 }
${more}`);
  const { plan: planned, input } = blueprint.sinks.find(({ type }) => type === "kafka")!;
  const sink = planned.create(loggedWorld());
  await sink.open({ pipeline: PIPELINE, run, lanes, fresh: true, epochMs });
  const made = Array.from({ length: lanes }, (_, lane) => sink.lane(lane));
  return {
    sink,
    input,
    lanes: made,
    deliver: async (lane, epoch) => {
      made[lane].discard();
      const ids = idsOf(lane, epoch);
      made[lane].write(batchOf(input, ids.map((id) => [id]), ids[0]));
      await made[lane].deliver(stampOf(lane, epoch, run));
    },
  };
}
const stampOf = (lane: number, epoch: number, run = "r"): EpochStamp => ({
  pipeline: PIPELINE,
  run,
  lane,
  epoch,
  owner: 1,
  digest: digestOf(lane, epoch),
  timeMicros: epoch,
});
const digestOf = (lane: number, epoch: number) => `${lane}/${epoch}`;
const markerOf = (lane: number, epoch: number): Marker => ({ epoch, digest: digestOf(lane, epoch) });
const idsOf = (lane: number, epoch: number): number[] => Array.from({ length: 10 }, (_, i) => lane * 1000 + epoch * 10 + i);
const idsUpTo = (lane: number, epoch: number): number[] => Array.from({ length: epoch }, (_, i) => idsOf(lane, i + 1)).flat();

/** Sorted ids, as a reader sees them. */
async function ids(brokers: string, topic: string, count: number, which: "committed" | "all" = "committed"): Promise<number[]> {
  const messages = await withClient(brokers, (client) => readTopic(client, topic, count, which));
  return messages.map(({ value }) => JSON.parse(value!).id as number).sort((a, b) => a - b);
}

await withServers(
  "an epoch that is there is not written again, and its marker outlives the process",
  KAFKA,
  async ({ kafka: { brokers } }) => {
    const topic = newTopic("twice");
    const first = await opened({ brokers, topic });
    assert.equal(first.sink.guarantee, "exactly-once");
    assert.equal(await first.lanes[0].fence(1), null);
    await first.deliver(0, 1);
    await first.deliver(0, 1);
    await first.lanes[0].deliver(stampOf(0, 2)); // No rows: nothing is written.
    await first.deliver(0, 3);
    await assert.rejects(first.deliver(0, 2), { code: "fenced" });
    await first.sink.close();
    const second = await opened({ brokers, topic });
    assert.deepEqual(await second.lanes[0].fence(2), markerOf(0, 3));
    await second.deliver(0, 3);
    await second.sink.finish();
    await second.sink.close();
    assert.deepEqual(await ids(brokers, topic, 20), [...idsOf(0, 1), ...idsOf(0, 3)]);
    const other = await opened({ brokers, topic, run: "another" });
    assert.equal(await other.lanes[0].fence(1), null);
    await other.sink.close();
  },
);

await withServers(
  "lanes hold markers of their own, also where there are more of them than partitions",
  KAFKA,
  async ({ kafka: { brokers } }) => {
    const topic = newTopic("lanes");
    const first = await opened({ brokers, topic, lanes: 3 });
    for (const lane of first.lanes) assert.equal(await lane.fence(1), null);
    await Promise.all([0, 1, 2].map(async (lane) => {
      for (let epoch = 1; epoch <= 3 + lane; epoch++) await first.deliver(lane, epoch);
    }));
    await first.sink.finish();
    await first.sink.close();
    const second = await opened({ brokers, topic, lanes: 3 });
    const markers = await Promise.all(second.lanes.map((lane) => lane.fence(2)));
    assert.deepEqual(markers, [markerOf(0, 3), markerOf(1, 4), markerOf(2, 5)]);
    await second.sink.close();
    assert.deepEqual(await ids(brokers, topic, 120), [...idsUpTo(0, 3), ...idsUpTo(1, 4), ...idsUpTo(2, 5)]);
  },
);

await withServers(
  "what is sent while an epoch is open is seen with its end only, and never where it was given up",
  KAFKA,
  async ({ kafka }) => {
    const { brokers } = kafka;
    const topic = newTopic("early");
    const { sink, lanes: [lane], input } = await opened({ brokers, topic, epochMs: 100 });
    await lane.fence(1);
    const long = (from: number) => batchOf(input, Array.from({ length: 40_000 }, (_, i) => [from + i]), from);
    lane.write(long(1_000_000));
    const isSent = async () => (await ids(brokers, topic, 1, "all")).length > 0;
    assert.equal(await isSent(), true);
    lane.discard();
    lane.write(long(2_000_000));
    await assert.rejects(lane.deliver(stampOf(0, 1)), { code: "transaction_lost" }, "what was given up must not be committed by the next");
    assert.equal(await lane.fence(2), null);
    for (const epoch of [1, 2]) {
      lane.write(long(epoch * 40_000));
      await lane.deliver(stampOf(0, epoch));
      assert.equal(lane.bytesHeld(), 0);
    }
    assert.deepEqual(await lane.fence(3), markerOf(0, 2));
    await sink.finish();
    await sink.close();
    assert.deepEqual(await ids(brokers, topic, 80_000), Array.from({ length: 80_000 }, (_, i) => 40_000 + i));
  },
);

const LOSSES: readonly { readonly name: string; readonly api: number; readonly fate: Fate; readonly isThere: boolean }[] = [
  { name: "before a transaction began", api: API.addPartitions, fate: "cut", isThere: false },
  { name: "in the marker's request", api: API.commitMarker, fate: "cut", isThere: false },
  { name: "in the answer to the marker", api: API.commitMarker, fate: "cut_answer", isThere: false },
  { name: "between the rows and the end", api: API.endTransaction, fate: "cut", isThere: false },
  { name: "in the answer to the end", api: API.endTransaction, fate: "cut_answer", isThere: true },
];
for (const { name, api, fate, isThere } of LOSSES) {
  await withServers(`a connection that is lost ${name}: the marker tells what is there`, KAFKA, async ({ kafka: { brokers } }) => {
    await using meddler = meddlerBefore(brokers);
    const topic = newTopic("lost");
    const { sink, lanes, deliver } = await opened({ brokers: meddler.brokers, topic });
    await lanes[0].fence(1);
    await deliver(0, 1);
    let isLost = false;
    meddler.meddle = (asked) => {
      if (asked !== api || isLost) return "pass";
      isLost = true;
      return fate;
    };
    await assert.rejects(deliver(0, 2), { code: "server_unreachable", retry: "wait" });
    assert.ok(isLost);
    // Nothing more under the identity that is in doubt.
    await assert.rejects(deliver(0, 2), /gave up the transaction before/);
    assert.deepEqual(await lanes[0].fence(2), markerOf(0, isThere ? 2 : 1));
    await deliver(0, 2); // Where it is there, this writes nothing.
    await deliver(0, 3);
    await sink.finish();
    await sink.close();
    assert.deepEqual(await ids(brokers, topic, 30), idsUpTo(0, 3));
    // Lost behind the rows, they stand in the topic twice; only one of the two transactions counts.
    if (name.startsWith("between")) assert.equal((await ids(brokers, topic, 40, "all")).length, 40);
  });
}

await withServers(
  "rows whose answer is lost are sent again within the transaction, and are there once",
  KAFKA,
  async ({ kafka: { brokers } }) => {
    await using meddler = meddlerBefore(brokers);
    const topic = newTopic("resent");
    const { sink, lanes, deliver } = await opened({ brokers: meddler.brokers, topic });
    await lanes[0].fence(1);
    let lost = 0;
    meddler.meddle = (api) => api !== API.produce || lost >= 3 ? "pass" : lost++ === 1 ? "cut" : "cut_answer";
    await deliver(0, 1);
    await deliver(0, 2);
    assert.equal(lost, 3);
    await sink.finish();
    await sink.close();
    assert.deepEqual(await ids(brokers, topic, 20, "all"), idsUpTo(0, 2));
  },
);

await withServers("a superseded owner's end of a transaction is refused, however late it comes", KAFKA, async ({ kafka: { brokers } }) => {
  await using meddler = meddlerBefore(brokers);
  const topic = newTopic("zombie");
  const zombie = await opened({ brokers: meddler.brokers, topic });
  await zombie.lanes[0].fence(1);
  await zombie.deliver(0, 1);
  const held = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  meddler.meddle = (api) => {
    if (api !== API.endTransaction) return "pass";
    reached.resolve();
    return held.promise;
  };
  const late = zombie.deliver(0, 2);
  await reached.promise;
  const owner = await opened({ brokers, topic });
  assert.deepEqual(await owner.lanes[0].fence(2), markerOf(0, 1));
  held.resolve();
  await assert.rejects(late, { code: "fenced" });
  await owner.deliver(0, 2);
  // Also with nothing open.
  await assert.rejects(zombie.deliver(0, 3), /gave up the transaction before/);
  await owner.deliver(0, 3);
  await owner.sink.finish();
  assert.deepEqual(await ids(brokers, topic, 30), idsUpTo(0, 3));
  await owner.sink.close();
  await zombie.sink.close();
});

await withServers("an owner between two epochs notices at the next one that it was superseded", KAFKA, async ({ kafka: { brokers } }) => {
  const topic = newTopic("idle");
  const old = await opened({ brokers, topic });
  await old.lanes[0].fence(1);
  await old.deliver(0, 1);
  const owner = await opened({ brokers, topic });
  assert.deepEqual(await owner.lanes[0].fence(2), markerOf(0, 1));
  await assert.rejects(old.deliver(0, 2), { code: "fenced", retry: "backoff" });
  await owner.deliver(0, 2);
  await owner.sink.finish();
  await Promise.all([old.sink.close(), owner.sink.close()]);
  assert.deepEqual(await ids(brokers, topic, 20), idsUpTo(0, 2));
});

await withServers("a transaction that takes too long is lost, and delivered again", KAFKA, async ({ kafka: { brokers } }) => {
  await using meddler = meddlerBefore(brokers);
  const topic = newTopic("slow");
  // Longer than the broker takes to look for it: an answer that is held back must not be given up before that.
  const wished = { brokers: meddler.brokers, topic, requestTimeout: "30s", more: 'transaction_timeout = "100ms"' };
  const { sink, lanes, deliver } = await opened(wished);
  await lanes[0].fence(1);
  const held = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  meddler.meddle = (api) => {
    if (api !== API.endTransaction) return "pass";
    reached.resolve();
    return held.promise;
  };
  const slow = deliver(0, 1);
  slow.catch(() => {});
  await reached.promise;
  // The broker looks for such transactions every ten seconds. Readers get on once it has.
  await withClient(brokers, async ({ producer }) => void await producer.send({ topic, messages: [{ partition: 0, value: '{"id":-1}' }] }));
  assert.deepEqual(await ids(brokers, topic, 1), [-1]);
  held.resolve();
  await assert.rejects(slow, (error: { code: string; retry: string }) => error.code === "fenced" && error.retry === "backoff");
  meddler.meddle = () => "pass";
  assert.equal(await lanes[0].fence(2), null);
  await deliver(0, 1);
  await sink.finish();
  assert.deepEqual(await ids(brokers, topic, 11), [-1, ...idsOf(0, 1)]);
  await sink.close();
});

await withServers(
  "at_least_once writes without transactions: seen at once, no marker, again after a crash",
  KAFKA,
  async ({ kafka: { brokers } }) => {
    const topic = newTopic("least");
    const more = 'guarantee = "at_least_once"';
    const first = await opened({ brokers, topic, more });
    assert.equal(first.sink.guarantee, "at-least-once");
    assert.equal(await first.lanes[0].fence(1), null);
    await first.deliver(0, 1);
    const second = await opened({ brokers, topic, more });
    assert.equal(await second.lanes[0].fence(2), null);
    await second.deliver(0, 1);
    await second.sink.finish();
    await Promise.all([first.sink.close(), second.sink.close()]);
    assert.deepEqual(await ids(brokers, topic, 20), idsOf(0, 1).flatMap((id) => [id, id]));
  },
);
