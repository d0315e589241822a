/** The embedded log beyond the common contracts: keys, generations, seals, waiting, damaged and superseded writers. */
import assert from "node:assert/strict";
import { murmur2, partitionOfKey } from "../../src/connectors/log/murmur2.ts";
import { hasEnded, parseUntil } from "../../src/connectors/log/until.ts";
import { viewOf } from "../../src/data/words.ts";
import type { Sink, Source } from "../../src/engine/contracts.ts";
import { MillraceError } from "../../src/data/fault.ts";
import { Machine, Process } from "./support/memory_world.ts";
import { faultsOf, plan } from "./support/project.ts";
import { batchOf, readAll } from "./support/rows.ts";

const BUS = `[connections.bus]\ntype = "log"\npath = "log"\n`;
const FIELDS = `fields = { id = "int", note = "string" }\n`;
const writerPlan = (settings: string) =>
  `${BUS}[sources.in]\ntype = "csv"\npath = "x"\n${FIELDS}[sinks.out]\nconnection = "bus"\ninputs = ["in"]\ntopic = "t"\n${settings}\n`;
const readerPlan = (settings: string) =>
  `${BUS}[sources.in]\nconnection = "bus"\ntopic = "t"\n${FIELDS}${settings}\n[sinks.out]\ntype = "console"\ninputs = ["in"]\n`;

