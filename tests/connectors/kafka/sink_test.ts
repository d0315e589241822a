/** The sink against a real broker; kafkajs reads what it wrote. */
import assert from "node:assert/strict";
import type { EpochStamp, Sink, SourceReader } from "../../../src/engine/contracts.ts";
import { partitionOfKey } from "../../../src/connectors/log/murmur2.ts";
import { viewOf } from "../../../src/data/words.ts";
import { withServers } from "../../services/mod.ts";
import { plan } from "../support/project.ts";
import { batchOf, readAll } from "../support/rows.ts";
import {
  connectionToml,
  kafkaSource,
  type LoggedWorld,
  loggedWorld,
  makeTopic,
  newTopic,
  readTopic,
  withClient,
} from "./support/kafka_world.ts";

const KAFKA = ["kafka"] as const;
const stamp = (epoch: number, owner = 1): EpochStamp => ({
  pipeline: "p",
  run: "r",
  lane: 0,
  epoch,
  owner,
  digest: `d${epoch}`,
  timeMicros: epoch,
});

/** A sink of { id: int, amount: decimal(2), at: timestamp, name: string? }; `until` makes its pipeline bounded or not. */
async function sinkPlan(brokers: string, topic: string, more: string, input: "bounded" | "endless" = "bounded") {
  const source = input === "bounded" ? `type = "csv"\npath = "x"` : `connection = "bus"\ntopic = "elsewhere"\nuntil = "never"`;
  const blueprint = await plan(`${connectionToml(brokers)}
[sources.in]
${source}
fields = { id = "int", amount = "decimal(2)", at = "timestamp", name = "string?" }
[sinks.out]
connection = "bus"
inputs = ["in"]
topic = "${topic}"
${more}`);
  return blueprint.sinks.find(({ name }) => name === "out")!;
}
async function opened(brokers: string, topic: string, more: string, world: LoggedWorld = loggedWorld()) {
  const { plan: planned, input } = await sinkPlan(brokers, topic, more);
  const sink: Sink = planned.create(world);
  await sink.open({ pipeline: "p", run: "r", lanes: 1, fresh: true });
  const lane = sink.lane(0);
  assert.equal(await lane.fence(1), null);
  return { sink, lane, input, planned };
}
const AT = 1_700_000_000_123_000;
const rowsOf = (ids: readonly number[]) => ids.map((id) => [id, id * 125, AT, id % 3 === 0 ? null : `näme "${id}"`]);

await withServers(
  "kafka sink: makes the topic, keys as Java's client does, keeps order, carries origins",
  KAFKA,
  async ({ kafka: { brokers } }) => {
    const topic = newTopic("made");
    const { sink, lane, input, planned } = await opened(brokers, topic, 'key = "id"\ncreate = { partitions = 3 }');
    assert.equal(planned.guarantee, "exactly-once");
    assert.equal(planned.place, `topic ${topic}`);
    const ids = Array.from({ length: 40 }, (_, i) => (i * 7) % 40);
    for (let epoch = 1; epoch <= 4; epoch++) {
      lane.write(batchOf(input, rowsOf(ids.slice(epoch * 10 - 10, epoch * 10)), 500 + epoch * 10 - 10));
      assert.ok(lane.bytesHeld() > 0);
      await lane.deliver(stamp(epoch));
      assert.equal(lane.bytesHeld(), 0);
    }
    await lane.deliver(stamp(5));
    await sink.finish();
    await sink.close();
    const messages = await withClient(brokers, (client) => readTopic(client, topic, 40));
    assert.equal(messages.length, 40);
    const text = new TextEncoder();
    for (let partition = 0; partition < 3; partition++) {
      const wished = ids.filter((id) => partitionOfKey(viewOf(text.encode(String(id))), 0, String(id).length, 3) === partition);
      assert.deepEqual(messages.filter((message) => message.partition === partition).map(({ key }) => Number(key)), wished);
    }
    for (const { key, value, headers } of messages) {
      const id = Number(key);
      assert.equal(
        value,
        `{"id":${id},"amount":${(id * 1.25).toFixed(2)},"at":"2023-11-14T22:13:20.123Z","name":${
          id % 3 === 0 ? "null" : JSON.stringify(`näme "${id}"`)
        }}`,
      );
      assert.deepEqual(headers, { "millrace-origin": String(500 + ids.indexOf(id)) });
    }
    // Partitions are those that kafkajs chooses, whose default is Java's.
    await withClient(brokers, async ({ kafka, admin }) => {
      const twin = `${topic}-twin`;
      await admin.createTopics({ topics: [{ topic: twin, numPartitions: 3 }], waitForLeaders: true });
      const producer = kafka.producer();
      await producer.connect();
      await producer.send({ topic: twin, messages: ids.map((id) => ({ key: String(id), value: "v" })) });
      await producer.disconnect();
      const theirs = await withClient(brokers, (client) => readTopic(client, twin, 40));
      const placed = (list: typeof messages) => list.map(({ key, partition }) => `${key} ${partition}`).sort();
      assert.deepEqual(placed(messages), placed(theirs));
    });
  },
);

