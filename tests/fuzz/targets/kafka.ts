/**
 * Record batches as a broker recorded them, damaged: as they came, with a checksum that is right again, or inside of what a producer
 * compressed. Only offsets that ascend, slices within the bytes, and progress may come of it.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { MillraceError } from "../../../src/data/fault.ts";
import {
  ATTRIBUTES_AT,
  BATCH_HEADER_BYTES,
  BATCH_PREFIX_BYTES,
  CRC_AT,
  readRecordBatches,
} from "../../../src/connectors/kafka/record_batches.ts";
import type { RecordSlices } from "../../../src/connectors/kafka/record_collector.ts";
import { batchTools } from "../../connectors/kafka/support/batch_tools.ts";
import recorded from "../../connectors/kafka/support/broker_batches.json" with { type: "json" };
import type { RecordedFetch } from "../../connectors/kafka/support/recorded_fetch.ts";
import type { Dice } from "../../data/json_fuzz.ts";
import type { Account, Target } from "../harness.ts";
import { bytesOf, type Material, mutated } from "../mutate.ts";

type Tools = Awaited<ReturnType<typeof batchTools>>;
/** What one batch may become, so that inputs that promise much are refused soon. */
const DECOMPRESSED_MAX = 1 << 18;
const COMPRESSIONS = ["gzip", "snappy", "lz4", "zstd"] as const;
const CODES = new Set(["records_damaged", "records_unsupported"]);
const WORDS: readonly Uint8Array[] = [
  Uint8Array.of(0),
  Uint8Array.of(1),
  Uint8Array.of(255, 255, 255, 255, 15),
  Uint8Array.of(128, 128, 128, 128, 16),
  ...bytesOf(["millrace-origin", "\x1emillrace-origin\x0212", "\x02", "\x7f\xff"]),
];
const fetches: readonly RecordedFetch[] = recorded;

/** The whole fetches, and each batch alone. */
function batchesOf(bytes: Uint8Array): Uint8Array[] {
  const batches: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let at = 0; at < bytes.length;) {
    const end = at + BATCH_PREFIX_BYTES + view.getInt32(at + 8);
    batches.push(bytes.slice(at, end));
    at = end;
  }
  return batches;
}

/** Header fields at the edges of what they hold, then the length and the checksum as they should be. */
function repaired(bytes: Uint8Array, tools: Tools, dice: Dice): Uint8Array {
  if (bytes.length < BATCH_HEADER_BYTES) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const edge = dice.pick([0, 1, -1, 5, 6, 255, 0x7fffffff, -0x80000000, dice.next() | 0]);
  if (dice.once(4)) view.setInt16(ATTRIBUTES_AT, dice.below(64));
  if (dice.once(6)) view.setInt32(ATTRIBUTES_AT + 2, edge);
  if (dice.once(6)) view.setInt32(BATCH_HEADER_BYTES - 4, edge);
  if (dice.once(12)) view.setInt32(0, edge);
  view.setInt8(16, 2);
  view.setInt32(8, bytes.length - BATCH_PREFIX_BYTES);
  view.setUint32(CRC_AT, tools.crc32c(bytes.subarray(ATTRIBUTES_AT)));
  return bytes;
}

export const kafka: Target = {
  name: "kafka",
  gateInputs: 25_000,
  open: async () => {
    const tools = await batchTools(DECOMPRESSED_MAX);
    const whole = fetches.map(({ records }) => Uint8Array.from(Buffer.from(records, "base64")));
    const single = whole.flatMap(batchesOf);
    const plain = single.filter((batch) => (batch[ATTRIBUTES_AT + 1] & 0x27) === 0);
    const aborted = fetches.flatMap((fetch) => fetch.aborted).map(({ producerId, firstOffset }) => ({
      producerId: BigInt(producerId),
      firstOffset,
    }));
    const materials: Record<"whole" | "single" | "bodies", Material> = {
      whole: { corpus: whole, words: WORDS },
      single: { corpus: single, words: WORDS },
      bodies: { corpus: plain.map((batch) => batch.subarray(BATCH_HEADER_BYTES)), words: WORDS },
    };
    const compressors = COMPRESSIONS.map((name) => tools.compressor(name));
    const compressed = (dice: Dice): Uint8Array => {
      const { codec, compress } = dice.pick(compressors);
      const text = mutated(materials.bodies, dice);
      // No batch is without records, and the WebAssembly's memory may have moved since it was last given any bytes.
      const body = compress(text.length > 0 ? text : Uint8Array.of(0));
      const batch = new Uint8Array(BATCH_HEADER_BYTES + body.length);
      batch.set(dice.pick(plain).subarray(0, BATCH_HEADER_BYTES));
      batch.set(body, BATCH_HEADER_BYTES);
      batch[ATTRIBUTES_AT + 1] = codec;
      return batch;
    };
    const input = (dice: Dice): Uint8Array => {
      switch (dice.below(4)) {
        case 0:
          return mutated(materials.whole, dice);
        case 1:
          return repaired(compressed(dice), tools, dice);
        default:
          return repaired(mutated(materials.single, dice), tools, dice);
      }
    };
    return {
      run: (dice: Dice, account: Account) => {
        const bytes = input(dice);
        const from = dice.once(3) ? dice.below(40) : 0;
        let slices: RecordSlices;
        try {
          slices = readRecordBatches({ bytes, from, aborted: dice.once(2) ? aborted : [], place: 'partition 0 of topic "t"' }, tools);
        } catch (error) {
          if (!(error instanceof MillraceError) || !CODES.has(error.code)) throw error;
          return account(`refused ${error.code}`);
        }
        assert.ok(slices.nextOffset >= from && Number.isSafeInteger(slices.nextOffset), `next offset ${slices.nextOffset}`);
        let before: number = from - 1;
        for (let row = 0; row < slices.rows; row++) {
          const [start, end, offset] = [slices.start[row], slices.end[row], slices.offset[row]];
          assert.ok(start >= 0 && start <= end && end <= slices.bytes.length, `row ${row}: bytes ${start} to ${end}`);
          assert.ok(
            offset > before && offset < slices.nextOffset,
            `row ${row}: offset ${offset} behind ${before}, next ${slices.nextOffset}`,
          );
          assert.ok(Number.isSafeInteger(slices.origin[row]), `row ${row}: origin ${slices.origin[row]}`);
          before = offset;
          account("accepted");
        }
        if (slices.rows === 0) account("accepted as nothing");
      },
    };
  },
};
