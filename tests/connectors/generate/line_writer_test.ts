/** Lines of generated files, byte by byte. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { fragment, LineWriter } from "../../../src/connectors/generate/line_writer.ts";

const SEED = 41;

function written(write: (lines: LineWriter) => void): string {
  const lines = new LineWriter();
  write(lines);
  return new TextDecoder().decode(lines.take());
}

Deno.test("whole numbers are written as JavaScript prints them, padded ones with zeros", () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 31 - 1 }), fc.integer({ min: 0, max: 4 }), (value, more) => {
      assert.equal(written((lines) => lines.integer(value)), String(value));
      const width = String(value).length + more;
      assert.equal(written((lines) => lines.digits(value, width)), String(value).padStart(width, "0"));
    }),
    { seed: SEED },
  );
});

Deno.test("money has one or two decimals", () => {
  const money = (cents: number) => written((lines) => lines.money(cents));
  assert.deepEqual([0, 5, 10, 100, 13176, 591420, -891, -50, -50000].map(money), [
    "0.0",
    "0.05",
    "0.1",
    "1.0",
    "131.76",
    "5914.2",
    "-8.91",
    "-0.5",
    "-500.0",
  ]);
});

Deno.test("taking empties the writer, and a chunk taken before stays as it is", () => {
  const lines = new LineWriter();
  lines.text("Crème\r\n");
  const first = lines.take();
  lines.bytes(fragment("brûlée\n"));
  const decoder = new TextDecoder();
  assert.deepEqual([first, lines.take(), lines.take()].map((chunk) => decoder.decode(chunk)), ["Crème\r\n", "brûlée\n", ""]);
});

Deno.test("a writer is full after 64 KiB and takes another line then", () => {
  const lines = new LineWriter();
  const line = fragment("x".repeat(2000));
  let count = 0;
  for (; !lines.full; count++) lines.bytes(line);
  assert.equal(count, Math.ceil(65536 / 2000));
  assert.equal(lines.take().length, count * 2000);
  assert.equal(lines.full, false);
});
