/** What replicas agree upon through the run record: one run, one opener, one set of table snapshots, whoever is faster. */
import assert from "node:assert/strict";
import { under } from "../../src/app/checkpoint_store.ts";
import { replicasOf } from "../../src/app/replicas.ts";
import { knowsRun, pastOf, type RunRecord, RunRecords, withoutStale } from "../../src/app/run_record.ts";
import { snapshotKeys } from "../../src/app/table_snapshots.ts";
import { untilAnswered } from "../../src/app/until_answered.ts";
import { MillraceError } from "../../src/data/fault.ts";
import { MemoryKv } from "../engine/support/memory_kv.ts";
import { TestWorld } from "../engine/support/world.ts";

const never = new AbortController().signal;
const record = (run: string, more: Partial<RunRecord> = {}): RunRecord => ({
  version: 1,
  run,
  hash: "h",
  status: "open",
  identities: {},
  tables: null,
  startedMicros: 0,
  stale: [],
  summary: null,
  ...more,
});

Deno.test("of replicas that find no run, one makes it and the others join it", async () => {
  const kv = new MemoryKv();
  const all = await Promise.all([1, 2, 3].map(() => RunRecords.open(kv)));
  const chosen = await Promise.all(all.map((records, i) => records.update((newest) => newest ? null : record(`run-${i}`))));
  assert.equal(new Set(chosen.map((each) => each!.run)).size, 1);
  assert.deepEqual(all.map(({ current }) => current!.run), chosen.map((each) => each!.run));
});

Deno.test("a change is decided on the newest record, and refused when another run was begun", async () => {
  const kv = new MemoryKv();
  const [one, two] = [await RunRecords.open(kv), await RunRecords.open(kv)];
  await one.update(() => record("a"));
  await two.update((newest) => newest ? null : record("b"));
  await one.updateRun("a", (newest) => ({ ...newest, tables: { t: "one" } }));
  const kept = await two.updateRun("a", (newest) => newest.tables ? null : { ...newest, tables: { t: "two" } });
  // The second one saw the record as it was before: only its check tells it.
  assert.equal(two.current!.tables!.t, "one");
  assert.equal(kept.tables!.t, "one");
  await one.update((newest) => record("c", { stale: [newest!.run] }));
  await assert.rejects(two.requireRun("a"), { code: "owned" });
  await assert.rejects(two.updateRun("a", () => null), { code: "owned" });
});

Deno.test("one replica opens the sinks first; where it died, another takes its place", async () => {
  const kv = new MemoryKv();
  const world = new TestWorld();
  const maker = await RunRecords.open(kv);
  await maker.update(() => record("a", { opening: "maker" }));
  const joiner = await RunRecords.open(kv);
  const [first, second] = [
    replicasOf(maker, "a", "maker", { world, signal: never }),
    replicasOf(joiner, "a", "joiner", { world, signal: never }),
  ];
  assert.equal(await first.mayClear(), "nobody has begun");
  await first.opened();
  assert.equal(await second.mayClear(), "others have begun");
  await maker.updateRun("a", (newest) => ({ ...newest, opening: "somebody dead" }));
  await joiner.reload();
  const before = world.nowMicros;
  assert.equal(await second.mayClear(), "nobody has begun");
  assert.ok(world.nowMicros - before > 60_000_000, "it is given a minute");
  await second.opened();
  assert.equal((await maker.reload())!.opening, null);
});

Deno.test("a snapshot in the store comes back whole, apart from others, and goes with its run", async () => {
  const kv = new MemoryKv();
  const snapshots = snapshotKeys(kv);
  const bytes = Uint8Array.from({ length: 1_500_000 }, (_, i) => i % 251);
  const name = { run: "a", table: "t", digest: "d1" };
  await snapshots.keep(name, bytes);
  await snapshots.keep({ ...name, digest: "d2" }, bytes.subarray(0, 10));
  await snapshots.keep({ ...name, run: "b" }, new Uint8Array());
  assert.deepEqual(await snapshots.read(name), bytes);
  assert.deepEqual(await snapshots.read({ ...name, digest: "d2" }), bytes.slice(0, 10));
  await snapshots.remove("a");
  assert.equal(kv.entries.size, 0);
});

Deno.test("pipelines in one store do not see one another", async () => {
  const kv = new MemoryKv();
  const [one, two] = [under(["p", "one"], kv), under(["p", "two"], kv)];
  const value = new Uint8Array([1]);
  const done = await one.commit({ checks: [{ key: ["run"], versionstamp: null }], sets: [{ key: ["run"], value }], deletes: [] });
  assert.ok(done.ok);
  assert.equal(await two.get(["run"]), null);
  assert.ok((await two.commit({ checks: [{ key: ["run"], versionstamp: null }], sets: [{ key: ["run"], value }], deletes: [] })).ok);
  assert.deepEqual(await one.get(["run"]), { key: ["run"], value, versionstamp: done.versionstamp });
  const listed = [];
  for await (const { key } of one.list([])) listed.push(key);
  assert.deepEqual(listed, [["run"]]);
  assert.ok((await one.commit({ checks: [], sets: [], deletes: [["run"]] })).ok);
  assert.notEqual(await two.get(["run"]), null);
});

Deno.test("only a store that does not answer is waited for, and not beyond the signal", async () => {
  const world = new TestWorld();
  let asked = 0;
  const busy = new MillraceError("kv_unanswered", "no answer", { retry: "wait" });
  const answer = await untilAnswered(world, never, () => ++asked < 5 ? Promise.reject(busy) : Promise.resolve("there"));
  assert.deepEqual([answer, asked], ["there", 5]);
  await assert.rejects(untilAnswered(world, never, () => Promise.reject(new MillraceError("kv_refused", "no"))), { code: "kv_refused" });
  await assert.rejects(untilAnswered(world, AbortSignal.abort(), () => Promise.reject(busy)), { code: "kv_unanswered" });
});

Deno.test("a record knows the runs of its own past, and after --rerun all that began before; others it does not", () => {
  const [first, second, third, later] = ["lz000000-a", "lz000001-b", "lz000002-c", "lz000003-d"];
  const one = record(first, pastOf(null));
  assert.deepEqual([knowsRun(one, first), knowsRun(one, second)], [true, false]);
  const two = withoutStale(record(second, pastOf(one)), [first]);
  assert.deepEqual(two.stale, []);
  assert.equal(knowsRun(two, first), true, "its keys are gone, that it was is remembered");
  const rerun = record(third, { ...pastOf(null), anew: third });
  assert.deepEqual([first, second, later].map((run) => knowsRun(rerun, run)), [true, true, false]);
  const behind = record("lz000009-z", pastOf(rerun));
  assert.deepEqual([second, third, later].map((run) => knowsRun(behind, run)), [true, true, false], "what was given up stays given up");
});
