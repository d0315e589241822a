/** File sources and sinks, and the console, beyond the common contracts: what lies on the disk and what people are told. */
import assert from "node:assert/strict";
import { MillraceError } from "../../src/data/fault.ts";
import { MERGE_ROWS_BYTES_MAX } from "../../src/connectors/limits.ts";
import { Machine, Process } from "./support/memory_world.ts";
import { faultsOf, plan } from "./support/project.ts";
import { batchOf, readAll } from "./support/rows.ts";

const SOURCE = `[sources.in]\ntype = "csv"\npath = "in.csv"\nfields = { id = "int", note = "string" }\n`;
const sinkToml = (settings: string) => `${SOURCE}[sinks.out]\ninputs = ["in"]\n${settings}\n`;
const run = (id: string, fresh: boolean) => ({ pipeline: "p", run: id, lanes: 1, fresh });

/** Runs the sink over epochs of rows in one lane, to the end; returns the machine it ran on. */
async function published(
  settings: string,
  epochs: readonly (readonly unknown[][])[],
  machine = new Machine(),
  id = "r1",
): Promise<Machine> {
  const blueprint = (await plan(sinkToml(settings))).sinks.find((sink) => sink.name === "out")!;
  const sink = blueprint.plan.create(new Process(machine).world());
  await sink.open(run(id, true));
  const lane = sink.lane(0);
  await lane.fence(1);
  for (const [i, rows] of epochs.entries()) {
    if (rows.length > 0) lane.write(batchOf(blueprint.input, rows, 10 * i));
    await lane.deliver({ pipeline: "p", run: id, lane: 0, epoch: i + 1, owner: 1, digest: "d", timeMicros: 1_000_000 * i });
  }
  await sink.finish();
  await sink.close();
  return machine;
}

async function errorOf(promise: Promise<unknown>): Promise<{ code: string; hint: string }> {
  const error = await promise.then(() => null, (reason) => reason);
  assert.ok(error instanceof MillraceError, String(error));
  return { code: error.code, hint: error.hint ?? "" };
}
const reader = async (machine: Machine) =>
  (await plan(sinkToml(`type = "console"`))).sources[0].plan.create(new Process(machine).world(), new Set(["id", "note"])).reader(0);

Deno.test("a file without rows still has its header", async () => {
  const machine = await published(`type = "csv"\npath = "out/a.csv"`, [[], []]);
  assert.equal(machine.text("out/a.csv"), "id,note\n");
  assert.equal((await published(`type = "ndjson"\npath = "out/a.ndjson"`, [])).text("out/a.ndjson"), "");
});

Deno.test("nothing is left in the state folder but what was published, and a rerun replaces the file at its end", async () => {
  const settings = `type = "csv"\npath = "out/a.csv"`;
  const machine = await published(settings, [[[1, "a"]], [], [[2, "b"]]]);
  assert.deepEqual(machine.paths(""), [".millrace/p/sinks/out/r1/published-00000-000000000001.json", "out/a.csv"]);
  await published(settings, [[[3, "c"]]], machine, "r2");
  assert.equal(machine.text("out/a.csv"), "id,note\n3,c\n");
  assert.deepEqual(machine.paths(".millrace"), [".millrace/p/sinks/out/r2/published-00000-000000000001.json"]);
});

Deno.test("a published file that was removed is not made again in silence", async () => {
  const settings = `type = "csv"\npath = "out/a.csv"`;
  const machine = await published(settings, [[[1, "a"]]]);
  machine.files.delete("out/a.csv");
  const sink = (await plan(sinkToml(settings))).sinks.find((each) => each.name === "out")!.plan.create(new Process(machine).world());
  await sink.open(run("r1", false));
  assert.deepEqual(await errorOf(sink.finish()), { code: "output_missing", hint: "start over with --rerun to make it again" });
});