await withServers(
  "kafka sink: decimals as texts, a timestamp pattern, records without a key go round",
  KAFKA,
  async ({ kafka: { brokers } }) => {
    const topic = newTopic("forms");
    const { sink, lane, input } = await opened(
      brokers,
      topic,
      'format = { type = "json", decimals = "string", timestamps = "yyyy-MM-dd HH:mm" }\ncreate = { partitions = 2, replication = 1 }',
    );
    lane.write(batchOf(input, rowsOf([1, 2, 3]), 0));
    await lane.deliver(stamp(1));
    await sink.close();
    const messages = await withClient(brokers, (client) => readTopic(client, topic, 3));
    assert.deepEqual(messages.map(({ partition, key, value }) => [partition, key, JSON.parse(value!)]), [
      [0, null, { id: 1, amount: "1.25", at: "2023-11-14 22:13", name: 'näme "1"' }],
      [0, null, { id: 3, amount: "3.75", at: "2023-11-14 22:13", name: null }],
      [1, null, { id: 2, amount: "2.50", at: "2023-11-14 22:13", name: 'näme "2"' }],
    ]);
  },
);

await withServers(
  "kafka sink: an epoch of many batches over lanes arrives whole and in order; dropped rows never",
  KAFKA,
  async ({ kafka: { brokers } }) => {
    const topic = newTopic("big");
    const { plan: planned, input } = await sinkPlan(brokers, topic, 'key = "id"\ncreate = { partitions = 2 }');
    const sink = planned.create(loggedWorld());
    await sink.open({ pipeline: "p", run: "r", lanes: 2, fresh: true });
    const lanes = [sink.lane(0), sink.lane(1)];
    for (const lane of lanes) await lane.fence(1);
    lanes[0].write(batchOf(input, rowsOf([9999])));
    lanes[0].discard();
    const long = "x".repeat(3000);
    await Promise.all(lanes.map(async (lane, number) => {
      const rows = Array.from({ length: 600 }, (_, i) => [number * 600 + i, 1, AT, long]);
      lane.write(batchOf(input, rows));
      await lane.deliver(stamp(1));
    }));
    await sink.close();
    const messages = await withClient(brokers, (client) => readTopic(client, topic, 1200));
    const ids = messages.map(({ value }) => JSON.parse(value!).id as number);
    assert.deepEqual([...ids].sort((a, b) => a - b), Array.from({ length: 1200 }, (_, id) => id));
    for (const lane of [0, 1]) {
      for (const partition of [0, 1]) {
        const own = messages.filter((message, i) => message.partition === partition && Math.floor(ids[i] / 600) === lane).map(({ value }) =>
          JSON.parse(value!).id
        );
        assert.deepEqual(own, own.toSorted((a, b) => a - b));
      }
    }
  },
);

await withServers(
  "kafka sink: a topic that is there stays as it is, one that is missing is waited for",
  KAFKA,
  async ({ kafka: { brokers } }) => {
    const topic = newTopic("there");
    const world = loggedWorld();
    await withClient(brokers, (client) => makeTopic(client, topic, 2));
    const { sink } = await opened(brokers, topic, "create = { partitions = 4 }", world);
    await sink.close();
    assert.deepEqual(world.events.map(({ name }) => name).filter((name) => name === "topic_differs"), ["topic_differs"]);
    const later = newTopic("later");
    const opening = opened(brokers, later, "", world);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await withClient(brokers, (client) => makeTopic(client, later, 1));
    await (await opening).sink.close();
    assert.ok(world.events.some(({ name }) => name === "topic_missing"));
  },
);

