/** Record batches as kafkajs encodes them, taken apart by us; ours, taken apart by the library. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { RecordBatch as encodeBatch } from "kafkajs/src/protocol/recordBatch/v0/index.js";
import encodeRecord from "kafkajs/src/protocol/recordBatch/record/v0/index.js";
import crc32c from "kafkajs/src/protocol/recordBatch/crc32C/index.js";
import { compileJsonRecordsEncoder } from "../../../src/data/json/mod.ts";
import { PartitionBatches, stampBatch } from "../../../src/connectors/kafka/batch_writer.ts";
import { BATCH_BYTES_MAX, BATCH_ROOM_BYTES } from "../../../src/connectors/kafka/limits.ts";
import { type AbortedTransaction, readRecordBatches } from "../../../src/connectors/kafka/record_batches.ts";
import type { RecordSlices } from "../../../src/connectors/kafka/record_collector.ts";
import type { RecordType } from "../../../src/data/types.ts";
import { viewOf } from "../../../src/data/words.ts";
import { appendRows } from "../support/append_rows.ts";
import { batchOf } from "../support/rows.ts";

const SEED = 20264;
const tools = {
  crc32c: (bytes: Uint8Array) => (crc32c as (bytes: Uint8Array) => number)(bytes) >>> 0,
  decompress: (codec: number, bytes: Uint8Array): Uint8Array => {
    assert.equal(codec, 1);
    return gunzipSync(bytes);
  },
};

interface Wanted {
  readonly value: string | null;
  readonly key?: string | null;
  readonly headers?: Record<string, string | Uint8Array>;
}
interface BatchOptions {
  readonly base?: number;
  readonly attributes?: number;
  readonly producerId?: number;
  readonly gaps?: readonly number[];
}
const CONTROL = 0x30;
const TRANSACTIONAL = 0x10;

/** What kafkajs would send, with the base offset that a broker fills in; gzip when attributes say so. */
async function encoded(
  records: readonly Wanted[],
  { base = 0, attributes = 0, producerId = -1, gaps }: BatchOptions = {},
): Promise<Uint8Array> {
  const deltas = records.map((_, i) => gaps?.[i] ?? i);
  const made = records.map(({ key = null, value, headers = {} }, i) =>
    encodeRecord({ offsetDelta: deltas[i], timestampDelta: i, key, value, headers })
  );
  const { buffer } = await encodeBatch({
    compression: 0,
    firstTimestamp: 1000,
    maxTimestamp: 2000,
    producerId,
    producerEpoch: 0,
    firstSequence: 0,
    lastOffsetDelta: deltas.at(-1) ?? 0,
    records: made,
  });
  const bytes = Uint8Array.from(buffer);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(base));
  return finished((attributes & 7) === 1 ? gzipped(bytes) : bytes, attributes);
}
function gzipped(bytes: Uint8Array): Uint8Array {
  return joined([bytes.subarray(0, 61), gzipSync(bytes.subarray(61))]);
}
/** With the length, the attributes and the checksum that belong to it. */
function finished(bytes: Uint8Array, attributes: number): Uint8Array {
  const view = viewOf(bytes);
  view.setInt32(8, bytes.length - 12);
  view.setInt16(21, attributes);
  view.setUint32(17, tools.crc32c(bytes.subarray(21)));
  return bytes;
}
const marker = (type: "abort" | "commit", base: number, producerId: number) =>
  encoded([{ key: type === "abort" ? "\0\0\0\0" : "\0\0\0\x01", value: "\0\0\0\0\0\0" }], { base, producerId, attributes: CONTROL });

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
const read = (bytes: Uint8Array, from = 0, aborted: readonly AbortedTransaction[] = []): RecordSlices =>
  readRecordBatches({ bytes: bytes.slice(), from, aborted, place: 'partition 0 of topic "t"' }, tools);
const shown = (slices: RecordSlices): string[] =>
  Array.from(
    { length: slices.rows },
    (_, i) => `${slices.offset[i]} ${slices.origin[i]} ${new TextDecoder().decode(slices.bytes.subarray(slices.start[i], slices.end[i]))}`,
  );
const codeOf = (action: () => unknown): string => {
  try {
    action();
    return "nothing";
  } catch (error) {
    return `${(error as { code: string }).code} ${(error as { retry: string }).retry}`;
  }
};

