/** Compression of batches: our own round trip, text that would become too long, and what real readers make of it. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { PartitionBatches, stampBatch } from "../../../src/connectors/kafka/batch_writer.ts";
import type { CompressionName } from "../../../src/connectors/kafka/compression.ts";
import { BATCH_ROOM_BYTES } from "../../../src/connectors/kafka/limits.ts";
import { readRecordBatches, TextTooLong } from "../../../src/connectors/kafka/record_batches.ts";
import type { RecordSlices } from "../../../src/connectors/kafka/record_collector.ts";
import { compileJsonRecordsEncoder } from "../../../src/data/json/mod.ts";
import type { RecordType } from "../../../src/data/types.ts";
import { withServers } from "../../services/mod.ts";
import { appendRows } from "../support/append_rows.ts";
import { plan } from "../support/project.ts";
import { batchOf, readAll } from "../support/rows.ts";
import { batchTools } from "./support/batch_tools.ts";
import { connectionToml, kafkaSource, loggedWorld, makeTopic, newTopic, readTopic, withClient } from "./support/kafka_world.ts";

const SEED = 20266;
const NAMES: readonly CompressionName[] = ["gzip", "snappy", "lz4", "zstd"];
const TYPE: RecordType = {
  fields: [{ name: "id", type: { kind: "int", nullable: false } }, { name: "note", type: { kind: "string", nullable: true } }],
};
const tools = await batchTools();
const valuesOf = (slices: RecordSlices): string[] =>
  Array.from({ length: slices.rows }, (_, i) => new TextDecoder().decode(slices.bytes.subarray(slices.start[i], slices.end[i])));

Deno.test("what is written compressed is read back, by us and by the library", async () => {
  const { Reader, readRecordsBatches } = await import("@platformatic/kafka");
  const notes = fc.array(fc.option(fc.string({ maxLength: 3000 })), { minLength: 1, maxLength: 200 });
  const property = fc.property(notes, fc.constantFrom(...NAMES), fc.boolean(), (rows, name, transactional) => {
    const compressor = tools.compressor(name);
    const batches = new PartitionBatches(compileJsonRecordsEncoder(TYPE), "origin", { compressor });
    const batch = batchOf(TYPE, rows.map((note, i) => [i, note]));
    appendRows(batches, batch);
    const values = rows.map((note, id) => JSON.stringify({ id, note }));
    const held = batches.bytesHeld;
    const prepared = batches.takeAll();
    assert.ok(prepared.reduce((sum, { bytes }) => sum + bytes.length, 0) <= held);
    for (const { bytes } of prepared) assert.ok(bytes.byteOffset >= BATCH_ROOM_BYTES, "a request has room in front of each batch");
    const ours = prepared.flatMap((each) => {
      stampBatch(each, { transactional, producer: { id: 5n, epoch: 3 }, sequence: 0, timestampMs: 1 }, tools);
      assert.equal(each.bytes[22], each.codec | (transactional ? 16 : 0));
      assert.ok(each.codec === compressor.codec || each.codec === 0);
      return valuesOf(readRecordBatches({ bytes: each.bytes.slice(), from: 0, aborted: [], place: "p" }, tools));
    });
    assert.deepEqual(ours, values);
    const theirs = prepared.flatMap(({ bytes }) => readRecordsBatches(Reader.from(Buffer.from(bytes))).flatMap(({ records }) => records));
    assert.deepEqual(theirs.map(({ value }) => String(value)), values);
  });
  fc.assert(property, { seed: SEED, numRuns: 100 });
});

Deno.test("a batch that compression would make longer is sent as it is", () => {
  for (const name of NAMES) {
    const batches = new PartitionBatches(compileJsonRecordsEncoder(TYPE), "none", { compressor: tools.compressor(name) });
    appendRows(batches, batchOf(TYPE, [[1, null]]));
    assert.deepEqual(batches.takeAll().map(({ codec }) => codec), [0], name);
  }
});

Deno.test("text that would become too long is refused by its lengths, or as soon as it is too long", async () => {
  const bounded = await batchTools(1 << 20);
  const decompress = (codec: number, bytes: Uint8Array) => bounded.decompress(codec, bytes);
  const long = new Uint8Array((1 << 20) + 1);
  const frames = [1, 2, 3, 4].map((codec) => ({ codec, bytes: tools.compressor(NAMES[codec - 1]).compress(long) }));
  const framed = Uint8Array.from([0x82, ...Buffer.from("SNAPPY"), 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  const { bytes: raw } = frames[1];
  const chunk = Buffer.alloc(4);
  chunk.writeUInt32BE(raw.length);
  frames.push({ codec: 2, bytes: Buffer.concat([framed, chunk, raw]) });
  for (const { codec, bytes } of frames) {
    assert.throws(() => decompress(codec, bytes), TextTooLong, `codec ${codec}`);
    assert.deepEqual(Uint8Array.from(tools.decompress(codec, bytes)), long);
  }
  for (const [codec, compress] of [[1, gzipSync], [4, zstdCompressSync]] as const) {
    assert.equal(decompress(codec, compress(long.subarray(1))).length, 1 << 20);
  }
  // Lengths that are claimed, without a byte of text behind them.
  assert.throws(() => tools.decompress(2, Uint8Array.of(255, 255, 255, 255, 15)), TextTooLong);
  const block = Buffer.alloc(20_004);
  block.writeUInt32LE(20_000);
  const many = Buffer.concat([Uint8Array.of(4, 0x22, 0x4d, 0x18, 0x40, 0x70, 0), ...Array.from({ length: 65 }, () => block)]);
  assert.throws(() => tools.decompress(3, many), TextTooLong);
});

Deno.test("no codec has a number beyond zstd, and a batch that asks for one is damaged", () => {
  for (const codec of [5, 6, 7]) assert.throws(() => tools.decompress(codec, new Uint8Array(9)), RangeError);
});

await withServers(
  "kafka compression: what we compress, the broker takes apart, and kafkajs and we read it",
  ["kafka"],
  async ({ kafka }) => {
    for (const name of NAMES) {
      // The topic compresses in another way: so the broker's Java code has read every record before anybody else does.
      const topic = newTopic(name);
      const other = name === "gzip" ? "uncompressed" : "gzip";
      await withClient(kafka.brokers, (client) => makeTopic(client, topic, 1, { "compression.type": other }));
      const blueprint = await plan(`${connectionToml(kafka.brokers)}
[sources.in]
type = "csv"
path = "x"
fields = { id = "int", amount = "decimal(2)", name = "string?" }
[sinks.out]
connection  = "bus"
inputs      = ["in"]
topic       = "${topic}"
compression = "${name}"
`);
      const out = blueprint.sinks.find((each) => each.name === "out")!;
      const sink = out.plan.create(loggedWorld());
      await sink.open({ pipeline: name, run: "r", lanes: 1, fresh: true });
      const lane = sink.lane(0);
      await lane.fence(1);
      const rows = Array.from({ length: 3000 }, (_, id) => [id, 125, id % 7 === 0 ? null : `größer 😀 ${"x".repeat(id % 300)}`]);
      lane.write(batchOf(out.input, rows));
      await lane.deliver({ pipeline: name, run: "r", lane: 0, epoch: 1, owner: 1, digest: "d", timeMicros: 1 });
      await sink.finish();
      await sink.close();
      const wished = rows.map(([id, , text]) => `{"id":${id},"amount":1.25,"name":${JSON.stringify(text)}}`);
      const theirs = await withClient(kafka.brokers, (client) => readTopic(client, topic, rows.length));
      assert.deepEqual(theirs.map(({ value }) => value), wished, name);
      const source = await kafkaSource({ brokers: kafka.brokers, topic }, loggedWorld());
      await source.partitions();
      const reader = await source.reader(0);
      const ours = await readAll(reader, reader.start, () => ({ rowsMax: 8192, bytesMax: 1 << 20 }));
      assert.deepEqual([ours.rows.length, ours.rejects], [rows.length, []], name);
      reader.close();
    }
  },
);
