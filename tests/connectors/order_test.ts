/** Sort keys and merging against the obvious way of doing it. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createWriter, written } from "../../src/data/bytes.ts";
import type { RowsEncoder } from "../../src/data/codec.ts";
import { BOOL, decimalOf, INT, STRING, type Type, withNull } from "../../src/data/types.ts";
import type { RowExpression } from "../../src/connectors/row_expressions.ts";
import { compareBytes, sortKey } from "../../src/connectors/files/sort_key.ts";
import { mergeParts } from "../../src/connectors/files/merge.ts";
import { readPart, writePart } from "../../src/connectors/files/part.ts";
import { EpochRows } from "../../src/connectors/files/epoch_rows.ts";
import { MERGE_FAN_IN_MAX } from "../../src/connectors/limits.ts";
import { Machine, Process } from "./support/memory_world.ts";
import { batchOf } from "./support/rows.ts";

const SEED = 20262;

function keyOf(types: readonly Type[], values: readonly unknown[]): Uint8Array {
  const parts: RowExpression[] = types.map((type, i) => ({ type, field: null, uses: new Set(), over: () => () => values[i] }));
  const writer = createWriter(8);
  sortKey(parts).encode(batchOf({ fields: [] }, [[]]), writer, new Uint32Array(1), 0);
  return written(writer).slice();
}

/** Nulls first, false before true, numbers by size, text by code point. */
function compareValues(a: unknown, b: unknown): number {
  if (a === null || b === null) return (a === null ? 0 : 1) - (b === null ? 0 : 1);
  if (typeof a !== "string") return Number(a) - Number(b);
  const [x, y] = [[...a], [...b as string]].map((points) => points.map((point) => point.codePointAt(0)!));
  for (let i = 0; i < Math.min(x.length, y.length); i++) if (x[i] !== y[i]) return x[i] - y[i];
  return x.length - y.length;
}

const integer = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true }));
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom("\0", "\x01", "a", "é", "\uffff", "😀"), maxLength: 4 }),
  fc.string({ unit: "binary" }),
);
const wellFormed = text.filter((value) => value.isWellFormed());

Deno.test("the byte order of sort keys is the order of the values", () => {
  const types = [withNull(INT), withNull(STRING), BOOL];
  const row = fc.tuple(fc.option(integer), fc.option(wellFormed), fc.boolean());
  fc.assert(
    fc.property(row, row, (a, b) => {
      const wished = a.map((value, i) => compareValues(value, b[i])).find((order) => order !== 0) ?? 0;
      const [x, y] = [keyOf(types, a), keyOf(types, b)];
      assert.equal(Math.sign(compareBytes(x, 0, x.length, y, 0, y.length)), Math.sign(wished));
    }),
    { seed: SEED, numRuns: 20_000 },
  );
});