Deno.test("records keep their own offsets, plain and compressed batches mixed, with gaps and null values", async () => {
  const bytes = joined([
    await encoded([{ value: "a", key: "k" }, { value: null }, { value: "ccc" }], { base: 10 }),
    await encoded([{ value: "d" }, { value: "e", headers: { x: "y" } }], { base: 20, attributes: 1, gaps: [3, 7] }),
  ]);
  const slices = read(bytes);
  assert.deepEqual(shown(slices), ["10 10 a", "11 11 ", "12 12 ccc", "23 23 d", "27 27 e"]);
  assert.equal(slices.nextOffset, 28);
  assert.deepEqual(shown(read(bytes, 12)), ["12 12 ccc", "23 23 d", "27 27 e"]);
  assert.deepEqual(shown(read(bytes, 28)), []);
});

Deno.test("common and uncommon records in one batch are the same as told alone: lengths, headers, nulls, gaps, a wished offset", async () => {
  const record = fc.record({
    value: fc.option(fc.string({ maxLength: 150 }).chain((text) => fc.constantFrom(text, text, text.padEnd(8200, "-")))),
    key: fc.option(fc.string({ maxLength: 80 }).filter((text) => text !== "")),
    origin: fc.option(fc.nat(), { freq: 1 }),
    step: fc.constantFrom(1, 1, 1, 2, 300, 9000),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 300, size: "max" }), fc.nat({ max: 400 }), async (records, from) => {
      let next = -1;
      const gaps = records.map(({ step }) => next += step);
      const wanted = records.map(({ value, key, origin }): Wanted => ({
        value,
        key,
        headers: origin === null ? {} : { "millrace-origin": String(origin) },
      }));
      const bytes = await encoded(wanted, { base: 7, gaps });
      const told = records.map(({ value, origin }, i) => `${7 + gaps[i]} ${origin ?? 7 + gaps[i]} ${value ?? ""}`);
      const isWished = (_: unknown, i: number): boolean => 7 + gaps[i] >= from;
      const slices = read(bytes, from);
      assert.deepEqual(shown(slices), told.filter(isWished));
      // The key of what has no value is kept.
      const keys = records.filter(isWished).flatMap(({ value, key }, row) => !value && key !== null ? [[row, key] as const] : []);
      assert.deepEqual([...slices.keys].map(([row, key]) => [row, new TextDecoder().decode(key)]), keys);
    }),
    { seed: SEED, numRuns: 200 },
  );
});

Deno.test("a record without a value keeps its key: it is all that tells which row was deleted", async () => {
  const records = [{ value: "a", key: "k" }, { value: null, key: '{"id":"x"}' }, { value: null }, { value: null, key: "" }];
  const bytes = joined([await encoded(records, { base: 10 }), await encoded(records, { base: 20, attributes: 1 })]);
  const keys = [...read(bytes, 11).keys].map(([row, key]) => [row, new TextDecoder().decode(key)]);
  assert.deepEqual(keys, [[0, '{"id":"x"}'], [2, ""], [4, '{"id":"x"}'], [6, ""]]);
});

Deno.test("the origin header is decimal text or eight bytes; anything else leaves the offset", async () => {
  const bytesOf = (value: bigint): Uint8Array => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(value);
    return bytes;
  };
  const origins: (string | Uint8Array)[] = ["42", "9007199254740991", bytesOf(77n), bytesOf(-1n), "", "4x", "-3", "12345678"];
  const bytes = await encoded(origins.map((origin) => ({ value: "v", headers: { before: "1", "millrace-origin": origin } })));
  assert.deepEqual([...read(bytes).origin], [42, 9007199254740991, 77, 3, 4, 5, 6, 12345678]);
});

Deno.test("aborted transactions and markers are left out, records between and behind them are not", async () => {
  const bytes = joined([
    await encoded([{ value: "a0" }], { base: 0, producerId: 7, attributes: TRANSACTIONAL }),
    await encoded([{ value: "b1" }], { base: 1, producerId: 8, attributes: TRANSACTIONAL }),
    await encoded([{ value: "plain2" }], { base: 2, producerId: 7 }),
    await marker("abort", 3, 7),
    await encoded([{ value: "a4" }], { base: 4, producerId: 7, attributes: TRANSACTIONAL }),
    await marker("commit", 5, 8),
    await marker("commit", 6, 7),
  ]);
  const aborted = [{ producerId: 7n, firstOffset: 0 }];
  assert.deepEqual(shown(read(bytes, 0, aborted)), ["1 1 b1", "2 2 plain2", "4 4 a4"]);
  assert.equal(read(bytes, 0, aborted).nextOffset, 7);
  const twice = [{ producerId: 7n, firstOffset: 4 }, { producerId: 7n, firstOffset: 0 }];
  assert.deepEqual(shown(read(joined([bytes.slice(0, bytes.length)]), 0, twice)), ["1 1 b1", "2 2 plain2"]);
});

