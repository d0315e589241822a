/** The protocol's fields as we write and read them, against the library's own writer. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { WireReader, WireWriter } from "../../../src/connectors/kafka/wire.ts";

const SEED = 5;
const text = fc.string({ unit: "binary", maxLength: 300 });

Deno.test("plain and compact fields are the bytes that the library writes, and are read back", async () => {
  const { Writer } = await import("@platformatic/kafka");
  const fields = fc.record({
    texts: fc.array(text, { maxLength: 200 }),
    note: fc.option(text),
    numbers: fc.array(fc.integer(), { maxLength: 200 }),
    id: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    flag: fc.boolean(),
  });
  const property = fc.property(fields, ({ texts, note, numbers, id, flag }) => {
    const ours = new WireWriter().string(note).bigInt64(id).boolean(flag);
    ours.array(numbers, (each) => ours.int32(each)).compactArray(texts, (each) => ours.compactString(each).noTags()).noTags();
    const theirs = Writer.create().appendString(note, false).appendInt64(id).appendBoolean(flag);
    theirs.appendArray(numbers, (writer, each) => writer.appendInt32(each), false, false);
    theirs.appendArray(texts, (writer, each) => writer.appendString(each)).appendTaggedFields();
    const bytes = ours.done().slice();
    assert.equal(Buffer.from(bytes).toString("hex"), theirs.buffer.toString("hex"));
    const reader = new WireReader(bytes);
    assert.equal(reader.nullableString(), note);
    assert.equal(reader.bigInt64(), id);
    reader.skip(1);
    assert.deepEqual(reader.array(() => reader.int32()), numbers);
    const read = reader.compactArray(() => {
      const each = reader.compactString();
      reader.tags();
      return each;
    });
    assert.deepEqual(read, texts);
    reader.tags();
    assert.equal(reader.at, bytes.length);
  });
  fc.assert(property, { seed: SEED, numRuns: 300 });
});

Deno.test("tags are passed over, those that are asked for are given", () => {
  const reader = new WireReader(Uint8Array.of(2, 0, 1, 9, 129, 1, 2, 7, 8, 42));
  const seen: [number, number[]][] = [];
  reader.tags((tag, bytes) => seen.push([tag, [...bytes]]));
  assert.deepEqual(seen, [[0, [9]], [129, [7, 8]]]);
  assert.equal(reader.skip(1), undefined);
});

Deno.test("a null text has the length 0, an id is five groups of digits", () => {
  assert.equal(new WireReader(Uint8Array.of(0)).compactNullableString(), null);
  const id = new WireReader(Uint8Array.from({ length: 16 }, (_, i) => 17 * i)).uuid();
  assert.equal(id, "00112233-4455-6677-8899-aabbccddeeff");
});

Deno.test("an answer that ends early or counts more than it holds is refused before memory is taken", () => {
  const count = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x07);
  for (
    const read of [
      (reader: WireReader) => reader.compactArray(() => reader.int32()),
      (reader: WireReader) => reader.compactString(),
      (reader: WireReader) => reader.uuid(),
      (reader: WireReader) => reader.tags(),
      (reader: WireReader) => new WireReader(Uint8Array.of(0x7f, 0xff, 0xff, 0xff)).array(() => reader.int16()),
    ]
  ) assert.throws(() => read(new WireReader(count)), RangeError);
});