Deno.test("numbers have the same keys alone, and it is known whether they ascend", () => {
  fc.assert(
    fc.property(fc.array(integer, { minLength: 1, maxLength: 5 }), (values) => {
      const parts: RowExpression[] = [{ type: INT, field: null, uses: new Set(), over: () => (row) => values[row] }];
      const batch = batchOf({ fields: [] }, values.map(() => []));
      const [alone, twice] = [createWriter(8), createWriter(8)];
      const ends = new Uint32Array(values.length);
      const ascending = values.every((value, i) => i === 0 || value >= values[i - 1]);
      assert.equal(sortKey(parts).encode(batch, alone, ends, 0), ascending);
      assert.deepEqual([...ends], values.map((_, i) => 8 * (i + 1)));
      assert.equal(sortKey([...parts, ...parts]).encode(batch, twice, ends, 0), ascending);
      for (let i = 0; i < values.length; i++) {
        assert.deepEqual(written(alone).slice(8 * i, 8 * i + 8), written(twice).slice(16 * i + 8, 16 * i + 16));
      }
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});

Deno.test("keys of numbers alone have a fixed width", () => {
  const expression = (type: Type): RowExpression => ({ type, field: null, uses: new Set(), over: () => () => 0 });
  assert.equal(sortKey([expression(INT), expression(decimalOf(2))]).width, 16);
  assert.equal(sortKey([expression(withNull(INT))]).width, null);
  assert.equal(sortKey([expression(STRING)]).width, null);
});

interface Row {
  readonly key: number | string;
  readonly text: string;
}

/** Writes every epoch as a part, merges them all, and compares with a stable sort of everything by (key, lane, epoch, arrival). */
async function checkMerge(type: Type, lanes: readonly (readonly (readonly Row[])[])[]): Promise<void> {
  const record = { fields: [{ name: "key", type }, { name: "text", type: STRING }] };
  const key = sortKey([{
    type,
    uses: new Set(["key"]),
    field: 0,
    over: ({ columns: [column] }) => (row) => column!.kind === "text" ? column!.at(row) : column!.values[row],
  }]);
  const machine = new Machine();
  const { files } = new Process(machine).world();
  const encode: RowsEncoder = (batch, from, to, into, ends, at) => {
    const column = batch.columns[1]!;
    for (let row = from; row < to; row++) {
      const bytes = new TextEncoder().encode(column.kind === "text" ? column.at(row)! : "");
      into.reserve(bytes.length + 1);
      into.bytes.set(bytes, into.length);
      into.length += bytes.length;
      into.bytes[into.length++] = 10;
      ends[at + row - from] = into.length;
    }
  };
  const parts = [];
  for (const [lane, epochs] of lanes.entries()) {
    for (const [i, rows] of epochs.entries()) {
      if (rows.length === 0) continue;
      const collected = new EpochRows(encode, key);
      // In two batches: how rows arrive must not matter.
      const values = rows.map((row) => [row.key, row.text]);
      collected.append(batchOf(record, values.slice(0, values.length >> 1)));
      collected.append(batchOf(record, values.slice(values.length >> 1)));
      const stamp = { pipeline: "p", run: "r", lane, epoch: i + 1, owner: 1, digest: "d", timeMicros: 0 };
      const part = await writePart(files, "parts", stamp, collected.ordered(), key.width);
      assert.deepEqual(await readPart(files, part.path), part);
      parts.push(part);
    }
  }
  let merged = "";
  const decoder = new TextDecoder();
  await mergeParts(
    files,
    parts.toReversed(),
    "scratch",
    (bytes) => Promise.resolve(void (merged += decoder.decode(bytes, { stream: true }))),
  );
  const all = lanes.flatMap((epochs, lane) => epochs.flatMap((rows, epoch) => rows.map((row, i) => ({ ...row, lane, epoch, i }))));
  all.sort((a, b) => compareValues(a.key, b.key) || a.lane - b.lane || a.epoch - b.epoch || a.i - b.i);
  assert.equal(merged, all.map((row) => row.text + "\n").join(""));
}

const rowsOf = <K extends number | string>(key: fc.Arbitrary<K>) =>
  fc.array(fc.record({ key, text: fc.string({ unit: fc.constantFrom("a", "b", "ü"), maxLength: 6 }) }), { maxLength: 12 });

Deno.test("merging parts gives the order of one sort, ties by lane, epoch and arrival", async () => {
  const numbers = fc.array(fc.array(rowsOf(fc.integer({ min: 0, max: 9 })), { maxLength: 6 }), { minLength: 1, maxLength: 4 });
  await fc.assert(fc.asyncProperty(numbers, (lanes) => checkMerge(INT, lanes)), { seed: SEED, numRuns: 150 });
  const texts = fc.array(fc.array(rowsOf(fc.string({ unit: fc.constantFrom("x", "y"), maxLength: 3 })), { maxLength: 6 }), {
    minLength: 1,
    maxLength: 4,
  });
  await fc.assert(fc.asyncProperty(texts, (lanes) => checkMerge(STRING, lanes)), { seed: SEED, numRuns: 150 });
});

Deno.test("more overlapping parts than may be open at once are merged in passes", async () => {
  const count = MERGE_FAN_IN_MAX * MERGE_FAN_IN_MAX + 7;
  const epochs = Array.from(
    { length: count },
    (_, epoch) => [7, 1, 4].map((key, i) => ({ key: (key * epoch) % 50, text: `${epoch}/${i}` })),
  );
  await checkMerge(INT, [epochs.slice(0, 500), epochs.slice(500)]);
});

Deno.test("rows and blocks larger than a cursor's buffers are merged whole", async () => {
  const long = (lane: number) =>
    [1, 2].map((epoch) =>
      Array.from({ length: 5 }, (_, i) => ({ key: i * 2 + lane, text: `${lane}${epoch}${i}`.repeat(i === 3 ? 200_000 : 20_000) }))
    );
  await checkMerge(INT, [long(0), long(1)]);
  const longKeys = [0, 1].map((lane) => [[1, 2, 3].map((i) => ({ key: "k".repeat(90_000) + (i * 2 + lane), text: `${lane}${i}` }))]);
  await checkMerge(STRING, longKeys);
});