await withServers("kafka sink: a record that the broker will not take is told with what to do", KAFKA, async ({ kafka: { brokers } }) => {
  const topic = newTopic("long");
  const { sink, lane, input } = await opened(brokers, topic, "create = { partitions = 1 }");
  // Fifteen bits of noise a unit, so that no broker's own bound lets it pass.
  lane.write(batchOf(input, [[1, 1, AT, "x".repeat(12 << 20)]]));
  await assert.rejects(lane.deliver(stamp(1)), { code: "record_too_long", retry: "never" });
  await sink.close();
});

for (const moment of ["began before the topic", "found the topic empty, before its writer's note"]) {
  await withServers(`a reader that ${moment} waits for the writer's end`, KAFKA, async ({ kafka: { brokers } }) => {
    const topic = newTopic("sealed");
    if (moment.startsWith("found")) await withClient(brokers, (client) => makeTopic(client, topic, 2));
    const source = await kafkaSource({ brokers, topic }, loggedWorld());
    const reading = (async () => {
      assert.equal(await source.partitions(), 2);
      const readers = [await source.reader(0), await source.reader(1)];
      const rows = await Promise.all(readers.map(readToEnd));
      for (const reader of readers) reader.close();
      return rows.flat().length;
    })();
    await new Promise((resolve) => setTimeout(resolve, 150));
    const { sink, lane, input } = await opened(brokers, topic, "create = { partitions = 2 }");
    assert.equal(await (await kafkaSource({ brokers, topic }, loggedWorld())).identity(), "");
    for (let epoch = 1; epoch <= 5; epoch++) {
      lane.write(batchOf(input, rowsOf(Array.from({ length: 20 }, (_, i) => epoch * 20 + i)), epoch * 20));
      await lane.deliver(stamp(epoch));
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    await sink.finish();
    await sink.close();
    assert.equal(await reading, 100);
    const identity = await (await kafkaSource({ brokers, topic }, loggedWorld())).identity();
    assert.match(identity, /:r:\d+,\d+$/);
    assert.equal(await source.identity(), identity);
  });
}

async function readToEnd(reader: SourceReader): Promise<string[]> {
  const rows: string[] = [];
  for (let position = reader.start;;) {
    const part = await readAll(reader, position, () => ({ rowsMax: 8192, bytesMax: 1 << 20 }));
    rows.push(...part.rows);
    position = part.places.at(-1)!.position;
    if (part.last === "end") return rows;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

await withServers("an endless writer leaves no note", KAFKA, async ({ kafka: { brokers } }) => {
  const topic = newTopic("endless");
  const { plan: planned } = await sinkPlan(brokers, topic, "create = { partitions = 1 }", "endless");
  const sink = planned.create(loggedWorld());
  await sink.open({ pipeline: "p", run: "r", lanes: 1, fresh: true });
  await sink.close();
  const reader = await (await kafkaSource({ brokers, topic }, loggedWorld())).reader(0);
  assert.equal((await reader.poll(reader.start, { rowsMax: 1, bytesMax: 1 })).kind, "end");
  reader.close();
});

await withServers(
  "kafka sink: a topic that takes short batches only gets such, and every record",
  KAFKA,
  async ({ kafka: { brokers } }) => {
    const topic = newTopic("short");
    await withClient(brokers, async (client) => {
      await makeTopic(client, topic, 1, { "max.message.bytes": "20000" });
      const { sink, lane, input } = await opened(brokers, topic, "");
      const ids = Array.from({ length: 5000 }, (_, id) => id);
      lane.write(batchOf(input, rowsOf(ids)));
      await lane.deliver(stamp(1));
      await sink.finish();
      await sink.close();
      assert.deepEqual((await readTopic(client, topic, ids.length)).map(({ value }) => JSON.parse(value!).id), ids);
    });
  },
);
