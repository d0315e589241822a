/** Texts to numbers: against a Map, over texts that lie in a larger buffer. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { TextIndex } from "../../src/data/text_index.ts";
import { viewOf } from "../../src/data/words.ts";

Deno.test("a text is found where it lies, by all of its bytes, whatever else was added", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary", maxLength: 12 }), { maxLength: 400 }), fc.nat({ max: 40 }), (texts, gap) => {
      const index = new TextIndex();
      const numbers = new Map<string, number>();
      for (const text of texts) {
        assert.equal(index.find(text), numbers.get(text) ?? -1);
        if (!numbers.has(text)) numbers.set(text, index.append(text));
      }
      assert.equal(index.size, numbers.size);
      for (const [text, number] of numbers) {
        const encoded = new TextEncoder().encode(text);
        const around = new Uint8Array(gap + encoded.length + 3).fill(97);
        around.set(encoded, gap);
        assert.equal(index.findBytes(viewOf(around), gap, gap + encoded.length), number);
        assert.equal(index.findBytes(viewOf(around), gap, gap + encoded.length + 1), numbers.get(`${text}a`) ?? -1);
      }
    }),
    { numRuns: 200 },
  );
});
