/** Parquet files of generated rows, read back by hyparquet, which shares nothing with the writer. */
import assert from "node:assert/strict";
import { zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { parquetFormat } from "../../../src/connectors/parquet/parquet_file.ts";
import {
  BOOL,
  DATE,
  decimalOf,
  DOUBLE,
  INT,
  listOf,
  type RecordType,
  STRING,
  TIMESTAMP,
  type Type,
  withNull,
} from "../../../src/data/types.ts";
import { batchOf } from "../support/rows.ts";

const SEED = 20266;
const JSON_TYPE: Type = { kind: "json", nullable: false };

type Compression = "zstd" | "snappy" | "none";
interface Made {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: RecordType;
}

/** One file of these row groups; each group is a list of blocks, each block a list of rows. */
async function fileOf(type: RecordType, groups: readonly (readonly (readonly unknown[][])[])[], compression: Compression): Promise<Made> {
  const format = parquetFormat(type, type.fields.map(({ name }) => name), { compression, rowGroupBytes: 1 << 20 });
  const pieces: Uint8Array[] = [];
  const file = format.file((bytes) => Promise.resolve(void pieces.push(bytes.slice())));
  const builder = format.blocks();
  for (const blocks of groups) {
    const made = blocks.map((rows) => {
      // In two batches: how rows arrive must not matter.
      for (const half of [rows.slice(0, rows.length >> 1), rows.slice(rows.length >> 1)]) {
        builder.append(batchOf(type, half), Int32Array.from(half, (_, row) => row), half.length);
      }
      const block = builder.block();
      assert.equal(block.length, builder.bytes);
      builder.clear();
      return block;
    });
    await file.append(made);
  }
  await file.finish();
  return { bytes: new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer()), type };
}

async function rowsOf({ bytes, type }: Made): Promise<unknown[][]> {
  const compressors = { ZSTD: (page: Uint8Array) => new Uint8Array(zstdDecompressSync(page)) };
  const rows = await parquetReadObjects({ file: bytes.buffer, compressors });
  return rows.map((row) => type.fields.map(({ name }) => row[name]));
}

/** What hyparquet makes of a value of ours. */
function readValue(value: unknown, type: Type): unknown {
  if (value === null) return null;
  switch (type.kind) {
    case "int":
    case "duration":
      return BigInt(value as number);
    case "decimal":
      return (value as number) * 10 ** -type.scale;
    case "timestamp":
      return new Date(Math.trunc(value as number / 1000));
    case "date":
      return new Date((value as number) * 86_400_000);
    case "json":
    case "list":
      return JSON.parse(JSON.stringify(value));
    default:
      return value;
  }
}