async function writer(
  process: Process,
  settings = "create = { partitions = 1 }",
): Promise<{ sink: Sink; put: (epoch: number, ids: readonly number[]) => Promise<void> }> {
  const blueprint = (await plan(writerPlan(settings))).sinks.find((sink) => sink.name === "out")!;
  const sink = blueprint.plan.create(process.world());
  return {
    sink,
    async put(epoch, ids) {
      const lane = sink.lane(0);
      await lane.fence(epoch);
      lane.write(batchOf(blueprint.input, ids.map((id) => [id, `note ${id}`]), 10 * epoch));
      await lane.deliver({ pipeline: "p", run: "r1", lane: 0, epoch, owner: epoch, digest: `d${epoch}`, timeMicros: epoch });
    },
  };
}
async function source(process: Process, settings = ""): Promise<Source> {
  return (await plan(readerPlan(settings))).sources[0].plan.create(process.world(), new Set(["id", "note"]));
}
const run = (id: string, fresh: boolean, pipeline = "p") => ({ pipeline, run: id, lanes: 1, fresh });
const LIMITS = { rowsMax: 100, bytesMax: 1 << 20 };
const idsOf = (rows: readonly string[]) => rows.map((row) => Number(/\[(\d+)/.exec(row)![1]));
const codeOf = (promise: Promise<unknown>) =>
  promise.then(() => "none", (error) => error instanceof MillraceError ? error.code : String(error));

Deno.test("keys go to the partitions that Kafka's Java client chooses", () => {
  const hash = (text: string) => {
    const bytes = new TextEncoder().encode(`xx${text}y`);
    return murmur2(viewOf(bytes), 2, bytes.length - 1);
  };
  // Kafka, UtilsTest.testMurmur2.
  assert.equal(hash("21"), -973932308);
  assert.equal(hash("foobar"), -790332482);
  assert.equal(hash("a-little-bit-long-string"), -985981536);
  assert.equal(hash("a-little-bit-longer-string"), -1486304829);
  assert.equal(hash("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), -58897971);
  assert.equal(hash("abc"), 479470107);
  assert.equal(partitionOfKey(viewOf(new TextEncoder().encode("21")), 0, 2, 7), (-973932308 & 0x7fffffff) % 7);
});

Deno.test("a key keeps its partition, a record without one goes round by position", async () => {
  const machine = new Machine();
  const { sink, put } = await writer(new Process(machine), 'create = { partitions = 3 }\nkey = "id"');
  await sink.open(run("r1", true));
  await put(1, [1, 2, 3, 1, 2, 3, 3]);
  await sink.finish();
  await sink.close();
  const opened = await source(new Process(machine));
  const seen = new Map<number, number>();
  for (let partition = 0; partition < await opened.partitions(); partition++) {
    const reader = await opened.reader(partition);
    for (const id of idsOf((await readAll(reader, reader.start, () => LIMITS)).rows)) {
      assert.equal(seen.get(id) ?? partition, partition);
      seen.set(id, partition);
    }
  }
  assert.equal(seen.size, 3);
});

Deno.test("a format that is a table says how decimals and timestamps look", async () => {
  const machine = new Machine();
  const wide = (text: string) => text.replace(FIELDS, 'fields = { at = "timestamp", amount = "decimal(2)" }\n');
  const format = 'format = { type = "json", decimals = "string", timestamps = "yyyy-MM-dd\'T\'HH:mm:ss.SSSxxx" }';
  const blueprint = (await plan(wide(writerPlan(`create = { partitions = 1 }\n${format}`)))).sinks.find((sink) => sink.name === "out")!;
  const sink = blueprint.plan.create(new Process(machine).world());
  await sink.open(run("r1", true));
  const lane = sink.lane(0);
  await lane.fence(1);
  lane.write(batchOf(blueprint.input, [[1737026625123456, 1250]], 0));
  await lane.deliver({ pipeline: "p", run: "r1", lane: 0, epoch: 1, owner: 1, digest: "d", timeMicros: 1 });
  await sink.finish();
  await sink.close();
  const texts = readerPlan("").replace(FIELDS, 'fields = { at = "string", amount = "string" }\n');
  const reader = await (await plan(texts)).sources[0].plan.create(new Process(machine).world(), new Set(["at", "amount"])).reader(0);
  const { rows } = await readAll(reader, reader.start, () => LIMITS);
  assert.equal(rows.length, 1);
  assert.ok(rows[0].includes('["2025-01-16T11:23:45.123+00:00","12.50"]'), rows[0]);
});

Deno.test("a reader waits for the topic, then for its producer, and ends at the seal", async () => {
  const machine = new Machine();
  const opened = await source(new Process(machine));
  assert.equal(await opened.identity(), "");
  let known = false;
  const partitions = opened.partitions().then((count) => (known = true, count));
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(known, false);
  const { sink, put } = await writer(new Process(machine));
  await sink.open(run("r1", true));
  assert.equal(await partitions, 1);
  const reader = await opened.reader(0);
  assert.equal((await reader.poll(reader.start, LIMITS)).kind, "idle");
  await put(1, [1, 2]);
  const first = await readAll(reader, reader.start, () => LIMITS);
  assert.deepEqual([idsOf(first.rows), first.last], [[1, 2], "idle"]);
  assert.equal(await opened.identity(), "", "an unsealed topic cannot be told");
  await put(2, [3]);
  await sink.finish();
  const rest = await readAll(reader, first.places.at(-1)!.position, () => LIMITS);
  assert.deepEqual([idsOf(rest.rows), rest.last], [[3], "end"]);
  assert.notEqual(await opened.identity(), "");
});

Deno.test("until: idle ends after silence, count after so many records, never not at the seal", async () => {
  const machine = new Machine();
  const { sink, put } = await writer(new Process(machine));
  await sink.open(run("r1", true));
  await put(1, [1, 2, 3]);
  const counted = await (await source(new Process(machine), 'until = "count 2"')).reader(0);
  const two = await readAll(counted, counted.start, () => LIMITS);
  assert.deepEqual([idsOf(two.rows), two.last], [[1, 2], "end"]);
  const process = new Process(machine);
  const silent = await (await source(process, 'until = "idle 10s"')).reader(0);
  const all = await readAll(silent, silent.start, () => LIMITS);
  assert.equal(all.last, "idle");
  await process.world().clock.sleep(10_001);
  assert.equal((await silent.poll(all.places.at(-1)!.position, LIMITS)).kind, "end");
  await sink.finish();
  const endless = await (await source(new Process(machine), 'until = "never"')).reader(0);
  assert.equal((await readAll(endless, endless.start, () => LIMITS)).last, "idle");
  const latest = await (await source(new Process(machine), 'start = "latest"')).reader(0);
  assert.deepEqual(await readAll(latest, latest.start, () => LIMITS).then(({ rows, last }) => [rows, last]), [[], "end"]);
});

Deno.test("until is read strictly", () => {
  assert.deepEqual(parseUntil("idle 10s"), { kind: "idle", idleMs: 10_000 });
  assert.deepEqual(parseUntil("count 5"), { kind: "count", count: 5 });
  for (const wrong of ["", "ends", "idle", "idle 10", "count", "count -1", "count 1.5", "never "]) {
    assert.equal(parseUntil(wrong), null, wrong);
  }
  assert.equal(hasEnded({ kind: "count", count: 5 }, { read: 3, caughtUp: true, sealed: true, quietMs: 0 }), true);
});

Deno.test("a new run begins the topic anew, and a reader in the middle of the old one is told so", async () => {
  const machine = new Machine();
  const first = await writer(new Process(machine));
  await first.sink.open(run("r1", true));
  await first.put(1, [1, 2, 3]);
  await first.sink.close();
  const reader = await (await source(new Process(machine))).reader(0);
  const one = await reader.poll(reader.start, { rowsMax: 1, bytesMax: 1 });
  assert.equal(one.kind, "batch");
  const second = await writer(new Process(machine), "");
  await second.sink.open(run("r2", true));
  const read = await readAll(reader, reader.start, () => LIMITS).catch((error) => error);
  assert.ok(read instanceof MillraceError && read.code === "topic_rewritten" && read.hint?.includes("--rerun"), String(read));
  const fresh = await (await source(new Process(machine))).reader(0);
  assert.equal(await codeOf(fresh.poll((one as { next: string }).next, LIMITS)), "topic_rewritten");
  assert.deepEqual((await readAll(fresh, fresh.start, () => LIMITS)).rows, []);
  await second.sink.close();
});

Deno.test("a topic has one writer, one pipeline, and keeps what a run in progress wrote", async () => {
  const machine = new Machine();
  const { sink, put } = await writer(new Process(machine));
  await sink.open(run("r1", true));
  await put(1, [1]);
  const other = await writer(new Process(machine));
  assert.equal(await codeOf(other.sink.open(run("r1", false))), "locked");
  await sink.close();
  assert.equal(await codeOf(other.sink.open(run("r1", true, "q"))), "topic_owned");
  assert.equal(await codeOf(other.sink.open(run("r2", false))), "topic_lost");
  await other.sink.open(run("r1", false));
  assert.deepEqual(await other.sink.lane(0).fence(2), { epoch: 1, digest: "d1" });
  await other.sink.finish();
  await assert.rejects(other.put(3, [9]), { code: "topic_sealed" });
  await other.sink.close();
  const none = await writer(new Process(new Machine()), "");
  assert.equal(await codeOf(none.sink.open(run("r1", true))), "topic_missing");
});

Deno.test("a torn commit was never made, a damaged frame is refused", async () => {
  const machine = new Machine();
  const { sink, put } = await writer(new Process(machine));
  await sink.open(run("r1", true));
  await put(1, [1]);
  await put(2, [2]);
  await sink.close();
  const path = machine.paths("log/t/1/commits")[0];
  const whole = machine.files.get(path)!;
  for (let cut = 1; cut < 40; cut += 7) {
    machine.files.set(path, whole.slice(0, whole.length - cut));
    const reader = await (await source(new Process(machine))).reader(0);
    assert.deepEqual(idsOf((await readAll(reader, reader.start, () => LIMITS)).rows), [1]);
    const next = await writer(new Process(machine));
    await next.sink.open(run("r1", false));
    assert.deepEqual(await next.sink.lane(0).fence(3), { epoch: 1, digest: "d1" });
    await next.sink.close();
    for (const later of machine.paths("log/t/1/commits").slice(1)) machine.files.delete(later);
  }
  machine.files.set(path, whole);
  const segment = machine.paths("log/t/1/0/")[0];
  const bytes = machine.files.get(segment)!.slice();
  bytes[bytes.length - 3] ^= 1;
  machine.files.set(segment, bytes);
  const reader = await (await source(new Process(machine))).reader(0);
  assert.equal(await codeOf(readAll(reader, reader.start, () => LIMITS)), "log_damaged");
});

Deno.test("faults of the settings are told with their places", async () => {
  assert.equal(
    await faultsOf(readerPlan('until = "soon"')),
    'p.toml:8:9: "soon" does not say when the input ends\n  hint: write end, idle 10s, count 1000 or never\n',
  );
  assert.match(
    await faultsOf(readerPlan('key = "idd"')),
    /p\.toml:8:7: there is no field "idd" that the topic could be keyed by\n {2}hint: the fields are: id, note/,
  );
  assert.match(await faultsOf(readerPlan('start = "latest"\nuntil = "count 3"')), /p\.toml:9:9: `count` needs a fixed beginning/);
  assert.match(await faultsOf(writerPlan('key = "id > 1"')), /a bool cannot be a record's key/);
  assert.match(await faultsOf(writerPlan("").replace('topic = "t"', 'topic = "../t"')), /"\.\.\/t" cannot be the name of a topic/);
});
