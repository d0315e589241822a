/** Rows in RowBinary against a reader of its own, written from the format's grammar: any values, any cut into batches, texts as slices or strings. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { parseColumnType } from "../../../src/connectors/clickhouse/column_type.ts";
import { EpochRows, rowTail } from "../../../src/connectors/clickhouse/epoch_rows.ts";
import { compileRowBinary, misfit } from "../../../src/connectors/clickhouse/row_binary.ts";
import type { Batch, Column } from "../../../src/data/batch.ts";
import { columnOf, makeMeta, textColumn } from "../../../src/data/columns.ts";
import type { Field, Type } from "../../../src/data/types.ts";

/** Reads values by the server's own names of types. Knows nothing of the product. */
class Reader {
  #at = 0;
  readonly #view: DataView;
  constructor(private readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  get done(): boolean {
    return this.#at === this.bytes.length;
  }
  length(): number {
    let value = 0;
    for (let shift = 0;; shift += 7) {
      const byte = this.bytes[this.#at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }
  text(): string {
    const length = this.length();
    const slice = this.bytes.subarray(this.#at, this.#at += length);
    assert.equal(slice.length, length);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(slice);
  }
  whole(bytes: number, signed: boolean): bigint {
    let value = 0n;
    for (let i = bytes - 1; i >= 0; i--) value = value << 8n | BigInt(this.bytes[this.#at + i]);
    this.#at += bytes;
    return signed ? BigInt.asIntN(8 * bytes, value) : value;
  }
  double(): number {
    return this.#view.getFloat64((this.#at += 8) - 8, true);
  }
  value(type: string): unknown {
    const [, name, inside = ""] = /^(\w+?)(?:\((.*)\))?$/.exec(type)!;
    const integer = /^(U?)Int(\d+)$/.exec(name);
    if (integer) return this.whole(Number(integer[2]) / 8, integer[1] === "");
    switch (name) {
      case "Nullable":
        return this.whole(1, false) === 1n ? null : this.value(inside);
      case "LowCardinality":
        return this.value(inside);
      case "Array":
        return Array.from({ length: this.length() }, () => this.value(inside));
      case "Map":
        return Array.from({ length: this.length() }, () => [this.value("String"), this.value(inside.split(", ")[1])]);
      case "Decimal": {
        const digits = Number(inside.split(",")[0]);
        return this.whole(digits <= 9 ? 4 : digits <= 18 ? 8 : 16, true);
      }
      case "String":
        return this.text();
      case "Bool":
        return this.whole(1, false) === 1n;
      case "Float64":
        return this.double();
      case "Date":
        return this.whole(2, false);
      case "Date32":
        return this.whole(4, true);
      case "DateTime64":
        return this.whole(8, true);
      default:
        throw new Error(`the reader does not know ${type}`);
    }
  }
}

interface Case {
  readonly type: Type;
  readonly column: string;
  readonly value: fc.Arbitrary<unknown>;
  /** What the reader must give. */
  readonly read: (value: never) => unknown;
}
const SAFE = Number.MAX_SAFE_INTEGER;
const plain = { nullable: false } as const;
const integers = (least: number, most: number) => fc.integer({ min: least, max: most });
const exact = fc.maxSafeInteger();
/** Around every border of a length, and letters of one to four bytes. */
const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.nat(300).map((length) => "x".repeat(length)),
  fc.nat(50).map((length) => "€".repeat(length)),
  fc.nat(40).map((length) => "😀".repeat(length)),
  fc.constantFrom("", "\0", "x".repeat(16_383), "ü".repeat(8192)),
);
const CASES: readonly Case[] = [
  { type: { kind: "int", ...plain }, column: "Int64", value: exact, read: (value) => BigInt(value) },
  { type: { kind: "int", ...plain }, column: "UInt8", value: integers(0, 255), read: (value) => BigInt(value) },
  { type: { kind: "int", ...plain }, column: "Int16", value: integers(-32768, 32767), read: (value) => BigInt(value) },
  { type: { kind: "int", ...plain }, column: "UInt32", value: integers(0, 2 ** 32 - 1), read: (value) => BigInt(value) },
  { type: { kind: "int", ...plain }, column: "UInt64", value: integers(0, SAFE), read: (value) => BigInt(value) },
  {
    type: { kind: "int", nullable: true },
    column: "Nullable(Int32)",
    value: fc.option(integers(-(2 ** 31), 2 ** 31 - 1)),
    read: (value) => value === null ? null : BigInt(value),
  },
  { type: { kind: "decimal", scale: 2, ...plain }, column: "Decimal(18, 2)", value: exact, read: (value) => BigInt(value) },
  { type: { kind: "decimal", scale: 2, ...plain }, column: "Decimal(38, 12)", value: exact, read: (value) => BigInt(value) * 10n ** 10n },
  {
    type: { kind: "decimal", scale: 1, ...plain },
    column: "Decimal(9, 3)",
    value: integers(-9_999_999, 9_999_999),
    read: (value) => BigInt(value) * 100n,
  },
  {
    type: { kind: "decimal", scale: 2, nullable: true },
    column: "Nullable(Decimal(18, 4))",
    value: fc.option(integers(-(10 ** 15), 10 ** 15)),
    read: (value) => value === null ? null : BigInt(value) * 100n,
  },
  { type: { kind: "double", ...plain }, column: "Float64", value: fc.double({ noNaN: true }), read: (value) => value },
  { type: { kind: "bool", ...plain }, column: "Bool", value: fc.boolean(), read: (value) => value },
  { type: { kind: "string", ...plain }, column: "LowCardinality(String)", value: text, read: (value) => value },
  { type: { kind: "string", nullable: true }, column: "Nullable(String)", value: fc.option(text), read: (value) => value },
  {
    type: { kind: "timestamp", ...plain },
    column: "DateTime64(6, 'UTC')",
    value: integers(-2_208_988_800_000_000, 9_000_000_000_000_000),
    read: (value) => BigInt(value),
  },
  {
    type: { kind: "timestamp", ...plain },
    column: "DateTime64(3)",
    value: integers(-1e12, 1e12).map((ms) => ms * 1000),
    read: (value: number) => BigInt(value / 1000),
  },
  { type: { kind: "date", ...plain }, column: "Date", value: integers(0, 65535), read: (value) => BigInt(value) },
  { type: { kind: "date", ...plain }, column: "Date32", value: integers(-25567, 120529), read: (value) => BigInt(value) },
  {
    type: { kind: "list", item: { kind: "string", ...plain }, ...plain },
    column: "Array(String)",
    value: fc.array(text, { maxLength: 5 }),
    read: (value) => value,
  },
  {
    type: { kind: "list", item: { kind: "int", nullable: true }, ...plain },
    column: "Array(Nullable(Int64))",
    value: fc.array(fc.option(exact), { maxLength: 200 }),
    read: (value: (number | null)[]) => value.map((each) => each === null ? null : BigInt(each)),
  },
  {
    type: { kind: "map", key: { kind: "string", ...plain }, value: { kind: "int", ...plain }, ...plain },
    column: "Map(String, UInt32)",
    value: fc.array(fc.tuple(text, integers(0, 9)), { maxLength: 4 }).map((entries) => new Map(entries)),
    read: (value: Map<string, number>) => [...value].map(([key, each]) => [key, BigInt(each)]),
  },
  {
    type: { kind: "json", ...plain },
    column: "String",
    value: fc.jsonValue().filter((value) => value !== null),
    read: (value) => JSON.stringify(value),
  },
];

/** A column of texts as a decoder makes it: slices of shared bytes, that end where the memory does. */
function slices(values: readonly (string | null)[]): Column {
  const encoder = new TextEncoder();
  const parts = values.map((value) => encoder.encode(value ?? ""));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  const [start, end] = [new Int32Array(values.length), new Int32Array(values.length)];
  let at = 0;
  for (const [row, part] of parts.entries()) {
    bytes.set(part, at);
    start[row] = at;
    end[row] = at += part.length;
  }
  const valid = values.includes(null) ? Uint8Array.from(values, (value) => value === null ? 0 : 1) : null;
  return textColumn(bytes, start, end, valid);
}

const picked = fc.uniqueArray(fc.nat(CASES.length - 1), { minLength: 1, maxLength: 6 }).chain((places) =>
  fc.record({
    cases: fc.constant(places.map((place) => CASES[place])),
    rows: fc.array(fc.tuple(...places.map((place) => CASES[place].value)), { minLength: 1, maxLength: 40 }),
    cut: fc.integer({ min: 1, max: 40 }),
    textForm: fc.constantFrom("slices", "strings"),
    mode: fc.constantFrom("append" as const, "upsert" as const, "token" as const),
    epoch: fc.integer({ min: 1, max: 2 ** 40 }),
  })
);

Deno.test("clickhouse: rows are read as they were written, whatever is in them and however they come", () => {
  fc.assert(
    fc.property(picked, ({ cases, rows, cut, textForm, mode, epoch }) => {
      const fields = cases.map(({ type }, at): Field => ({ name: `f${at}`, type }));
      const columns = fields.map((field, index) => ({ field, index, column: parseColumnType(cases[index].column) }));
      for (const column of columns) assert.equal(misfit(column), null);
      const made = new EpochRows(mode, compileRowBinary(columns, rowTail(mode, "p#r/s", 7)));
      for (let from = 0; from < rows.length; from += cut) {
        const part = rows.slice(from, from + cut);
        const batch: Batch = {
          rows: part.length,
          type: { fields },
          columns: fields.map(({ type }, at) =>
            type.kind === "string" && textForm === "slices"
              ? slices(part.map((row) => row[at] as string | null))
              : columnOf(type, part.map((row) => row[at]))
          ),
          meta: makeMeta("made", 0, Float64Array.from(part, (_, row) => row)),
        };
        made.add(mode === "upsert" ? { ...batch, meta: { ...batch.meta, deleted: Uint8Array.from(part, (_, row) => row % 2) } } : batch);
      }
      made.number({ epoch: mode === "upsert" ? epoch % 2 ** 32 : epoch, timeMicros: 1_737_026_625_123_456 });
      const [bytes, ...others] = made.inserts();
      assert.equal(others.length, 0);
      const reader = new Reader(bytes);
      for (const [number, row] of rows.entries()) {
        for (const [at, { column, read }] of cases.entries()) {
          assert.deepEqual(reader.value(column), read(row[at] as never), `${column} in row ${number}`);
        }
        if (mode === "append") {
          const tail = [reader.text(), reader.whole(4, false), reader.whole(8, false), reader.whole(4, false)];
          assert.deepEqual(tail, ["p#r/s", 7n, BigInt(epoch), BigInt(number)]);
        } else if (mode === "upsert") {
          const version = 1_737_026_625_123_456n << 64n | BigInt(epoch % 2 ** 32) << 32n | BigInt(number);
          assert.deepEqual([reader.whole(16, false), reader.whole(1, false)], [version, BigInt((number % cut) % 2)]);
        }
      }
      assert.ok(reader.done);
    }),
    { seed: 20251121, numRuns: 1500 },
  );
});
