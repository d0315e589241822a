/** The source against a real broker; kafkajs, which shares no code with it, writes. */
import assert from "node:assert/strict";
import { CompressionTypes } from "kafkajs";
import fc from "fast-check";
import type { SourceReader } from "../../../src/engine/contracts.ts";
import { MillraceError } from "../../../src/data/fault.ts";
import { withServers } from "../../services/mod.ts";
import { readAll, rejectTexts, rowTexts } from "../support/rows.ts";
import { kafkaSource, loggedWorld, makeTopic, newTopic, recordJson, withClient } from "./support/kafka_world.ts";

const SEED = 20265;
const ALL = { rowsMax: 8192, bytesMax: 1 << 20 };
const KAFKA = ["kafka"] as const;

/** Polls past idle answers until the input ends or `enough` records have come. */
async function readOn(reader: SourceReader, enough = Infinity, from = reader.start) {
  const rows: string[] = [];
  const rejects: string[] = [];
  let position = from;
  for (let read = 0; read < enough;) {
    const polled = await reader.poll(position, ALL);
    if (polled.kind === "end") return { rows, rejects, position, ended: true };
    if (polled.kind === "idle") {
      await new Promise((resolve) => setTimeout(resolve, polled.retryAfterMs));
      continue;
    }
    rows.push(...rowTexts(polled.batch));
    rejects.push(...rejectTexts(polled.rejected));
    read += polled.read;
    position = polled.next;
  }
  return { rows, rejects, position, ended: false };
}

/** Plain and compressed batches, null values, garbage, headers, aborted transactions, in one partition: 60 records to be read. */
async function mixedTopic(brokers: string, topic: string): Promise<void> {
  await withClient(brokers, async (client) => {
    await makeTopic(client, topic);
    const { producer, kafka } = client;
    const transactional = kafka.producer({ transactionalId: `tx-${topic}`, maxInFlightRequests: 1, idempotent: true });
    await transactional.connect();
    for (let part = 0; part < 6; part++) {
      const messages = Array.from({ length: 10 }, (_, i) => part * 10 + i).map((id) => ({
        key: `key ${id}`,
        partition: 0,
        value: id % 8 === 5 ? '{"id":' : id % 11 === 7 ? null : id % 13 === 3 ? "not\u0000json" : recordJson(id),
        headers: id % 2 === 0 ? { "millrace-origin": String(1000 + id), other: "x" } : {},
      }));
      if (part % 3 === 0) await producer.send({ topic, messages });
      else if (part % 3 === 1) await producer.send({ topic, messages, compression: CompressionTypes.GZIP });
      else {
        for (const end of ["abort", "commit"] as const) {
          const transaction = await transactional.transaction();
          await transaction.send({ topic, messages });
          await transaction[end]();
        }
      }
    }
    await transactional.disconnect();
  });
}

await withServers(
  "kafka source: a range gives the same rows and rejects however it is cut, and goes on from every position",
  KAFKA,
  async ({ kafka: { brokers } }) => {
    const topic = newTopic("mixed");
    await mixedTopic(brokers, topic);
    const source = await kafkaSource({ brokers, topic }, loggedWorld());
    assert.equal(await source.partitions(), 1);
    const reader = await source.reader(0);
    const whole = await readAll(reader, reader.start, () => ALL);
    assert.equal(whole.last, "end");
    assert.equal(whole.read, 60);
    const refused = Array.from({ length: 60 }, (_, id) => id).filter((id) => id % 8 === 5 || id % 11 === 7 || id % 13 === 3);
    assert.equal(whole.rejects.length, refused.length);
    assert.equal(whole.rows.length, 60 - refused.length);
    const sizes = fc.array(fc.record({ rowsMax: fc.integer({ min: 1, max: 20 }), bytesMax: fc.integer({ min: 1, max: 2000 }) }), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), fc.constantFrom("warm", "cold"), async (limits, a, b, reading) => {
        const cut = await readAll(reader, reader.start, (poll) => limits[poll % limits.length]);
        assert.deepEqual([cut.rows, cut.rejects, cut.read], [whole.rows, whole.rejects, 60]);
        const [from, until] = [a % cut.places.length, b % cut.places.length].sort((x, y) => x - y).map((i) => cut.places[i]);
        const used = reading === "warm" ? reader : await source.reader(0);
        const range = await readAll(used, from.position, (poll) => ({ ...limits[(poll + 1) % limits.length], until: until.position }));
        const rest = await readAll(used, until.position, () => ALL);
        if (used !== reader) used.close();
        assert.equal(range.read, until.read - from.read);
        assert.equal(range.last, "end");
        assert.equal(range.places.at(-1)!.position, until.read === from.read ? from.position : until.position);
        assert.equal(rest.read, 60 - until.read);
        const joined = [...range.rows, ...rest.rows];
        assert.deepEqual(joined, whole.rows.slice(whole.rows.length - joined.length));
      }),
      { seed: SEED, numRuns: 25 },
    );
    for (const { position } of whole.places) assert.ok(position.length <= 200);
    const progress = source.progress!([whole.places.at(-1)!.position]); // Behind the last record stand a transaction's markers.
    assert.ok(progress > 0.9 && progress <= 1);
    assert.equal(source.progress!([reader.start]), 0);
    reader.close();
  },
);

