/** Texts to numbers: against a Map, over texts that lie in a larger buffer. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { TextIndex } from "../../src/data/text_index.ts";
import { viewOf } from "../../src/data/words.ts";

Deno.test("a text is found where it lies, by all of its bytes, whatever else was added, alone or many at once", () => {
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
      const asked = [...texts, ...texts.map((text) => `${text}?`)].map((text) => new TextEncoder().encode(text));
      const bytes = new Uint8Array(asked.reduce((sum, { length }) => sum + length, 0));
      const [start, end] = [new Int32Array(asked.length), new Int32Array(asked.length)];
      asked.reduce((at, encoded, row) => {
        bytes.set(encoded, start[row] = at);
        return end[row] = at + encoded.length;
      }, 0);
      const from = Math.min(gap, asked.length);
      const found = new Int32Array(asked.length - from);
      index.findBlock(viewOf(bytes), start, end, from, asked.length, found);
      assert.deepEqual([...found], asked.slice(from).map((_, i) => index.findBytes(viewOf(bytes), start[from + i], end[from + i])));
    }),
    { numRuns: 200 },
  );
});

Deno.test("texts of any length are found, short ones between long ones", () => {
  const index = new TextIndex();
  const texts = Array.from({ length: 60 }, (_, i) => `${i}`.padStart(1 << i % 17, "x"));
  for (const text of texts) if (index.find(text) < 0) index.append(text);
  const numbers = new Map([...new Set(texts)].map((text, number) => [text, number]));
  for (const text of texts) {
    assert.equal(index.find(text), numbers.get(text));
    assert.equal(index.find(`${text}y`), -1);
  }
});
