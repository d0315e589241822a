/**
 * What the codecs cost per record: card payments as CSV and JSON, and the payments of the peer benchmark (workload A of 140 bytes) as
 * JSON and in Kafka's record batches, and wide rows of change data capture: `deno run -A bench/codec_bench.ts [records] [rounds]`. Prints nanoseconds of CPU of the whole
 * process per record, the least of the rounds.
 */
import process from "node:process";
import { createWriter } from "../src/data/bytes.ts";
import type { Batch, Column } from "../src/data/batch.ts";
import type { Decoder, DecoderSpec, Encoder, Split } from "../src/data/codec.ts";
import { columnOf, makeMeta, textColumn } from "../src/data/columns.ts";
import { KeyPartitioner } from "../src/connectors/key_partitioner.ts";
import type { RowExpression } from "../src/connectors/row_expressions.ts";
import { compileCsvDecoder, compileCsvEncoder, compileCsvRowsEncoder, splitCsv } from "../src/data/csv/mod.ts";
import {
  compileChangeEncoder,
  compileJsonDecoder,
  compileJsonEncoder,
  compileJsonRecordsEncoder,
  splitLines,
} from "../src/data/json/mod.ts";
import { BATCH_ROWS_MAX, RECORD_BYTES_MAX } from "../src/data/limits.ts";
import { decimalOf, DOUBLE, INT, type RecordType, STRING, TIMESTAMP, type Type, withNull } from "../src/data/types.ts";
import { recordGenerators } from "../src/connectors/generate/record_generators.ts";
import { PartitionBatches, stampBatch } from "../src/connectors/kafka/batch_writer.ts";
import { readRecordBatches } from "../src/connectors/kafka/record_batches.ts";
import { batchTools } from "../tests/connectors/kafka/support/batch_tools.ts";

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
const PAYMENT: RecordType = {
  fields: [
    { name: "transaction_id", type: STRING },
    { name: "card_id", type: STRING },
    { name: "amount", type: decimalOf(2) },
    { name: "merchant_zip", type: STRING },
    { name: "ts", type: INT },
    { name: "type", type: STRING },
  ],
};
const DECISION: RecordType = {
  fields: [
    ...PAYMENT.fields,
    { name: "status", type: STRING },
    { name: "pending_balance", type: decimalOf(2) },
    { name: "reason", type: STRING },
  ],
};

const records = Number(Deno.args[0] ?? 200_000);
const rounds = Number(Deno.args[1] ?? 15);
const lines = (line: (i: number) => string): Uint8Array =>
  new TextEncoder().encode(Array.from({ length: records }, (_, i) => line(i) + "\n").join(""));
const digits = (value: number, count: number): string => String(value).padStart(count, "0");
const csv = lines((i) => {
  const name = NAMES[i % NAMES.length];
  const time = new Date(Date.UTC(2025, 3, 1) + i * 997).toISOString().slice(0, 19).replace("T", " ");
  const place = `"${1000 + i % 9000} Brenda Lake, Queens, NY 1${digits(i % 10000, 4)}"`;
  const amount = ((i * 7919) % 600000 - 50000) / 100;
  return `${i + 1},${1 + i % 100000},${name.includes(",") ? `"${name}"` : name},${time},${amount},${place},${KINDS[i % KINDS.length]},`;
});
const payments = lines((i) => {
  const amount = `${i * 7919 % 300}.${digits(i * 31 % 100, 2)}`;
  const card = `4${digits(i * 7919 % 10_000_000, 15)}`;
  const zip = digits(10_000 + i * 37 % 90_000, 5);
  const members = `"transaction_id":"tx${digits(i, 9)}","card_id":"${card}","amount":"${amount}","merchant_zip":"${zip}"`;
  return `{${members},"ts":${1_760_000_000_000 + i},"type":"${KINDS[i % KINDS.length]}"}`;
});

