/**
 * What every source promises (engine/contracts.ts), one suite over all of them: the same range gives the same rows and rejects
 * however it is cut; `until` is honoured exactly; reading goes on from every position.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import type { Source } from "../../src/engine/contracts.ts";
import type { World } from "../../src/ports/mod.ts";
import { denoFiles } from "../../src/platform/files.ts";
import { Machine, Process } from "./support/memory_world.ts";
import { plan } from "./support/project.ts";
import { batchOf, readAll } from "./support/rows.ts";

const SEED = 20261;
const ROWS = 60;
const FIELDS = `fields = { id = "int", amount = "decimal(2)", name = "string?" }`;

/** Every eighth record is refused for its amount, every eleventh for its id. */
const amountOf = (i: number): string => i % 8 === 5 ? "1.005" : (i / 4).toFixed(2);
const idOf = (i: number): string => i % 11 === 7 ? '"x"' : String(i);
const nameOf = (i: number): string => i % 5 === 0 ? "" : `näme ${"y".repeat(i % 13)}, "${i}"`;
/** How many records are refused, by the rules above. */
const REFUSED = Array.from({ length: ROWS }, (_, i) => i).filter((i) => i % 8 === 5 || i % 11 === 7).length;

interface Case {
  readonly name: string;
  /** A fresh source and what closes behind it. */
  open(): Promise<{ source: Source; dispose(): Promise<void> }>;
}

async function sourceFrom(toml: string, world: World): Promise<Source> {
  const [{ plan: source, schema }] = (await plan(`${toml}\n[sinks.out]\ntype = "console"\ninputs = ["in"]\n`)).sources;
  return source.create(world, new Set(schema.type.fields.map((field) => field.name)));
}

function fileCase(format: "csv" | "ndjson", lineEnd: string, last: string): Case {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const lines = Array.from(
    { length: ROWS },
    (_, i) =>
      format === "csv"
        ? `${idOf(i).replaceAll('"', "")},${amountOf(i)},${quoted(i % 7 === 3 ? nameOf(i) + "\n" : nameOf(i))}${i % 9 === 4 ? lineEnd : ""}`
        : `{"id":${idOf(i)},"amount":${amountOf(i)},"name":${JSON.stringify(nameOf(i))}}${i % 9 === 4 ? lineEnd : ""}`,
  );
  const header = format === "csv" ? ["id,amount,name"] : [];
  return {
    name: `${format}, lines ended by ${JSON.stringify(lineEnd)}, the last by ${JSON.stringify(last)}`,
    async open() {
      const machine = new Machine();
      machine.put("in.file", [...header, ...lines].join(lineEnd) + last);
      const source = await sourceFrom(`[sources.in]\ntype = "${format}"\npath = "in.file"\n${FIELDS}`, new Process(machine).world());
      return { source, dispose: () => Promise.resolve() };
    },
  };
}

const logCase: Case = {
  name: "log",
  async open() {
    const machine = new Machine();
    // Any text as a field's value, so that the reader meets records its schema refuses.
    const blueprint = await plan(`
[connections.bus]
type = "log"
path = "log"
[sources.in]
type = "csv"
path = "x"
fields = { id = "json", amount = "json", name = "string?" }
[sinks.out]
connection = "bus"
inputs = ["in"]
topic = "t"
create = { partitions = 1 }`);
    const sinkPlan = blueprint.sinks.find((sink) => sink.name === "out")!;
    // Three writers, so that the records lie in three segments.
    for (let session = 0; session < 3; session++) {
      const sink = sinkPlan.plan.create(new Process(machine).world());
      await sink.open({ pipeline: "p", run: "r", lanes: 1, fresh: session === 0 });
      const lane = sink.lane(0);
      await lane.fence(session + 1);
      for (let part = 0; part < 4; part++) {
        const first = session * 20 + part * 5;
        const rows = Array.from({ length: 5 }, (_, i) => first + i).map((
          i,
        ) => [JSON.parse(idOf(i)), JSON.parse(amountOf(i)), nameOf(i) || null]);
        lane.write(batchOf(sinkPlan.input, rows, 1000 + first));
        await lane.deliver({
          pipeline: "p",
          run: "r",
          lane: 0,
          epoch: session * 4 + part + 1,
          owner: session + 1,
          digest: `d${first}`,
          timeMicros: 0,
        });
      }
      if (session === 2) await sink.finish();
      await sink.close();
    }
    const source = await sourceFrom(
      `[connections.bus]\ntype = "log"\npath = "log"\n[sources.in]\nconnection = "bus"\ntopic = "t"\n${FIELDS}`,
      new Process(machine).world(),
    );
    return { source, dispose: () => Promise.resolve() };
  },
};