Deno.test("a path without a dot is a folder, and the file in it is named after the pipeline", async () => {
  assert.equal(
    (await published(`type = "ndjson"\npath = "out/rejects"`, [[[1, "a"]]])).text("out/rejects/p.ndjson"),
    '{"id":1,"note":"a"}\n',
  );
});

Deno.test("epochs larger than every buffer are published whole", async () => {
  const rows = (first: number) => Array.from({ length: 300 }, (_, i) => [first + i * 2, "n".repeat(MERGE_ROWS_BYTES_MAX / 50)]);
  const machine = await published(`type = "csv"\npath = "out/a.csv"\norder_by = ["id"]\ncolumns = ["id"]`, [rows(1), rows(0)]);
  assert.equal(machine.text("out/a.csv"), "id\n" + Array.from({ length: 600 }, (_, i) => `${i}\n`).join(""));
});

Deno.test("the console prints a line per row when its epoch is delivered", async () => {
  const print = async (settings: string) => {
    const blueprint = (await plan(sinkToml(`type = "console"\n${settings}`))).sinks.find((sink) => sink.name === "out")!;
    const process = new Process(new Machine());
    const sink = blueprint.plan.create(process.world());
    await sink.open(run("r1", true));
    const lane = sink.lane(0);
    await lane.fence(1);
    lane.write(batchOf(blueprint.input, [[1, "a"], [2, "b"]]));
    assert.equal(process.printed, "");
    await lane.deliver({ pipeline: "p", run: "r1", lane: 0, epoch: 1, owner: 1, digest: "d", timeMicros: 0 });
    return process.printed;
  };
  assert.equal(await print('line = "{{{id}: {note}"'), "{1: a\n{2: b\n");
  assert.equal(await print(""), '{"id":1,"note":"a"}\n{"id":2,"note":"b"}\n');
  assert.match(
    await faultsOf(sinkToml('type = "console"\nline = "{nota}"')),
    /there is no field "nota" to print\n {2}hint: the rows have: id, note/,
  );
});

Deno.test("missing, headless and shrinking files are told with what to do", async () => {
  assert.deepEqual(await errorOf(reader(new Machine())), {
    code: "input_missing",
    hint: "check `path`; relative paths start at the working directory",
  });
  const machine = new Machine();
  machine.put("in.csv", "");
  assert.equal((await errorOf(reader(machine))).code, "csv_header");
  machine.put("in.csv", "id,note\n1,a\n2,b\n");
  const opened = await reader(machine);
  machine.put("in.csv", "id,note\n1");
  assert.equal((await errorOf(opened.poll(opened.start, { rowsMax: 10, bytesMax: 100 }))).code, "input_changed");
});

Deno.test("a record over the limit is a reject of its own, and its neighbours are read", async () => {
  const machine = new Machine();
  const long = "y".repeat((1 << 20) + 10);
  machine.put("in.csv", `id,note\n1,a\n2,${long}\n3,c\n`);
  const opened = await reader(machine);
  const { rows, rejects, read } = await readAll(opened, opened.start, () => ({ rowsMax: 100, bytesMax: 1 << 16 }));
  assert.equal(read, 3);
  assert.deepEqual(rows.map((row) => row.slice(0, 9)), ['1 1 [1,"a', '3 3 [3,"c']);
  assert.deepEqual(rejects, [`2 2 in too-long 2,${long}`]);
});

Deno.test("faults of the sinks' settings are told with their places", async () => {
  assert.equal(
    await faultsOf(sinkToml(`type = "csv"\npath = "a.csv"\ncolumns = ["id", "nota", "id"]\norder_by = ["id / 2", "meta.epoch_time"]`)),
    `p.toml:9:11: there is no field "nota" to write
  hint: the rows have: id, note
p.toml:9:11: column "id" is listed twice
  hint: the rows have: id, note
p.toml:10:13: this expression can fail for some records, and a sink cannot reject them
  hint: compute it in a \`map\` before the sink
p.toml:10:23: a sink does not know meta.epoch_time
  hint: set a field from it in a \`map\` before the sink
`,
  );
});