function splitsOf(bytes: Uint8Array, split: typeof splitCsv): Split[] {
  const parts: Split[] = [];
  for (let at = 0; at < bytes.length;) {
    const part = split(bytes, at, Math.min(at + BATCH_ROWS_MAX * 100, bytes.length), "more", RECORD_BYTES_MAX);
    parts.push(part);
    at += part.consumed;
  }
  return parts;
}
function batchesOf(type: RecordType, parts: readonly Split[], decode: Decoder): Batch[] {
  return parts.map(({ records }) => {
    const { columns, bad, spelled: forms } = decode(records);
    if (bad.length > 0) throw new Error(`${bad.length} records were refused, the first for ${bad[0].reason}`);
    const position = new Float64Array(records.rows);
    const raw = textColumn(records.bytes, records.start, records.end, null);
    const spelled = forms && { fields: type.fields, columns, forms };
    return { rows: records.rows, type, columns, meta: makeMeta("bench", 0, position, position, raw, spelled) };
  });
}
function measure(name: string, run: () => void): void {
  let best = Infinity;
  for (let round = -3; round < rounds; round++) {
    const start = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(start);
    if (round >= 0) best = Math.min(best, user + system);
  }
  console.log(`${name.padEnd(58)} ${(best * 1e3 / records).toFixed(0).padStart(5)} ns`);
}
const writer = createWriter(1 << 20);
function encodeAll(batches: readonly Batch[], encode: Encoder): void {
  for (const batch of batches) {
    writer.length = 0;
    for (let row = 0; row < batch.rows; row++) encode(batch, row, writer);
  }
}
const whole = (type: RecordType): DecoderSpec => ({
  type,
  needed: new Set(type.fields.map(({ name }) => name)),
  numericText: "accept",
  unknownFields: "ignore",
});

const csvParts = splitsOf(csv, splitCsv);
const decodeCsv = compileCsvDecoder(whole(TRANSACTION), COLUMNS);
const cards = batchesOf(TRANSACTION, csvParts, decodeCsv);
const json = createWriter(csv.length * 3);
const encodeCard = compileJsonEncoder(TRANSACTION);
for (const batch of cards) for (let row = 0; row < batch.rows; row++) encodeCard(batch, row, json);
const cardJson = json.bytes.slice(0, json.length);
const cardParts = splitsOf(cardJson, splitLines);
const perRecord = (bytes: Uint8Array): string => (bytes.length / records).toFixed(0);

console.log(`card payments of ${perRecord(csv)} bytes of CSV and ${perRecord(cardJson)} of JSON, eight columns`);
measure("split CSV", () => splitsOf(csv, splitCsv));
measure("decode CSV", () => batchesOf(TRANSACTION, csvParts, decodeCsv));
measure("encode CSV, row by row", () => encodeAll(cards, compileCsvEncoder(TRANSACTION, COLUMNS)));
const encodeRows = compileCsvRowsEncoder(TRANSACTION, COLUMNS);
const ends = new Uint32Array(records + BATCH_ROWS_MAX);
measure("encode CSV, many rows a call", () => {
  for (const batch of cards) {
    writer.length = 0;
    encodeRows(batch, 0, batch.rows, writer, ends, 0);
  }
});
measure("split lines", () => splitsOf(cardJson, splitLines));
const decodeCard = compileJsonDecoder(whole(TRANSACTION));
measure("decode JSON", () => batchesOf(TRANSACTION, cardParts, decodeCard));
measure("encode JSON field by field", () => encodeAll(cards, encodeCard));
const readCards = batchesOf(TRANSACTION, cardParts, decodeCard);
measure("encode JSON as it was read", () => encodeAll(readCards, encodeCard));
const texts = new TextDecoder().decode(cardJson).trimEnd().split("\n");
measure("JSON.parse of ready strings", () => texts.forEach((text) => JSON.parse(text)));