await withServers(
  "kafka source: rejects carry partition, offset and the original bytes; origins come from the header",
  KAFKA,
  async ({ kafka: { brokers } }) => {
    const topic = newTopic("poison");
    await withClient(brokers, async (client) => {
      await makeTopic(client, topic, 2);
      const messages = [
        { partition: 1, value: recordJson(1), headers: { "millrace-origin": "71" } },
        { partition: 1, value: Buffer.from([0xff, 0x00, 0x7b]), key: "k" },
        { partition: 1, value: null, key: "k" },
        { partition: 1, value: '{"id":1,"amount":1.005}' },
        { partition: 1, value: `{"id":1,"amount":1,"name":"${"x".repeat((1 << 20) - 20)}"}` },
        { partition: 1, value: recordJson(2) },
      ];
      for (const message of messages) await client.producer.send({ topic, messages: [message], compression: CompressionTypes.GZIP });
    });
    const source = await kafkaSource({ brokers, topic }, loggedWorld());
    assert.equal(await source.partitions(), 2);
    const reader = await source.reader(1);
    const polls: {
      rejected: readonly { partition: number; position: number; origin: number; reason: string; raw: Uint8Array }[];
      read: number;
    }[] = [];
    let position = reader.start;
    const rows: string[] = [];
    for (let polled = await reader.poll(position, ALL); polled.kind === "batch"; polled = await reader.poll(position, ALL)) {
      polls.push(polled);
      rows.push(...rowTexts(polled.batch));
      position = polled.next;
    }
    reader.close();
    assert.deepEqual(rows, [`0 71 [1,25,"näme 1"] ${recordJson(1)}`, `5 5 [2,50,"näme 2"] ${recordJson(2)}`]);
    const rejected = polls.flatMap((polled) => polled.rejected);
    assert.deepEqual(rejected.map(({ partition, position, origin, reason }) => [partition, position, origin, reason]), [
      [1, 1, 1, "json"],
      [1, 2, 2, "json"],
      [1, 3, 3, "scale:amount"],
      [1, 4, 4, "too-long"],
    ]);
    assert.deepEqual([...rejected[0].raw], [0xff, 0x00, 0x7b]);
    assert.equal(rejected[1].raw.length, 0);
  },
);

await withServers(
  "kafka source: an end seen at the start stays the end, however the topic grows and the pipeline restarts",
  KAFKA,
  async ({ kafka: { brokers } }) => {
    const topic = newTopic("end");
    await withClient(brokers, async (client) => {
      await makeTopic(client, topic);
      const send = (ids: number[]) => client.producer.send({ topic, messages: ids.map((id) => ({ partition: 0, value: recordJson(id) })) });
      await send([0, 1, 2, 3]);
      const first = await (await kafkaSource({ brokers, topic }, loggedWorld())).reader(0);
      const one = await first.poll(first.start, { ...ALL, rowsMax: 2 });
      assert.ok(one.kind === "batch");
      first.close();
      await send([4, 5]);
      const restarted = await (await kafkaSource({ brokers, topic }, loggedWorld())).reader(0);
      const rest = await readOn(restarted, Infinity, one.next);
      assert.equal(rest.rows.length, 2);
      // The first epoch, replayed before anything of it was recorded.
      const replayed = await readAll(restarted, restarted.start, () => ({ ...ALL, until: one.next }));
      assert.equal(replayed.read, 2);
      assert.equal(replayed.places.at(-1)!.position, one.next);
      restarted.close();
    });
  },
);

await withServers(
  "kafka source: start = latest begins behind what is there, and a replayed first epoch where that was",
  KAFKA,
  async ({ kafka: { brokers } }) => {
    const topic = newTopic("latest");
    await withClient(brokers, async (client) => {
      await makeTopic(client, topic);
      const send = (ids: number[]) => client.producer.send({ topic, messages: ids.map((id) => ({ partition: 0, value: recordJson(id) })) });
      await send([0, 1, 2]);
      const open = async () => (await kafkaSource({ brokers, topic, more: 'start = "latest"\nuntil = "never"' }, loggedWorld())).reader(0);
      const first = await open();
      await send([3, 4]);
      const read = await readOn(first, 2);
      assert.deepEqual(read.rows.map((row) => Number(row.split(" ")[0])), [3, 4]);
      first.close();
      const second = await open();
      const replayed = await readAll(second, second.start, () => ({ ...ALL, until: read.position }));
      assert.deepEqual(replayed.rows, read.rows);
      second.close();
    });
  },
);

