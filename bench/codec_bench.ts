/**
 * What the codecs cost per record, on transactions of the card workload: `deno run -A bench/codec_bench.ts [records] [rounds]`.
 * Prints nanoseconds of wall time per record, the median of the rounds, on one thread.
 */
import { createWriter } from "../src/data/bytes.ts";
import type { Batch } from "../src/data/batch.ts";
import type { DecoderSpec, Split } from "../src/data/codec.ts";
import { makeMeta } from "../src/data/columns.ts";
import { compileCsvDecoder, compileCsvEncoder, splitCsv } from "../src/data/csv/mod.ts";
import { compileJsonDecoder, compileJsonEncoder, splitLines } from "../src/data/json/mod.ts";
import { BATCH_ROWS_MAX, RECORD_BYTES_MAX } from "../src/data/limits.ts";
import { decimalOf, INT, type RecordType, STRING, TIMESTAMP, withNull } from "../src/data/types.ts";

const TRANSACTION: RecordType = {
  fields: [
    { name: "transaction_id", type: INT },
    { name: "card_id", type: INT },
    { name: "merchant_name", type: STRING },
    { name: "timestamp", type: TIMESTAMP, format: "yyyy-MM-dd HH:mm:ss", zone: "UTC" },
    { name: "amount", type: decimalOf(2) },
    { name: "location", type: STRING },
    { name: "transaction_type", type: STRING },
    { name: "related_transaction_id", type: withNull(INT) },
  ],
};
const COLUMNS = TRANSACTION.fields.map((field) => field.name);
const KINDS = ["wire_transfer", "bill_payment", "p2p_transfer", "refund", "atm_withdrawal", "purchase"];
const NAMES = ["Barrett LLC", "Davidson-Moreno", "Smith, Jones and Sons", "Patel Group"];

const records = Number(Deno.args[0] ?? 200_000);
const rounds = Number(Deno.args[1] ?? 9);
const text = Array.from({ length: records }, (_, i) => {
  const name = NAMES[i % NAMES.length];
  const time = new Date(Date.UTC(2025, 3, 1) + i * 997).toISOString().slice(0, 19).replace("T", " ");
  const place = `"${1000 + i % 9000} Brenda Lake, Queens, NY 1${String(i % 10000).padStart(4, "0")}"`;
  const amount = ((i * 7919) % 600000 - 50000) / 100;
  return `${i + 1},${1 + i % 100000},${name.includes(",") ? `"${name}"` : name},${time},${amount},${place},${KINDS[i % KINDS.length]},`;
});
const csv = new TextEncoder().encode(text.join("\n") + "\n");

function splitsOf(bytes: Uint8Array, split: typeof splitCsv): Split[] {
  const parts: Split[] = [];
  for (let at = 0; at < bytes.length;) {
    const part = split(bytes, at, Math.min(at + BATCH_ROWS_MAX * 100, bytes.length), "more", RECORD_BYTES_MAX);
    parts.push(part);
    at += part.consumed;
  }
  return parts;
}
function batchesOf(parts: readonly Split[], decode: ReturnType<typeof compileCsvDecoder>): Batch[] {
  return parts.map(({ records }) => {
    const { columns, bad } = decode(records);
    if (bad.length > 0) throw new Error(`${bad.length} records were refused, the first for ${bad[0].reason}`);
    return { rows: records.rows, type: TRANSACTION, columns, meta: makeMeta("bench", 0, new Float64Array(records.rows)) };
  });
}
function measure(name: string, run: () => void): void {
  const times: number[] = [];
  for (let round = -2; round < rounds; round++) {
    const start = performance.now();
    run();
    if (round >= 0) times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const nanos = (ms: number) => (ms * 1e6 / records).toFixed(0).padStart(5);
  console.log(`${name.padEnd(34)} ${nanos(times[times.length >> 1])} ns   least ${nanos(times[0])} ns`);
}

const all: DecoderSpec = { type: TRANSACTION, needed: new Set(COLUMNS), numericText: "accept", unknownFields: "ignore" };
const csvParts = splitsOf(csv, splitCsv);
const batches = batchesOf(csvParts, compileCsvDecoder(all, COLUMNS));
const writer = createWriter(1 << 20);
function encodeAll(encode: ReturnType<typeof compileCsvEncoder>): number {
  let bytes = 0;
  for (const batch of batches) {
    writer.length = 0;
    for (let row = 0; row < batch.rows; row++) encode(batch, row, writer);
    bytes += writer.length;
  }
  return bytes;
}
const json = createWriter(csv.length * 3);
const encodeJson = compileJsonEncoder(TRANSACTION, { decimals: "number" });
for (const batch of batches) for (let row = 0; row < batch.rows; row++) encodeJson(batch, row, json);
const ndjson = json.bytes.slice(0, json.length);
const jsonParts = splitsOf(ndjson, splitLines);

console.log(
  `${records} transactions, ${(csv.length / records).toFixed(0)} bytes of CSV and ${(ndjson.length / records).toFixed(0)} of JSON each`,
);
measure("split CSV", () => splitsOf(csv, splitCsv));
const decodeCsv = compileCsvDecoder(all, COLUMNS);
measure("decode CSV, all columns", () => batchesOf(csvParts, decodeCsv));
measure("encode CSV", () => encodeAll(compileCsvEncoder(TRANSACTION, COLUMNS)));
measure("split lines", () => splitsOf(ndjson, splitLines));
const decodeJson = compileJsonDecoder(all);
measure("decode JSON, all columns", () => batchesOf(jsonParts, decodeJson));
measure("encode JSON", () => encodeAll(encodeJson));
const lines = new TextDecoder().decode(ndjson).trimEnd().split("\n");
measure("JSON.parse of ready strings", () => lines.forEach((line) => JSON.parse(line)));
