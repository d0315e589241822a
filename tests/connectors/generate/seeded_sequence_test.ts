/** The generator's random numbers: fixed for ever, independent by name, evenly spread. */
import assert from "node:assert/strict";
import { SeededSequence } from "../../../src/connectors/generate/seeded_sequence.ts";

const take = (sequence: SeededSequence, count: number) => Array.from({ length: count }, () => sequence.next());

Deno.test("a seed and a name give these numbers, today and in every later version", () => {
  assert.deepEqual(take(new SeededSequence(22, "transactions"), 4), [750412854, 456246220, 2358477904, 3159179989]);
});

Deno.test("other seeds and other names give other numbers", () => {
  const starts = [[1, "a"], [2, "a"], [1, "b"], [0, ""], [-1, ""], [2 ** 31, "a"]].map(([seed, name]) =>
    take(new SeededSequence(Number(seed), String(name)), 2).join()
  );
  assert.equal(new Set(starts).size, starts.length);
});

Deno.test("bounded numbers stay in their bounds and reach all of them about equally often", () => {
  const sequence = new SeededSequence(7, "even");
  const counts = new Array<number>(10).fill(0);
  for (let draw = 0; draw < 100_000; draw++) counts[sequence.between(5, 14) - 5]++;
  // Ten thousand each; six standard deviations are about 570.
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 570, counts.join());
  assert.equal(sequence.below(1), 0);
  assert.equal(sequence.pick(["only"]), "only");
});
