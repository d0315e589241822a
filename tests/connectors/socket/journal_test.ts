/** The journal and what cuts a stream into it: nothing received is lost, nothing is invented, whatever dies when. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Journal } from "../../../src/connectors/socket/journal/journal.ts";
import { type Cut, LineCutter } from "../../../src/connectors/socket/source/line_cutter.ts";
import { JournalReader } from "../../../src/connectors/socket/journal/journal_reader.ts";
import { compileJsonDecoder } from "../../../src/data/json/mod.ts";
import type { RecordType } from "../../../src/data/types.ts";
import { INT } from "../../../src/data/types.ts";
import type { World } from "../../../src/ports/mod.ts";
import { Killed, Machine, Process } from "../support/memory_world.ts";
import { readAll } from "../support/rows.ts";

const SEED = 20263;
const TYPE: RecordType = { fields: [{ name: "n", type: INT }] };
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const OPTIONS = { folder: "j", keepMs: 0, bytesMax: 1 << 20 };
const lines = (from: number, count: number): Uint8Array =>
  encoder.encode(Array.from({ length: count }, (_, i) => `{"n":${from + i}}\n`).join(""));
const head = (records: number, receivedMicros = 1) => ({ kind: "lines" as const, records, connection: 1, receivedMicros });

function readerOf(journal: Journal): JournalReader {
  return new JournalReader({
    journal,
    origin: { source: "feed", partition: 0, type: TYPE },
    decoder: compileJsonDecoder({ type: TYPE, needed: new Set(["n"]), numericText: "reject", unknownFields: "ignore" }),
    receiver: { requireWell() {}, stop: () => Promise.resolve() },
    close() {},
  });
}
const ALL = () => ({ rowsMax: 8192, bytesMax: 1 << 20 });
const numbers = (rows: readonly string[]): number[] => rows.map((row) => JSON.parse(row.split(" ")[2])[0]);
async function contents(journal: Journal): Promise<number[]> {
  const reader = readerOf(journal);
  return numbers((await readAll(reader, reader.start, ALL)).rows);
}

/** The obvious way: what a stream of bytes that ends there should be cut into. */
function cutSlowly(text: string, lineBytesMax: number): string[] {
  const pieces = text.split("\n");
  const tail = pieces.pop()!;
  const cut = pieces.map((line) => line.length > lineBytesMax ? `too_long ${line.slice(0, lineBytesMax)}` : `line ${line}`);
  // Of a tail that is too long the beginning was kept as such, and the rest skipped.
  if (tail.length > lineBytesMax) cut.push(`too_long ${tail.slice(0, lineBytesMax)}`);
  else if (tail !== "") cut.push(`truncated_tail ${tail}`);
  return cut;
}
function flat(cuts: readonly (Cut | null)[]): string[] {
  return cuts.flatMap((cut) => {
    if (cut === null) return [];
    const text = decoder.decode(cut.body);
    if (cut.kind !== "lines") return [`${cut.kind} ${text}`];
    assert.equal(text.split("\n").length - 1, cut.records);
    return text.slice(0, -1).split("\n").map((line) => `line ${line}`);
  });
}

Deno.test("T-9: a stream is cut into the same lines, too long lines and tail, however its bytes arrive", () => {
  const text = fc.array(
    fc.oneof(fc.constantFrom("\n", "\n\n", "a", "{}", "x".repeat(15), "y".repeat(16), "z".repeat(17), "w".repeat(60))),
    {
      maxLength: 30,
    },
  ).map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (stream, sizes) => {
      const bytes = encoder.encode(stream);
      const cutter = new LineCutter(16);
      const cuts: (Cut | null)[] = [];
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const piece = bytes.subarray(at, at + sizes[i % sizes.length]);
        cutter.room.set(piece);
        cuts.push(...cutter.take(piece.length));
        at += piece.length;
      }
      cuts.push(cutter.tail());
      assert.deepEqual(flat(cuts), cutSlowly(stream, 16));
      assert.equal(cutter.tail(), null, "nothing is carried into the next connection");
    }),
    { seed: SEED, numRuns: 2000 },
  );
});

