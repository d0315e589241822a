/** Texts that were kept are written as any other. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { createWriter } from "../../src/data/bytes.ts";
import { RepeatedTexts } from "../../src/data/json/repeated_texts.ts";
import { COPY_SLACK } from "../../src/data/words.ts";

Deno.test("texts are the inside of JSON strings, however often and in whatever order they come", () => {
  const few = fc.array(fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: "binary", maxLength: 20 }), fc.constant("\ud800")), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(few, fc.array(fc.nat(7), { minLength: 1, maxLength: 60 }), (texts, order) => {
      const column = new RepeatedTexts();
      const into = createWriter(16);
      const wished: string[] = [];
      for (const place of order) {
        // Of the same length as others, and of the same value as an earlier one without being the same string.
        const text = [...texts[place % texts.length]].join("");
        into.reserve(6 * text.length + COPY_SLACK);
        const end = column.put(into.bytes, into.view, into.length, text);
        wished.push(JSON.stringify(text).slice(1, -1));
        assert.equal(new TextDecoder().decode(into.bytes.subarray(into.length, end)), wished.at(-1));
        into.length = end;
      }
      assert.equal(new TextDecoder().decode(into.bytes.subarray(0, into.length)), wished.join(""));
    }),
    { seed: 11, numRuns: 300 },
  );
});
