/** Numbers in few bytes: every number comes back, and everyday columns are small. */
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { BinaryReader, BinaryWriter } from "../../../src/engine/binary.ts";
import { packNumbers, unpackNumbers } from "../../../src/engine/state/packed_numbers.ts";

function packed(values: readonly number[]): Uint8Array {
  const writer = new BinaryWriter(1);
  packNumbers(writer, Float64Array.from(values));
  return writer.written().slice();
}

Deno.test("packed numbers come back the same, and take no byte too many", () => {
  const integer = fc.oneof(
    fc.integer({ min: -3, max: 300 }),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.constantFrom(2 ** 40, -(2 ** 47), 2 ** 48),
  );
  const other = fc.oneof(fc.double(), fc.constantFrom(-0, NaN, Infinity, 0.5, 2 ** 53, -(2 ** 53 - 1)));
  fc.assert(
    fc.property(fc.oneof(fc.array(integer, { maxLength: 40 }), fc.array(fc.oneof(integer, other), { maxLength: 10 })), (values) => {
      const bytes = packed(values);
      const reader = new BinaryReader(bytes);
      deepEqual([...unpackNumbers(reader, values.length)], values);
      equal(reader.done, true);
    }),
    { seed: 7, numRuns: 3000 },
  );
});

Deno.test("runs take no bytes per number, ascending and near ones take one", () => {
  const run = Array.from({ length: 1000 }, (_, i) => 5_000_000 + i);
  equal(packed(run).length, 18);
  equal(packed(run.map((value, i) => value + i % 7 * 30)).length < 1030, true);
  equal(packed(run.map((_, i) => i * 7919 % 200)).length, 1010);
});