await withServers("kafka source: count and idle end the input, never does not", KAFKA, async ({ kafka: { brokers } }) => {
  const topic = newTopic("until");
  await withClient(brokers, async (client) => {
    await makeTopic(client, topic);
    await client.producer.send({ topic, messages: Array.from({ length: 9 }, (_, id) => ({ partition: 0, value: recordJson(id) })) });
  });
  const read = async (until: string) => {
    const reader = await (await kafkaSource({ brokers, topic, more: `until = "${until}"` }, loggedWorld())).reader(0);
    const result = await readOn(reader, 9);
    const after = result.ended ? "end" : (await reader.poll(result.position, ALL)).kind;
    reader.close();
    return [result.rows.length, after];
  };
  assert.deepEqual(await read("count 5"), [5, "end"]);
  assert.deepEqual(await read("count 9"), [9, "end"]);
  assert.deepEqual(await read("never"), [9, "idle"]);
  const reader = await (await kafkaSource({ brokers, topic, more: 'until = "idle 300ms"' }, loggedWorld())).reader(0);
  const startedMs = performance.now();
  const idle = await readOn(reader);
  assert.equal(idle.rows.length, 9);
  assert.ok(idle.ended && performance.now() - startedMs >= 300);
  reader.close();
});

await withServers("kafka source: offsets that retention removed are told, never passed over", KAFKA, async ({ kafka: { brokers } }) => {
  const topic = newTopic("trimmed");
  await withClient(brokers, async (client) => {
    await makeTopic(client, topic);
    await client.producer.send({ topic, messages: Array.from({ length: 10 }, (_, id) => ({ partition: 0, value: recordJson(id) })) });
    const source = await kafkaSource({ brokers, topic }, loggedWorld());
    const reader = await source.reader(0);
    const one = await reader.poll(reader.start, { ...ALL, rowsMax: 2 });
    assert.ok(one.kind === "batch");
    reader.close();
    await client.admin.fetchTopicOffsets(topic); // kafkajs finds the leader only after it.
    await client.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "6" }] });
    const again = await source.reader(0);
    await assert.rejects(readOn(again, Infinity, one.next), (error: MillraceError) => {
      assert.equal(error.code, "offset_lost");
      assert.equal(error.retry, "never");
      assert.match(error.message, /offset 2 of partition 0 .* holds 6 to 10/);
      assert.match(error.hint!, /--rerun/);
      return true;
    });
    again.close();
    // A new run begins with what there is.
    const fresh = await (await kafkaSource({ brokers, topic }, loggedWorld())).reader(0);
    assert.equal((await readOn(fresh)).rows.length, 4);
    fresh.close();
  });
});

await withServers(
  "kafka source: a topic made anew under the same name is not taken for the old one",
  KAFKA,
  async ({ kafka: { brokers } }) => {
    const topic = newTopic("anew");
    await withClient(brokers, async (client) => {
      const fill = async () => {
        await makeTopic(client, topic);
        await client.producer.send({ topic, messages: Array.from({ length: 4 }, (_, id) => ({ partition: 0, value: recordJson(id) })) });
      };
      await fill();
      const reader = await (await kafkaSource({ brokers, topic }, loggedWorld())).reader(0);
      const one = await reader.poll(reader.start, { ...ALL, rowsMax: 2 });
      assert.ok(one.kind === "batch");
      reader.close();
      await client.admin.deleteTopics({ topics: [topic] });
      await new Promise((resolve) => setTimeout(resolve, 500));
      await fill();
      const again = await (await kafkaSource({ brokers, topic }, loggedWorld())).reader(0);
      await assert.rejects(again.poll(one.next, ALL), { code: "topic_rewritten" });
      again.close();
    });
  },
);

await withServers("kafka source: waits for the topic, and says so", KAFKA, async ({ kafka: { brokers } }) => {
  const topic = newTopic("later");
  const world = loggedWorld();
  const source = await kafkaSource({ brokers, topic, more: 'until = "count 1"' }, world);
  const partitions = source.partitions();
  await new Promise((resolve) => setTimeout(resolve, 300));
  await withClient(brokers, (client) => makeTopic(client, topic, 3));
  assert.equal(await partitions, 3);
  assert.equal(world.events.filter(({ name }) => name === "topic_missing").length, 1);
});

await withServers(
  "kafka source: identity is known of what is sealed or counted, and of what was read",
  KAFKA,
  async ({ kafka: { brokers } }) => {
    const topic = newTopic("identity");
    await withClient(brokers, async (client) => {
      await makeTopic(client, topic);
      await client.producer.send({ topic, messages: [{ partition: 0, value: recordJson(1) }] });
    });
    const of = async (more: string) => (await kafkaSource({ brokers, topic, more }, loggedWorld())).identity();
    assert.equal(await of(""), "");
    assert.equal(await of('until = "never"'), "");
    assert.match(await of('until = "count 1"'), /:count 1$/);
    assert.equal(await of('until = "count 1"'), await of('until = "count 1"'));
    const source = await kafkaSource({ brokers, topic }, loggedWorld());
    const reader = await source.reader(0);
    reader.close();
    assert.match(await source.identity(), /:1$/);
    // A finished run is done until something came behind what it read.
    const now = async () => (await kafkaSource({ brokers, topic }, loggedWorld())).identity("behind");
    assert.equal(await now(), await source.identity("behind"));
    await withClient(brokers, (client) => client.producer.send({ topic, messages: [{ partition: 0, value: recordJson(2) }] }));
    assert.match(await now(), /:2$/);
    assert.match(await source.identity("behind"), /:1$/, "what it read");
  },
);
