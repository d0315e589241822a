/**
 * The Parquet writer beside the library hyparquet-writer, on the same rows in one run, alternated; CPU of this process per row.
 *
 *   deno run -A bench/parquet_writer.ts [rows]
 */
import { cpuUsage } from "node:process";
import { zstdCompressSync } from "node:zlib";
import { parquetFormat } from "../src/connectors/parquet/parquet_file.ts";
import type { Batch, Column } from "../src/data/batch.ts";
import { columnOf, makeMeta } from "../src/data/columns.ts";
import { decimalOf, INT, type RecordType, STRING, TIMESTAMP, withNull } from "../src/data/types.ts";

const ROWS = Number(Deno.args[0] ?? 200_000);
const ROUNDS = 5;
const TYPE: RecordType = {
  fields: [
    { name: "id", type: STRING },
    { name: "kind", type: STRING },
    { name: "symbol", type: withNull(STRING) },
    { name: "amount", type: decimalOf(2) },
    { name: "quantity", type: INT },
    { name: "at", type: TIMESTAMP },
  ],
};
const COLUMNS = TYPE.fields.map(({ name }) => name);

/** Numbers that look random and are the same in every run. */
function mixed(i: number): number {
  const x = Math.imul(i ^ i >>> 15, 0x2c1b3c6d);
  return (x ^ x >>> 12) >>> 0;
}
const values: readonly (readonly (string | number)[])[] = [
  Array.from({ length: ROWS }, (_, i) => `TX${i.toString(36).padStart(12, "0")}`),
  Array.from({ length: ROWS }, (_, i) => ["buy", "sell", "move"][i % 3]),
  Array.from({ length: ROWS }, (_, i) => `S${i % 500}`),
  Array.from({ length: ROWS }, (_, i) => mixed(i) % 10_000_000),
  Array.from({ length: ROWS }, (_, i) => i % 1000),
  Array.from({ length: ROWS }, (_, i) => 1_700_000_000_000_000 + i * 1000),
];
const batch: Batch = {
  rows: ROWS,
  type: TYPE,
  columns: TYPE.fields.map(({ type }, i) => columnOf(type, values[i])),
  meta: makeMeta("made", 0, new Float64Array(ROWS)),
};
const identity = Int32Array.from({ length: ROWS }, (_, row) => row);
/** What the library takes: a string for every text, a BigInt for every 64-bit number. */
function valuesOf(column: Column): string[] | BigInt64Array {
  if (column.kind === "number") return BigInt64Array.from(column.values, (value) => BigInt(value));
  return Array.from({ length: ROWS }, (_, row) => column.kind === "text" ? column.at(row)! : String(column.values[row]));
}

async function ours(compression: "zstd" | "snappy" | "none"): Promise<number> {
  const format = parquetFormat(TYPE, COLUMNS, { compression, rowGroupBytes: 16 << 20 });
  const blocks = format.blocks();
  blocks.append(batch, identity, ROWS);
  let bytes = 0;
  const file = format.file((piece) => Promise.resolve(void (bytes += piece.length)));
  await file.append([blocks.block()]);
  await file.finish();
  return bytes;
}

// The library is no dependency of the product: it is loaded here alone, without its types.
// deno-lint-ignore no-import-prefix
const library = await import("npm:hyparquet-writer@0.17.0");
const schema = [
  { name: "root", num_children: 6 },
  ...["id", "kind"].map((name) => ({ name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" })),
  { name: "symbol", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
  { name: "amount", type: "INT64", converted_type: "DECIMAL", scale: 2, precision: 18, repetition_type: "REQUIRED" },
  { name: "quantity", type: "INT64", repetition_type: "REQUIRED" },
  { name: "at", type: "INT64", converted_type: "TIMESTAMP_MICROS", repetition_type: "REQUIRED" },
];

function theirs(compression: "zstd" | "snappy" | "none"): Promise<number> {
  const codec = { zstd: "ZSTD", snappy: "SNAPPY", none: "UNCOMPRESSED" }[compression];
  const writer = new library.ByteWriter();
  // deno-lint-ignore no-explicit-any
  const options = { writer, schema, codec, compressors: { ZSTD: (bytes: Uint8Array) => zstdCompressSync(bytes) } } as any;
  const file = new library.ParquetWriter(options);
  const columnData = COLUMNS.map((name, i) => ({ name, data: valuesOf(batch.columns[i]!) }));
  // deno-lint-ignore no-explicit-any
  file.write({ columnData: columnData as any, rowGroupSize: ROWS });
  file.finish();
  return Promise.resolve(writer.getBytes().length);
}

async function cpuOf(body: () => Promise<number>): Promise<{ micros: number; bytes: number }> {
  const before = cpuUsage();
  const bytes = await body();
  const { user, system } = cpuUsage(before);
  return { micros: (user + system) / ROWS, bytes };
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

for (const compression of ["none", "snappy", "zstd"] as const) {
  const mine: number[] = [];
  const other: number[] = [];
  let sizes = "";
  for (let round = 0; round < ROUNDS; round++) {
    const a = await cpuOf(() => ours(compression));
    const b = await cpuOf(() => theirs(compression));
    mine.push(a.micros);
    other.push(b.micros);
    sizes = `${a.bytes} and ${b.bytes} bytes`;
  }
  const [us, them] = [median(mine), median(other)];
  console.log(
    `${compression.padEnd(6)} ${us.toFixed(2)} µs a row, hyparquet-writer ${them.toFixed(2)} µs: ${(them / us).toFixed(1)} times; ${sizes}`,
  );
}
