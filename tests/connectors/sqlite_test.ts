/** SQLite beyond the common contracts: exact values, creation, reruns, keys, errors with hints. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { denoFiles } from "../../src/platform/files.ts";
import { MillraceError } from "../../src/data/fault.ts";
import type { Sink } from "../../src/engine/contracts.ts";
import { Machine, Process } from "./support/memory_world.ts";
import { faultsOf, plan } from "./support/project.ts";
import { batchOf, readAll } from "./support/rows.ts";

const FIELDS =
  `fields = { id = "int", amount = "decimal(2)?", ratio = "double", ok = "bool", at = { type = "timestamp", format = "yyyy-MM-dd HH:mm:ss", zone = "UTC" }, tags = "list<string>?" }`;
const ROWS = [
  [1, 123450, 0.1, true, 0, ["a", 'b"c']],
  [2, -5, -2.5e-7, false, 1_700_000_000_000_000, null],
  [3, Number.MAX_SAFE_INTEGER, 1e300, true, -1_000_000, []],
  [4, null, 0, false, 1_000_000, ["ü"]],
];

const fileWorld = () => ({ ...new Process(new Machine()).world(), files: denoFiles });
const toml = (path: string, sink: string, fields = FIELDS) =>
  `[connections.db]\ntype = "sqlite"\npath = "${path}"\n[sources.in]\nconnection = "db"\ntable = "t"\n${fields}\n[sinks.out]\nconnection = "db"\ninputs = ["in"]\ntable = "t"\n${sink}\n`;

async function withFolder(test: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(`${folder}/below/d.sqlite`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
async function sinkOf(
  path: string,
  settings: string,
): Promise<{ sink: Sink; put: (run: string, epoch: number, rows: readonly unknown[][]) => Promise<void> }> {
  const blueprint = (await plan(toml(path, settings))).sinks.find((sink) => sink.name === "out")!;
  const sink = blueprint.plan.create(fileWorld());
  return {
    sink,
    async put(run, epoch, rows) {
      const lane = sink.lane(0);
      await lane.fence(1);
      lane.write(batchOf(blueprint.input, rows));
      await lane.deliver({ pipeline: "p", run, lane: 0, epoch, owner: 1, digest: "d", timeMicros: 0 });
    },
  };
}
const run = (id: string, fresh: boolean) => ({ pipeline: "p", run: id, lanes: 1, fresh });
function query(path: string, sql: string): unknown[][] {
  const database = new DatabaseSync(path);
  const rows = database.prepare(sql).all().map((row) => Object.values(row));
  database.close();
  return rows;
}
const codeOf = (promise: Promise<unknown>) =>
  promise.then(() => "none", (error) => error instanceof MillraceError ? error.code : String(error));

Deno.test("values come back from a created table exactly as they went in", () =>
  withFolder(async (path) => {
    const { sink, put } = await sinkOf(path, "create = true");
    await sink.open(run("r", true));
    await put("r", 1, ROWS);
    await sink.close();
    assert.deepEqual(query(path, "SELECT amount, typeof(amount), at FROM t ORDER BY id"), [
      ["1234.50", "text", "1970-01-01 00:00:00"],
      ["-0.05", "text", "2023-11-14 22:13:20"],
      ["90071992547409.91", "text", "1969-12-31 23:59:59"],
      [null, "null", "1970-01-01 00:00:01"],
    ]);
    const [{ plan: source, schema }] = (await plan(toml(path, ""))).sources;
    const reader = await source.create(fileWorld(), new Set(schema.type.fields.map((field) => field.name))).reader(0);
    const { rows, rejects } = await readAll(reader, reader.start, () => ({ rowsMax: 3, bytesMax: 1 << 20 }));
    reader.close();
    assert.deepEqual(rejects, []);
    assert.deepEqual(rows.map((row) => JSON.parse(/\[.*?\](?= \{)/.exec(row)![0])), ROWS);
  }));

Deno.test("a numeric decimal column compares and adds in SQL, and refuses what it cannot keep", () =>
  withFolder(async (path) => {
    const { sink, put } = await sinkOf(path, 'create = true\ndecimals = "numeric"');
    await sink.open(run("r", true));
    await put("r", 1, [ROWS[0], ROWS[1]]);
    assert.deepEqual(query(path, "SELECT sum(amount), count(*) FILTER (WHERE amount > 100) FROM t"), [[1234.45, 1]]);
    assert.equal(await codeOf(put("r", 2, [ROWS[2]])), "sqlite_decimal");
    assert.deepEqual(query(path, "SELECT count(*) FROM t"), [[2]]);
    await sink.close();
  }));

Deno.test("integers are shown as integers in a text column of the user's", () =>
  withFolder(async (path) => {
    await denoFiles.makeFolder(path.slice(0, path.lastIndexOf("/")));
    query(path, "SELECT 1");
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE t (id TEXT, amount NUMERIC, more TEXT DEFAULT 'x')");
    database.close();
    const { sink, put } = await sinkOf(path, 'columns = ["id", "amount"]');
    await sink.open(run("r", true));
    await put("r", 1, [ROWS[0]]);
    await sink.close();
    assert.deepEqual(query(path, "SELECT * FROM t"), [["1", 1234.5, "x"]]);
  }));

Deno.test("a rerun that appends empties its own table, and is refused for somebody else's", () =>
  withFolder(async (path) => {
    const first = await sinkOf(path, "create = true");
    await first.sink.open(run("r1", true));
    await first.put("r1", 1, ROWS);
    await first.sink.close();
    const strict = await sinkOf(path, "");
    const refusal = await strict.sink.open(run("r2", true)).catch((error) => error);
    assert.ok(
      refusal instanceof MillraceError && refusal.code === "rerun_append" && refusal.hint?.includes("create = true"),
      String(refusal),
    );
    assert.deepEqual(query(path, "SELECT count(*) FROM t"), [[4]]);
    const again = await sinkOf(path, "create = true");
    await again.sink.open(run("r2", true));
    assert.deepEqual(query(path, "SELECT count(*) FROM t"), [[0]]);
    await again.put("r2", 1, [ROWS[0]]);
    await again.sink.close();
    assert.deepEqual(query(path, "SELECT pipeline, epoch FROM millrace_epochs"), [["p#r2", 1]]);
  }));

Deno.test("replace shows the old rows until the end, and keeps them when the run is killed", () =>
  withFolder(async (path) => {
    const { sink, put } = await sinkOf(path, 'mode = "replace"\ncreate = true');
    await sink.open(run("r1", true));
    await put("r1", 1, ROWS);
    assert.deepEqual(query(path, "SELECT count(*) FROM t"), [[0]]);
    await sink.finish();
    await sink.close();
    const next = await sinkOf(path, 'mode = "replace"\ncreate = true');
    await next.sink.open(run("r2", true));
    await next.put("r2", 1, [ROWS[1]]);
    await next.sink.close();
    assert.deepEqual(query(path, "SELECT count(*) FROM t"), [[4]]);
    const resumed = await sinkOf(path, 'mode = "replace"\ncreate = true');
    await resumed.sink.open(run("r2", false));
    assert.deepEqual(await resumed.sink.lane(0).fence(2), { epoch: 1, digest: "d" });
    await resumed.sink.finish();
    await resumed.sink.finish();
    await resumed.sink.close();
    assert.deepEqual(query(path, "SELECT id FROM t"), [[2]]);
  }));

Deno.test("a table is read while another connection writes it", () =>
  withFolder(async (path) => {
    const { sink, put } = await sinkOf(path, "create = true");
    await sink.open(run("r", true));
    await put("r", 1, ROWS);
    const [{ plan: source }] = (await plan(toml(path, ""))).sources;
    const reader = await source.create(fileWorld(), new Set(["id"])).reader(0);
    const writing = new DatabaseSync(path);
    writing.exec("BEGIN IMMEDIATE; UPDATE t SET id = id");
    assert.equal((await readAll(reader, reader.start, () => ({ rowsMax: 2, bytesMax: 1 << 20 }))).read, 4);
    writing.exec("ROLLBACK");
    writing.close();
    reader.close();
    await sink.close();
  }));

Deno.test("rows are not passed over in silence: read_by must be unique and never null", () =>
  withFolder(async (path) => {
    await denoFiles.makeFolder(path.slice(0, path.lastIndexOf("/")));
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE t (id INTEGER, k TEXT); INSERT INTO t VALUES (1, 'a'), (2, 'a'), (3, NULL)");
    database.close();
    const readBy = async (columns: string) => {
      const text = toml(path, "", `fields = { id = "int" }\nread_by = ${columns}`);
      return await codeOf((await plan(text)).sources[0].plan.create(fileWorld(), new Set(["id"])).reader(0));
    };
    assert.equal(await readBy('["k"]'), "read_by");
    assert.equal(await readBy('["nothing"]'), "read_by");
    assert.equal(await readBy('["id"]'), "none");
    const absent = await plan(toml(path, "", `fields = { id = "int", absent = "int" }`));
    assert.equal(await codeOf(absent.sources[0].plan.create(fileWorld(), new Set(["id"])).reader(0)), "column_missing");
    const missing = await plan(toml(path.replace("d.sqlite", "no.sqlite"), ""));
    assert.equal(await codeOf(missing.sources[0].plan.create(fileWorld(), new Set(["id"])).reader(0)), "input_missing");
  }));

Deno.test("faults of the settings are told with their places", async () => {
  assert.match(await faultsOf(toml("d", 'mode = "upsert"')), /p\.toml:12:8: mode = "upsert" needs a key/);
  assert.match(await faultsOf(toml("d", 'key = ["idd"]')), /the key's column "idd" is not written/);
  assert.match(await faultsOf(toml("d", 'columns = ["id", "id"]')), /column "id" is listed twice/);
});