Deno.test("a batch that the broker cut off is left for the next fetch", async () => {
  const first = await encoded([{ value: "a" }], { base: 5 });
  const bytes = joined([first, await encoded([{ value: "b" }], { base: 6 })]);
  for (let length = 0; length < bytes.length; length++) {
    const slices = read(bytes.slice(0, length), 5);
    assert.deepEqual(shown(slices), length < first.length ? [] : ["5 5 a"]);
    assert.equal(slices.nextOffset, length < first.length ? 5 : 6);
  }
});

Deno.test("every changed bit behind the prefix is noticed, and asks for another try", async () => {
  const bytes = await encoded([{ value: '{"id":1}', key: "k" }, { value: '{"id":2}' }]);
  for (let at = 16; at < bytes.length; at++) {
    for (const bit of [1, 128]) {
      const changed = bytes.slice();
      changed[at] ^= bit;
      assert.match(codeOf(() => read(changed)), at === 16 ? /^records_unsupported never$/ : /^records_damaged backoff$/, `byte ${at}`);
    }
  }
});

Deno.test("a batch of false lengths under a right checksum is refused, never read beyond, and as if it had been compressed", async () => {
  const common: readonly Wanted[] = [{ value: "abc", key: "k" }, { value: "def" }, { value: "g", key: "k" }];
  const uncommon: readonly Wanted[] = [{ value: "h".padEnd(100), key: "k".repeat(70) }, { value: "", key: "k", headers: { h: "v" } }];
  const made = [await encoded(common), await encoded([...common, ...uncommon])];
  const told = (bytes: Uint8Array): string => {
    let text = "";
    const code = codeOf(() => {
      const slices = read(bytes);
      text = JSON.stringify([shown(slices), [...slices.keys].map(([row, key]) => [row, ...key])]);
    });
    return `${code} ${text}`;
  };
  for (const bytes of made) {
    for (let at = 57; at < bytes.length; at++) {
      for (const byte of [0, 1, 2, 3, 4, 5, 6, 8, 20, 63, 64, 126, 127, 128, 129, 200, 254, 255, bytes[at] + 2]) {
        const changed = bytes.slice();
        changed[at] = byte;
        // What is compressed is taken apart record by record, whatever its form.
        assert.equal(told(finished(changed, 0)), told(finished(gzipped(changed), 1)), `${byte} at ${at}`);
        const padded = joined([changed, new TextEncoder().encode("secret of the next batch")]).subarray(0, changed.length);
        try {
          const slices = readRecordBatches({ bytes: padded, from: 0, aborted: [], place: "p" }, tools);
          for (let row = 0; row < slices.rows; row++) assert.ok(slices.end[row] <= changed.length);
        } catch (error) {
          assert.equal((error as { code: string }).code, "records_damaged");
        }
      }
    }
  }
});

const TYPE: RecordType = {
  fields: [{ name: "id", type: { kind: "int", nullable: false } }, { name: "note", type: { kind: "string", nullable: true } }],
};

