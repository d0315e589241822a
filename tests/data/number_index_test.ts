/** The index of numbers against a Map, for ids close together, far apart and mixed. */
import { equal } from "node:assert/strict";
import fc from "fast-check";
import { NumberIndex } from "../../src/data/number_index.ts";

const key = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: -50, max: 5000 }),
  fc.integer({ min: 2 ** 31 - 5, max: 2 ** 32 + 5 }),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }),
);

Deno.test("numbers are found in the slots they got, before and after the index grows or is made again", () => {
  fc.assert(
    fc.property(fc.array(key, { maxLength: 600 }), (keys) => {
      const index = new NumberIndex();
      const model = new Map<number, number>();
      for (const [i, value] of keys.entries()) {
        equal(index.find(value), model.get(value) ?? -1);
        if (!model.has(value)) model.set(value, index.append(value));
        equal(index.find(value), model.get(value));
        if (i % 100 === 99) index.reindex();
      }
      equal(index.size, model.size);
      for (const [value, slot] of model) equal(index.find(value), slot);
      for (const absent of [0.25, -1e9, 4e9, NaN, 2 ** 52]) if (!model.has(absent)) equal(index.find(absent), -1);
    }),
    { seed: 11, numRuns: 300 },
  );
});

Deno.test("a slot of NaN is kept and never found", () => {
  const index = new NumberIndex();
  for (const value of [7, NaN, 8]) index.append(value);
  index.reindex();
  equal(index.find(NaN), -1);
  equal(index.keyAt(1), NaN);
  equal(index.find(8), 2);
});

Deno.test("a removed number is not found, the others are, and its slot takes another", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.boolean()), { maxLength: 600 }), (steps) => {
      const index = new NumberIndex();
      const model = new Map<number, number>();
      const free: number[] = [];
      for (const [i, [value, removes]] of steps.entries()) {
        const slot = model.get(value);
        equal(index.find(value), slot ?? -1);
        if (slot !== undefined && removes) {
          index.remove(slot);
          model.delete(value);
          free.push(slot);
        } else if (slot === undefined) {
          const next = free.pop() ?? index.size;
          index.insertAt(next, value);
          model.set(value, next);
        }
        if (i % 150 === 149) index.reindex();
      }
      for (const [value, slot] of model) equal(index.find(value), slot);
      for (const [value] of steps) if (!model.has(value)) equal(index.find(value), -1);
    }),
    { seed: 12, numRuns: 300 },
  );
});
