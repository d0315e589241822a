/** Strings as bytes and back, and the copies by words under them. */
import { deepEqual, equal } from "node:assert/strict";
import { copyBytes } from "../../../src/data/words.ts";
import { BinaryWriter } from "../../../src/engine/binary.ts";
import { packedBytes, packText, unpackText } from "../../../src/engine/state/packed_text.ts";

Deno.test("every string comes back equal, wherever it lies", () => {
  const texts = [
    "",
    "a",
    "abc",
    "ÿ é",
    "日本",
    "a\ud800",
    "\u0000",
    "x".repeat(4096),
    "y".repeat(4097),
    "ÿ".repeat(9000),
    "ж".repeat(8193),
  ];
  for (const text of texts) {
    const writer = new BinaryWriter(4);
    writer.u8(7);
    const length = packText(writer, text);
    equal(packedBytes(length), writer.length - 1);
    equal(unpackText(writer.bytes, 1, length), text);
  }
});

Deno.test("copyBytes copies what it was asked for and touches nothing else", () => {
  for (let length = 0; length < 20; length++) {
    for (const [from, at] of [[0, 0], [1, 3], [5, 2]]) {
      const source = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
      const target = new Uint8Array(32).fill(200);
      const wished = target.slice();
      wished.set(source.subarray(from, from + length), at);
      copyBytes(new DataView(target.buffer), at, new DataView(source.buffer), from, length);
      deepEqual(target, wished, `${length} bytes from ${from} to ${at}`);
    }
  }
});
