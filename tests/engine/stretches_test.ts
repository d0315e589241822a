import assert from "node:assert/strict";
import { stretches } from "../../src/engine/stretches.ts";

Deno.test("stretches hold all items in their order, neighbours that are alike together, and none is empty", () => {
  const of = (text: string): string[] => stretches([...text], (first, other) => first === other).map((some) => some.join(""));
  assert.deepEqual(of(""), []);
  assert.deepEqual(of("a"), ["a"]);
  assert.deepEqual(of("aab"), ["aa", "b"]);
  assert.deepEqual(of("abbbaac"), ["a", "bbb", "aa", "c"]);
});
