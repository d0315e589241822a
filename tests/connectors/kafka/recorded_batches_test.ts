/**
 * Batches as a real broker returned them, compressed by its Java code in every way, with aborted transactions and markers; and what
 * damage to them does. support/record_broker_batches.ts made the recording.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { type AbortedTransaction, readRecordBatches } from "../../../src/connectors/kafka/record_batches.ts";
import type { RecordSlices } from "../../../src/connectors/kafka/record_collector.ts";
import recorded from "./support/broker_batches.json" with { type: "json" };
import { BATCHES, ENDS, originOf, plainValue, type RecordedFetch, sentMessages } from "./support/recorded_fetch.ts";
import { batchTools } from "./support/batch_tools.ts";

const SEED = 20265;
const tools = await batchTools();
const fetches: readonly RecordedFetch[] = recorded;
const bytesOf = ({ records }: RecordedFetch): Uint8Array => Uint8Array.from(Buffer.from(records, "base64"));
const abortedOf = ({ aborted }: RecordedFetch): AbortedTransaction[] =>
  aborted.map(({ producerId, firstOffset }) => ({ producerId: BigInt(producerId), firstOffset }));
const read = (bytes: Uint8Array, aborted: readonly AbortedTransaction[] = [], from = 0): RecordSlices =>
  readRecordBatches({ bytes: bytes.slice(), from, aborted, place: 'partition 0 of topic "t"' }, tools);
const valuesOf = (slices: RecordSlices): string[] =>
  Array.from({ length: slices.rows }, (_, i) => new TextDecoder().decode(slices.bytes.subarray(slices.start[i], slices.end[i])));
const sentValues = (batch: number): string[] => sentMessages(batch).map(({ value }) => value ?? "");
const codecs = fetches.filter(({ name }) => name !== "transactions");
const transactions = fetches.find(({ name }) => name === "transactions")!;

Deno.test("what a broker compressed in any way is what was sent, each record at its offset", () => {
  assert.deepEqual(codecs.map(({ name }) => name), ["uncompressed", "gzip", "snappy", "lz4", "zstd"]);
  const sent = Array.from({ length: BATCHES }, (_, batch) => sentValues(batch)).flat();
  for (const [codec, fetched] of codecs.entries()) {
    const bytes = bytesOf(fetched);
    assert.equal(bytes[22] & 7, codec, `${fetched.name} is what its topic compressed`);
    const slices = read(bytes);
    assert.deepEqual(valuesOf(slices), sent, fetched.name);
    assert.deepEqual([...slices.offset], sent.map((_, i) => i));
    assert.deepEqual([...slices.origin], sent.map((_, i) => i % 5 === 1 ? originOf(Math.floor(i / 5), 1) : i));
    assert.equal(slices.nextOffset, sent.length);
    assert.deepEqual(valuesOf(read(bytes, [], 7)), sent.slice(7));
  }
});

Deno.test("of a broker's transactions the committed ones are shown, and what stands between them", () => {
  const slices = read(bytesOf(transactions), abortedOf(transactions));
  const shown = ENDS.flatMap((end, batch) => [...end === "commit" ? sentValues(batch) : [], plainValue(batch)]);
  assert.deepEqual(valuesOf(slices).toSorted(), shown.toSorted());
  // Each transaction has five records, a plain one and a marker.
  assert.equal(slices.nextOffset, 7 * ENDS.length);
  assert.equal(read(bytesOf(transactions)).rows, 6 * ENDS.length, "without the list of aborted ones all are there");
});

/** Where each batch begins, and the position behind the last. */
function batchStarts(bytes: Uint8Array): number[] {
  const starts = [0];
  while (starts.at(-1)! < bytes.length) starts.push(starts.at(-1)! + 12 + new DataView(bytes.buffer).getInt32(starts.at(-1)! + 8));
  return starts;
}
/** The code of the fault, or what was read. */
function outcome(action: () => RecordSlices): { readonly code: string } | { readonly values: string[]; readonly next: number } {
  try {
    const slices = action();
    return { values: valuesOf(slices), next: slices.nextOffset };
  } catch (error) {
    return { code: (error as { code?: string }).code ?? String(error) };
  }
}