Deno.test("the same range gives the same rows and rejects however it is cut, over segments and kinds", async () => {
  const machine = new Machine();
  for (let session = 0; session < 3; session++) {
    const journal = await Journal.open(new Process(machine).world(), OPTIONS);
    for (let i = 0; i < 4; i++) {
      await journal.append(head(5), lines(session * 100 + i * 5, 5));
      await journal.append({ ...head(1), kind: "too_long" }, encoder.encode("x".repeat(9)));
      await journal.append({ ...head(1), kind: "truncated_tail" }, encoder.encode('{"n":'));
      await journal.append(head(2), encoder.encode("\n{}\r\n"));
    }
    await journal.close();
  }
  const journal = await Journal.open(new Process(machine).world(), OPTIONS);
  const reader = readerOf(journal);
  const whole = await readAll(reader, reader.start, ALL);
  assert.equal(whole.read, 3 * 4 * 9);
  assert.equal(whole.rows.length, 60);
  const reasons = new Set(whole.rejects.map((reject) => reject.split(" ")[3]));
  assert.deepEqual([...reasons].sort(), ["json", "missing:n", "too-long", "truncated_tail"]);
  const limits = fc.array(fc.record({ rowsMax: fc.integer({ min: 1, max: 20 }), bytesMax: fc.integer({ min: 1, max: 500 }) }), {
    minLength: 1,
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(limits, fc.nat(), fc.nat(), async (some, a, b) => {
      const cut = await readAll(reader, reader.start, (poll) => some[poll % some.length]);
      assert.deepEqual([cut.rows, cut.rejects], [whole.rows, whole.rejects]);
      const [from, until] = [a % cut.places.length, b % cut.places.length].sort((x, y) => x - y).map((i) => cut.places[i]);
      const range = await readAll(readerOf(journal), from.position, (poll) => ({ ...some[poll % some.length], until: until.position }));
      assert.equal(range.read, until.read - from.read);
      assert.equal(range.last, "end");
      assert.equal(range.places.at(-1)!.position, until.read === from.read ? from.position : until.position);
    }),
    { seed: SEED, numRuns: 100 },
  );
});

Deno.test("killed at any change of a file: what was synced is there, numbered without a gap, and writing goes on", async () => {
  const write = async (world: World, synced: number[]): Promise<void> => {
    const journal = await Journal.open(world, { ...OPTIONS, bytesMax: 16 * (64 << 10) });
    const first = (await contents(journal)).length;
    for (let i = 0; i < 8; i++) {
      await journal.append(head(3, i), lines(first + i * 3, 3));
      // Enough for some to roll over into the next segment.
      if (i === 3) await journal.append({ ...head(1), kind: "too_long" }, new Uint8Array(64 << 10));
      await journal.sync();
      synced.push(first + i * 3 + 2);
    }
    await journal.close();
  };
  const unharmed = new Process(new Machine());
  await write(unharmed.world(), []);
  assert.ok(unharmed.steps > 20, `${unharmed.steps} changes`);
  for (let killAt = 1; killAt <= unharmed.steps; killAt += 0.5) {
    const machine = new Machine();
    const synced: number[] = [];
    try {
      await write(new Process(machine, killAt).world(), synced);
    } catch (error) {
      assert.ok(error instanceof Killed, String(error));
    }
    const journal = await Journal.open(new Process(machine).world(), OPTIONS);
    const found = await contents(journal);
    assert.ok(found.length > (synced.at(-1) ?? -1), `killed at ${killAt}: ${found.length} records, ${synced.at(-1)} was synced`);
    assert.deepEqual(found, found.map((_, i) => i), `killed at ${killAt}`);
    await journal.append(head(2), lines(found.length, 2));
    await journal.sync();
    assert.deepEqual(await contents(journal), Array.from({ length: found.length + 2 }, (_, i) => i), `killed at ${killAt}, then more`);
    await journal.close();
  }
});

Deno.test("a full journal has no room until what was read is released; nothing unread is given back", async () => {
  const machine = new Machine();
  const journal = await Journal.open(new Process(machine).world(), { folder: "j", keepMs: 3_600_000, bytesMax: 2 << 20 });
  const body = lines(0, 8000);
  let records = 0;
  while (await journal.hasRoom(body.length)) {
    await journal.append(head(8000), body);
    await journal.sync();
    records += 8000;
  }
  assert.ok(journal.bytes <= 2 << 20 && journal.bytes > 1.8 * (1 << 20), `${journal.bytes} bytes`);
  assert.equal(journal.first, 0);
  journal.release(8000);
  assert.equal(await journal.hasRoom(body.length), journal.first > 0, "room comes from segments that were read whole");
  journal.release(records);
  assert.ok(await journal.hasRoom(body.length));
  assert.ok(journal.first > 0 && journal.first <= records);
  await journal.close();
});

Deno.test("what was there stays readable while a segment is begun, also one that a killed process left empty", async () => {
  const machine = new Machine();
  const journal = await Journal.open(new Process(machine).world(), OPTIONS);
  await journal.append(head(3), lines(0, 3));
  await journal.close();
  machine.files.set("j/000000000000003.journal", new Uint8Array(0));
  const world = new Process(machine).world();
  let next: Journal | null = null;
  let during: Promise<number[]> | null = null;
  const syncFolder = (path: string): Promise<void> => {
    if (next) during = contents(next);
    return world.files.syncFolder(path);
  };
  next = await Journal.open({ ...world, files: { ...world.files, syncFolder } }, OPTIONS);
  await next.append(head(1), lines(3, 1));
  assert.ok(during, "a folder is synced while a segment is begun");
  assert.deepEqual(await during, [0, 1, 2]);
  await next.sync();
  assert.deepEqual(await contents(next), [0, 1, 2, 3]);
  await next.close();
});

Deno.test("one journal has one writer", async () => {
  const machine = new Machine();
  const journal = await Journal.open(new Process(machine).world(), OPTIONS);
  await assert.rejects(
    () => Journal.open(new Process(machine).world(), OPTIONS),
    (error: Error & { code?: string }) => error.code === "locked",
  );
  await journal.close();
  await (await Journal.open(new Process(machine).world(), OPTIONS)).close();
});