const sqliteCase = (readBy: string): Case => ({
  name: `sqlite${readBy && `, ${readBy}`}`,
  async open() {
    const folder = await Deno.makeTempDir();
    const database = new DatabaseSync(`${folder}/d.sqlite`);
    database.exec("CREATE TABLE t (id, amount, name, k TEXT); BEGIN");
    const insert = database.prepare("INSERT INTO t VALUES (?, ?, ?, ?)");
    for (let i = 0; i < ROWS; i++) {
      insert.run(i % 11 === 7 ? "x" : BigInt(i), amountOf(i), nameOf(i) || null, String((i * 37) % 101).padStart(3, "0"));
    }
    database.exec("COMMIT");
    database.close();
    const world = { ...new Process(new Machine()).world(), files: denoFiles };
    const source = await sourceFrom(
      `[connections.db]\ntype = "sqlite"\npath = "${folder}/d.sqlite"\n[sources.in]\nconnection = "db"\ntable = "t"\n${readBy}\n${FIELDS}`,
      world,
    );
    return { source, dispose: () => Deno.remove(folder, { recursive: true }) };
  },
});

const CASES: readonly Case[] = [
  fileCase("csv", "\n", "\n"),
  fileCase("csv", "\r\n", ""),
  fileCase("ndjson", "\n", "\n"),
  fileCase("ndjson", "\r\n", ""),
  logCase,
  sqliteCase(""),
  sqliteCase('read_by = ["k"]'),
];

const ALL = { rowsMax: 8192, bytesMax: 1 << 20 };

for (const { name, open } of CASES) {
  Deno.test(`${name}: a range gives the same rows and rejects however it is cut`, async () => {
    const { source, dispose } = await open();
    assert.equal(await source.partitions(), 1);
    const reader = await source.reader(0);
    const whole = await readAll(reader, reader.start, () => ALL);
    assert.equal(whole.last, "end");
    assert.equal(whole.read, ROWS);
    assert.equal(whole.rejects.length, REFUSED);
    assert.equal(whole.rows.length, ROWS - REFUSED);
    const sizes = fc.array(fc.record({ rowsMax: fc.integer({ min: 1, max: 20 }), bytesMax: fc.integer({ min: 1, max: 2000 }) }), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), async (limits, pick) => {
        const cut = await readAll(reader, reader.start, (poll) => limits[poll % limits.length]);
        assert.deepEqual([cut.rows, cut.rejects, cut.read], [whole.rows, whole.rejects, ROWS]);
        // From any position on, in a reader of its own: the rest and nothing else.
        const place = cut.places[pick % cut.places.length];
        const again = await source.reader(0);
        const rest = await readAll(again, place.position, (poll) => limits[(poll + 1) % limits.length]);
        again.close();
        assert.equal(rest.read, ROWS - place.read);
        assert.deepEqual(rest.rows, whole.rows.slice(whole.rows.length - rest.rows.length));
        assert.deepEqual(rest.rejects, whole.rejects.slice(whole.rejects.length - rest.rejects.length));
      }),
      { seed: SEED, numRuns: 40 },
    );
    reader.close();
    await dispose();
  });

  Deno.test(`${name}: until is honoured exactly, and reached as the same text`, async () => {
    const { source, dispose } = await open();
    const reader = await source.reader(0);
    const { places } = await readAll(reader, reader.start, () => ({ rowsMax: 7, bytesMax: 1 << 20 }));
    const limits = fc.record({ rowsMax: fc.integer({ min: 1, max: 30 }), bytesMax: fc.integer({ min: 1, max: 3000 }) });
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), limits, fc.constantFrom("warm", "cold"), async (a, b, { rowsMax, bytesMax }, reading) => {
        const [from, until] = [a % places.length, b % places.length].sort((x, y) => x - y).map((i) => places[i]);
        const used = reading === "warm" ? reader : await source.reader(0);
        const range = await readAll(used, from.position, () => ({ rowsMax, bytesMax, until: until.position }));
        if (used !== reader) used.close();
        assert.equal(range.read, until.read - from.read);
        assert.equal(range.last, "end");
        assert.equal(range.places.at(-1)!.position, until.read === from.read ? from.position : until.position);
      }),
      { seed: SEED, numRuns: 60 },
    );
    reader.close();
    await dispose();
  });

  Deno.test(`${name}: identity is stable, positions are short, progress ends at 1`, async () => {
    const { source, dispose } = await open();
    const reader = await source.reader(0);
    const { places } = await readAll(reader, reader.start, () => ({ rowsMax: 9, bytesMax: 1 << 20 }));
    for (const { position } of places) assert.ok(position.length <= 200, position);
    assert.equal(source.progress!([places.at(-1)!.position]), 1);
    assert.ok(source.progress!([places[1].position]) < 1);
    assert.equal(await source.identity(), await source.identity());
    assert.notEqual(await source.identity(), "");
    reader.close();
    await dispose();
  });
}