Deno.test("what the writer makes, the reader and the library read back", async () => {
  const { Reader, readRecordsBatches, crc32c: checksum } = await import("@platformatic/kafka");
  const rowsArbitrary = fc.array(
    fc.record({ note: fc.option(fc.string({ maxLength: 9000 })), key: fc.option(fc.string({ maxLength: 100 })) }),
    {
      minLength: 1,
      maxLength: 300,
    },
  );
  fc.assert(
    fc.property(rowsArbitrary, fc.nat({ max: 2 ** 40 }), (rows, first) => {
      const batches = new PartitionBatches(compileJsonRecordsEncoder(TYPE), "origin");
      const batch = batchOf(TYPE, rows.map(({ note }, i) => [i, note]), first);
      appendRows(batches, batch, rows.map(({ key }) => key === null ? null : new TextEncoder().encode(key)));
      const prepared = batches.takeAll();
      let sequence = 0;
      for (const each of prepared) {
        stampBatch(each, { transactional: false, producer: { id: 5n, epoch: 3 }, sequence, timestampMs: 1_700_000_000_000 }, tools);
        assert.equal(new DataView(each.bytes.buffer, each.bytes.byteOffset).getUint32(17), checksum(each.bytes.subarray(21)) >>> 0);
        sequence += each.records;
      }
      const theirs = prepared.flatMap(({ bytes }) => readRecordsBatches(Reader.from(Buffer.from(bytes))));
      const records = theirs.flatMap((one) => one.records);
      assert.deepEqual(records.map(({ value }) => JSON.parse(String(value))), rows.map(({ note }, id) => ({ id, note })));
      assert.deepEqual(records.map(({ key }) => key && String(key)), rows.map(({ key }) => key));
      assert.deepEqual(theirs.map((one) => [one.producerId, one.producerEpoch]), theirs.map(() => [5n, 3]));
      const ours = prepared.flatMap(({ bytes }) => {
        const slices = read(bytes);
        return Array.from(slices.origin);
      });
      assert.deepEqual(ours, rows.map((_, i) => first + i));
    }),
    { seed: SEED, numRuns: 40 },
  );
});

Deno.test("values are read whole and in order, and what stands between them is ASCII, whatever keys and lengths are", () => {
  const rowsArbitrary = fc.array(fc.record({ note: fc.string({ maxLength: 300 }), key: fc.option(fc.uint8Array({ maxLength: 200 })) }), {
    minLength: 1,
    maxLength: 1200,
  });
  fc.assert(
    fc.property(rowsArbitrary, fc.constantFrom("origin" as const, "none" as const), (rows, headers) => {
      const batches = new PartitionBatches(compileJsonRecordsEncoder(TYPE), headers);
      const batch = batchOf(TYPE, rows.map(({ note }, i) => [i, note]), 128);
      appendRows(batches, batch, rows.map(({ key }) => key));
      const [prepared] = batches.takeAll();
      stampBatch(prepared, { transactional: false, producer: { id: 5n, epoch: 3 }, sequence: 0, timestampMs: 1_700_000_000_000 }, tools);
      const { bytes, start, end } = read(prepared.bytes);
      const values = rows.map((_, row) => JSON.parse(new TextDecoder().decode(bytes.subarray(start[row], end[row]))));
      assert.deepEqual(values, rows.map(({ note }, id) => ({ id, note })));
      for (let row = 1; row < rows.length; row++) {
        assert.ok(bytes.subarray(end[row - 1], start[row]).every((byte) => byte < 128), `in front of row ${row}`);
      }
    }),
    { seed: SEED, numRuns: 30 },
  );
});

Deno.test("a long epoch is cut into several batches, and a record longer than one stands alone", () => {
  const batches = new PartitionBatches(compileJsonRecordsEncoder(TYPE), "origin");
  const batch = batchOf(TYPE, [...Array(30).keys()].map((id) => [id, "x".repeat(id === 20 ? 950_000 : 100_000)]));
  appendRows(batches, batch);
  const prepared = batches.takeAll();
  assert.deepEqual(prepared.map((each) => each.records), [9, 9, 2, 1, 9]);
  for (const { bytes } of prepared) assert.ok(bytes.byteOffset >= BATCH_ROOM_BYTES, "a request has room in front of each batch");
  batches.clear();
  assert.equal(batches.bytesHeld, 0);
  assert.deepEqual(batches.takeAll(), []);
});

Deno.test("a topic that takes less gets shorter batches, header included, and one that takes more none that are longer", () => {
  const prepared = (bytesMax: number) => {
    const batches = new PartitionBatches(compileJsonRecordsEncoder(TYPE), "none", { bytesMax });
    appendRows(batches, batchOf(TYPE, [...Array(2000).keys()].map((id) => [id, "x".repeat(1000)])));
    return batches.takeAll().map(({ bytes, records }) => ({ bytes: bytes.length, records }));
  };
  // A record is 1,000 characters and at most 40 bytes around them.
  for (const bytesMax of [1_500, 50_000, 300_000]) {
    for (const { bytes, records } of prepared(bytesMax).slice(0, -1)) {
      assert.ok(bytes <= bytesMax && bytes > bytesMax - 1_040 || records === 1, `${records} records in ${bytes} of ${bytesMax} bytes`);
    }
  }
  assert.deepEqual(prepared(Infinity), prepared(BATCH_BYTES_MAX));
  assert.deepEqual(prepared(900).map(({ records }) => records), Array(2000).fill(1));
});