const TIMES = fc.integer({ min: -9_000_000_000_000_000, max: 9_000_000_000_000_000 });
const KINDS: readonly (readonly [Type, fc.Arbitrary<unknown>])[] = [
  [
    INT,
    fc.oneof(
      fc.maxSafeInteger(),
      fc.constantFrom(0, -1, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
    ),
  ],
  [decimalOf(0), fc.maxSafeInteger()],
  [decimalOf(2), fc.integer()],
  [DOUBLE, fc.double({ noNaN: false })],
  [BOOL, fc.boolean()],
  [TIMESTAMP, TIMES],
  [DATE, fc.integer({ min: -719_162, max: 2_932_896 })],
  [STRING, fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", "a", "é", "😀".repeat(40)))],
  [JSON_TYPE, fc.oneof(fc.constant({ a: [1, "ü"] }), fc.integer(), fc.string())],
  [listOf(INT), fc.array(fc.integer(), { maxLength: 3 })],
];

/** A few fields, and rows for them; some values come often, so that dictionaries are made. */
const tables = fc.array(fc.tuple(fc.integer({ min: 0, max: KINDS.length - 1 }), fc.boolean()), { minLength: 1, maxLength: 5 }).chain(
  (chosen) => {
    const fields = chosen.map(([kind, isNullable], i) => ({ name: `f${i}`, type: isNullable ? withNull(KINDS[kind][0]) : KINDS[kind][0] }));
    const row = fc.tuple(...chosen.map(([kind, isNullable]) => isNullable ? fc.option(KINDS[kind][1], { freq: 3 }) : KINDS[kind][1]));
    const repeated = fc.tuple(fc.array(row, { minLength: 1, maxLength: 3 }), fc.array(fc.nat(2), { maxLength: 40 }))
      .map(([few, picks]) => picks.map((pick) => few[pick % few.length]));
    const blocks = fc.array(fc.oneof(fc.array(row, { minLength: 1, maxLength: 12 }), repeated.filter((rows) => rows.length > 0)), {
      minLength: 1,
      maxLength: 3,
    });
    return fc.record({
      type: fc.constant<RecordType>({ fields }),
      groups: fc.array(blocks, { minLength: 1, maxLength: 3 }),
      compression: fc.constantFrom<Compression>("zstd", "snappy", "none"),
    });
  },
);

Deno.test("rows of every type come back from a file as they went in, however they are cut and compressed", async () => {
  let withDictionary = 0;
  await fc.assert(
    fc.asyncProperty(tables, async ({ type, groups, compression }) => {
      const made = await fileOf(type, groups, compression);
      const wished = groups.flat(2).map((row) => row.map((value, i) => readValue(value, type.fields[i].type)));
      assert.deepEqual(await rowsOf(made), wished);
      const { row_groups } = parquetMetadata(made.bytes.buffer);
      assert.equal(row_groups.length, groups.length);
      withDictionary += row_groups.flatMap(({ columns }) => columns).filter(({ meta_data }) => meta_data!.dictionary_page_offset).length;
    }),
    { seed: SEED, numRuns: 400 },
  );
  assert.ok(withDictionary > 100, `${withDictionary} columns had a dictionary`);
});

Deno.test("a row group states the least and greatest value and the nulls of each column", async () => {
  const type: RecordType = {
    fields: [
      { name: "amount", type: decimalOf(2) },
      { name: "name", type: withNull(STRING) },
      { name: "ratio", type: DOUBLE },
      { name: "odd", type: DOUBLE },
    ],
  };
  const made = await fileOf(type, [[[[-5, "b", 0, NaN], [700, null, 1.5, 1], [3, "a\u{1F600}", 2, 2]]]], "none");
  const statistics = parquetMetadata(made.bytes.buffer).row_groups[0].columns.map(({ meta_data }) => meta_data!.statistics);
  const [amount, name, ratio, odd] = statistics.map((one) => [one?.min_value, one?.max_value, Number(one?.null_count)]);
  assert.deepEqual(amount, [-0.05, 7, 0]);
  assert.deepEqual(name, ["a\u{1F600}", "b", 1]);
  assert.ok(Object.is(ratio[0], -0), "a zero stands for zeros of both signs");
  assert.deepEqual(ratio.slice(1), [2, 0]);
  assert.deepEqual(odd, [undefined, undefined, 0]);
});

Deno.test("values that hardly come again are written without a dictionary, those that do with one", async () => {
  const type: RecordType = { fields: [{ name: "id", type: INT }, { name: "kind", type: STRING }, { name: "at", type: TIMESTAMP }] };
  const rows = Array.from({ length: 20_000 }, (_, i) => [i, `kind ${i % 300}`, 1e15 + (i % 70_000)]);
  const made = await fileOf(type, [[rows]], "zstd");
  const { row_groups: [group] } = parquetMetadata(made.bytes.buffer);
  assert.deepEqual(group.columns.map(({ meta_data }) => meta_data!.dictionary_page_offset !== undefined), [false, true, false]);
  const back = await rowsOf(made);
  assert.deepEqual([back[0][1], back[299][1], back[300][1], back[19_999][1]], ["kind 0", "kind 299", "kind 0", "kind 199"]);
});