Deno.test("damage anywhere in what was fetched is a fault or changes no record: nothing is lost and nothing crashes", () => {
  const counts = { faults: 0, harmless: 0, shorter: 0 };
  const property = fc.property(fc.nat({ max: fetches.length - 1 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (which, where, mask) => {
    const bytes = bytesOf(fetches[which]);
    const aborted = abortedOf(fetches[which]);
    const whole = valuesOf(read(bytes, aborted));
    const at = where % bytes.length;
    const batch = batchStarts(bytes).findLast((start) => start <= at)!;
    // A batch's offset is the broker's to give and lies outside of its checksum.
    fc.pre(at >= batch + 8);
    bytes[at] ^= mask;
    const result = outcome(() => read(bytes, aborted));
    if ("code" in result) {
      assert.match(result.code, /^records_(damaged|unsupported)$/);
      counts.faults++;
    } else if (result.values.length === whole.length) {
      assert.deepEqual(result.values, whole);
      counts.harmless++;
    } else {
      // A length that reaches beyond the fetch: the batch and those behind it are fetched again, none of them is passed over.
      assert.ok(at < batch + 12);
      assert.deepEqual(result.values, whole.slice(0, result.values.length));
      const left = read(bytesOf(fetches[which]), aborted, result.next);
      assert.deepEqual([...result.values, ...valuesOf(left)], whole);
      counts.shorter++;
    }
  });
  fc.assert(property, { seed: SEED, numRuns: 5000 });
  assert.ok(counts.faults > 4000 && counts.harmless > 0 && counts.shorter > 0, JSON.stringify(counts));
});

Deno.test("an offset that does not lie behind the batch before is a fault", () => {
  const bytes = bytesOf(codecs[0]);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(batchStarts(bytes)[1], 3n);
  assert.deepEqual(outcome(() => read(bytes)), { code: "records_damaged" });
});

/** The first plain batch of the recording, changed, under a right checksum. */
function firstBatch(change: (view: DataView) => void, length?: number): Uint8Array {
  const all = bytesOf(codecs[0]);
  const bytes = all.slice(0, length ?? batchStarts(all)[1]);
  const view = new DataView(bytes.buffer);
  change(view);
  view.setInt32(8, bytes.length - 12);
  view.setUint32(17, tools.crc32c(bytes.subarray(21)));
  return bytes;
}

Deno.test("offsets that nothing can go on from are a fault: beyond exact numbers, beyond the batch, out of order", () => {
  assert.ok("values" in outcome(() => read(firstBatch(() => {}))));
  // The second record's offset delta is one byte: zigzag 2 becomes 0 (the first record's), 1 (-1), then one beyond the batch.
  const deltaAt = (view: DataView): number => {
    const first = 61 + varintLength(view, 61);
    const second = first + recordLength(view, 61);
    const fields = second + varintLength(view, second) + 1;
    return fields + varintLength(view, fields);
  };
  const changes: ((view: DataView) => void)[] = [
    (view) => view.setBigInt64(0, 1n << 60n),
    (view) => view.setInt32(23, 3),
    ...[0, 1, 126].map((delta) => (view: DataView) => {
      assert.equal(view.getUint8(deltaAt(view)), 2);
      view.setUint8(deltaAt(view), delta);
    }),
  ];
  for (const change of changes) assert.deepEqual(outcome(() => read(firstBatch(change))), { code: "records_damaged" });
});
function varintLength(view: DataView, at: number): number {
  let length = 1;
  while (view.getUint8(at + length - 1) > 127) length++;
  return length;
}
/** Of the record at `at`, without its own length. */
function recordLength(view: DataView, at: number): number {
  let value = 0;
  for (let i = 0; i < varintLength(view, at); i++) value |= (view.getUint8(at + i) & 127) << 7 * i;
  return value >>> 1;
}

Deno.test("a marker that is cut short under a right checksum is a fault", () => {
  for (const length of [61, 62, 64]) {
    assert.deepEqual(outcome(() => read(firstBatch((view) => view.setInt16(21, 0x30), length))), { code: "records_damaged" });
  }
});

Deno.test("compressed records that are damaged under a right checksum are a fault or other records, never more than the batch says", () => {
  const counts = { faults: 0, read: 0 };
  const property = fc.property(
    fc.integer({ min: 1, max: 4 }),
    fc.nat(),
    fc.nat({ max: 255 }),
    fc.boolean(),
    (codec, where, byte, isCut) => {
      const all = bytesOf(codecs[codec]);
      const first = all.slice(0, batchStarts(all)[1]);
      const at = 61 + where % (first.length - 61);
      const bytes = isCut ? first.slice(0, at) : first.with(at, byte);
      const view = new DataView(bytes.buffer);
      view.setInt32(8, bytes.length - 12);
      view.setUint32(17, tools.crc32c(bytes.subarray(21)));
      const result = outcome(() => read(bytes));
      if ("code" in result) assert.equal(result.code, "records_damaged");
      else assert.ok(result.values.length <= 5);
      counts["code" in result ? "faults" : "read"]++;
    },
  );
  fc.assert(property, { seed: SEED, numRuns: 3000 });
  assert.ok(counts.faults > 1000, JSON.stringify(counts));
  assert.equal(read(bytesOf(codecs[3])).rows, 15, "what failed before leaves the codecs working");
});