console.log(`\npayments of ${perRecord(payments)} bytes of JSON, six columns`);
const paymentParts = splitsOf(payments, splitLines);
const decodePayment = compileJsonDecoder(whole(PAYMENT));
measure("decode", () => batchesOf(PAYMENT, paymentParts, decodePayment));
const few = compileJsonDecoder({ ...whole(PAYMENT), needed: new Set(["card_id", "amount"]) });
measure("decode two columns, check the others", () => batchesOf(PAYMENT, paymentParts, few));
const spaced = new TextEncoder().encode(new TextDecoder().decode(payments).replaceAll('":', '": ').replaceAll(',"', ', "'));
const spacedParts = splitsOf(spaced, splitLines);
const decodeSpaced = compileJsonDecoder(whole(PAYMENT));
measure("decode with blanks behind commas and colons", () => batchesOf(PAYMENT, spacedParts, decodeSpaced));
const decisions = batchesOf(PAYMENT, paymentParts, decodePayment).map((batch): Batch => {
  const statuses = Array.from({ length: batch.rows }, (_, row) => row % 7 === 0 ? "declined" : "pending");
  const balances = Array.from({ length: batch.rows }, (_, row) => row * 977 % 1_000_000);
  const reasons = statuses.map((status) => status === "declined" ? "limit" : "");
  const made: Column[] = [{ kind: "value", values: statuses }, columnOf(decimalOf(2), balances), { kind: "value", values: reasons }];
  return { ...batch, type: DECISION, columns: [...batch.columns, ...made] };
});
const encodeDecision = compileJsonEncoder(DECISION, { decimals: "string" });
measure("encode with three more fields, copied", () => encodeAll(decisions, encodeDecision));
const unknown = decisions.map((batch): Batch => ({ ...batch, meta: { ...batch.meta, spelled: null } }));
measure("encode with three more fields, field by field", () => encodeAll(unknown, encodeDecision));

/** Rows of 29 columns as change data capture writes them, of which a processor reads eight. */
const PLACE: Type = {
  kind: "struct",
  nullable: true,
  fields: [
    { name: "latitude", type: withNull(DOUBLE) },
    { name: "longitude", type: withNull(DOUBLE) },
    { name: "city", type: withNull(STRING) },
    { name: "country", type: withNull(STRING) },
  ],
};
const CHANGE: RecordType = {
  fields: [
    { name: "id", type: STRING },
    { name: "transaction_type", type: STRING },
    { name: "from_account_id", type: withNull(STRING) },
    { name: "customer_id", type: withNull(STRING) },
    { name: "amount", type: decimalOf(2) },
    { name: "device_fingerprint", type: withNull(STRING) },
    { name: "created_at", type: TIMESTAMP },
    { name: "transaction_location", type: PLACE },
  ],
};
const sequence = recordGenerators.get("fintech")!.sequence("original", 7);
const made = createWriter(records * 1200);
const GENERATED_AT_MICROS = 1_757_000_000_000_000;
measure("generate", () => {
  made.length = 0;
  for (let i = 0; i < records; i++) sequence.write(i, GENERATED_AT_MICROS + sequence.offsetMicros!(i), made);
});
const changes = made.bytes.slice(0, made.length);
const changeParts = splitsOf(changes, splitLines);
const changeTexts = new TextDecoder().decode(changes).trimEnd().split("\n");
const asLines = (line: (text: string) => string): Split[] =>
  splitsOf(new TextEncoder().encode(changeTexts.map((text) => line(text) + "\n").join("")), splitLines);
