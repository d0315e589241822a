/** Nearest names. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { editDistance, nearest, suggestion } from "../../src/project/nearest.ts";

Deno.test("insertions, removals, replacements and swaps of neighbours each cost one", () => {
  const cases: readonly (readonly [string, string, number])[] = [
    ["", "", 0],
    ["abc", "abc", 0],
    ["abc", "ab", 1],
    ["abc", "abd", 1],
    ["abc", "acb", 1],
    ["amount", "amonut", 1],
    ["", "abc", 3],
    ["kitten", "sitting", 3],
  ];
  for (const [a, b, distance] of cases) assert.equal(editDistance(a, b), distance, `${a} ${b}`);
});

Deno.test("the distance is symmetric and zero only for equal words", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 6 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.equal(editDistance(a, b), editDistance(b, a));
      assert.equal(editDistance(a, b) === 0, a === b);
    }),
    { seed: 7, numRuns: 500 },
  );
});

Deno.test("only a near name is suggested, ignoring case; else what there is", () => {
  assert.equal(nearest("Colums", ["columns", "inputs"]), "columns");
  assert.equal(nearest("zzz", ["columns", "inputs"]), null);
  assert.equal(suggestion("zzz", ["columns", "inputs"]), "known: columns, inputs");
  assert.equal(suggestion("zzz", []), undefined);
});