const asObjects = asLines((text) => {
  const row = JSON.parse(text);
  for (const name of ["transaction_location", "compliance_flags", "tags", "metadata"]) row[name] = JSON.parse(row[name]);
  return JSON.stringify(row);
});
const source = JSON.stringify({
  version: "2.5.0",
  connector: "postgresql",
  name: "fintech",
  ts_ms: 1,
  db: "fintech",
  table: "transactions",
});
const envelopes = asLines((text) => `{"before":null,"after":${text},"source":${source},"op":"c","ts_ms":1757000000000,"transaction":null}`);
const decodeChanges = (type: RecordType): Decoder => compileJsonDecoder({ ...whole(type), changes: { deletes: "drop", key: null } });
console.log(`\nchanges of ${perRecord(changes)} bytes and 29 columns, eight of them read`);
const megabytes = (parts: readonly Split[]): string => `${(parts.reduce((sum, part) => sum + part.consumed, 0) / 1e6).toFixed(0)} MB`;
const decodeAsChanges = decodeChanges(CHANGE);
measure(`decode rows, ${megabytes(changeParts)}`, () => batchesOf(CHANGE, changeParts, decodeAsChanges));
const decodeAsRows = compileJsonDecoder(whole(CHANGE));
measure("decode them as plain JSON", () => batchesOf(CHANGE, changeParts, decodeAsRows));
const decodeObjects = compileJsonDecoder(whole(CHANGE));
measure(`decode plain JSON with objects for text, ${megabytes(asObjects)}`, () => batchesOf(CHANGE, asObjects, decodeObjects));
const FLAT: RecordType = { fields: CHANGE.fields.slice(0, -1) };
const decodeFlat = decodeChanges(FLAT);
measure("decode rows without the JSON column", () => batchesOf(FLAT, changeParts, decodeFlat));
const decodeEnvelopes = decodeChanges(CHANGE);
measure(`decode envelopes, ${megabytes(envelopes)}`, () => batchesOf(CHANGE, envelopes, decodeEnvelopes));
const columnsSchema = Object.keys(JSON.parse(changeTexts[0])).map((field) => ({ type: "string", optional: true, field }));
const front = JSON.stringify({
  type: "struct",
  fields: ["before", "after"].map((field) => ({ type: "struct", fields: columnsSchema, field })),
});
const wrapped = asLines((text) => `{"schema":${front},"payload":{"before":null,"after":${text},"source":${source},"op":"c"}}`);
const decodeWrapped = decodeChanges(CHANGE);
measure(`decode envelopes behind their schema, ${megabytes(wrapped)}`, () => batchesOf(CHANGE, wrapped, decodeWrapped));
measure("JSON.parse of ready strings", () => changeTexts.forEach((text) => JSON.parse(text)));
const decoded = batchesOf(CHANGE, changeParts, decodeAsChanges);
measure("encode those eight columns as changes", () => encodeAll(decoded, compileChangeEncoder(CHANGE)));

console.log("\nrecord batches of those payments, keys of 16 bytes");
const tools = await batchTools();
const cardKey = { field: DECISION.fields.findIndex(({ name }) => name === "card_id") } as RowExpression;
const spread = new KeyPartitioner({ expression: cardKey, member: null });
const encodeRecords = compileJsonRecordsEncoder(DECISION, { decimals: "string" });
const stamp = { transactional: true, producer: { id: 1n, epoch: 0 }, sequence: 0, timestampMs: 0 };
function writeBatches(compression: "none" | "lz4" | "snappy" | "zstd" | "gzip"): Uint8Array[] {
  const compressor = compression === "none" ? null : tools.compressor(compression);
  const into = new PartitionBatches(encodeRecords, "none", { compressor });
  const made: Uint8Array[] = [];
  for (const batch of decisions) {
    spread.spread(batch, [into]);
    for (const prepared of into.takeAll()) {
      stampBatch(prepared, stamp, tools);
      made.push(prepared.bytes.slice());
      prepared.release();
    }
  }
  return made;
}
for (const compression of ["none", "snappy", "lz4", "zstd", "gzip"] as const) {
  measure(`encode and write, checksum made, compression ${compression}`, () => writeBatches(compression));
  const made = writeBatches(compression);
  measure(`read, checksum tested, compression ${compression}`, () => {
    for (const bytes of made) readRecordBatches({ bytes: bytes.slice(), from: 0, aborted: [], place: "bench" }, tools);
  });
}
