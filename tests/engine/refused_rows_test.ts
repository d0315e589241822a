/**
 * Rows that a target refuses, on small fakes: the target changes its mind with every attempt, and still each row is at one place, once,
 * whatever step fails.
 */
import assert from "node:assert/strict";
import { MillraceError } from "../../src/data/fault.ts";
import type { Marker, PipelinePlan, RefusedRow, Sink, SinkLane } from "../../src/engine/contracts.ts";
import { decodeHead } from "../../src/engine/head.ts";
import { runPipeline } from "../../src/engine/mod.ts";
import { REJECT_TYPE } from "../../src/engine/rejects.ts";
import { MemoryKv } from "./support/memory_kv.ts";
import { DatabaseSink, INPUT, MemorySource, rowsOf, sumNode, SUMS, TestDatabase, testRecords } from "./support/pipeline.ts";
import { Crash, TestWorld } from "./support/world.ts";

const RECORDS = testRecords(57);
const GOOD = RECORDS.flatMap(({ amount }, i) => amount >= 0 && amount !== 13 ? [i] : []);
const never = new AbortController().signal;

/** A table that is asked again answers otherwise. */
class MoodyTable {
  rows: Record<string, unknown>[] = [];
  marker: Marker & { readonly owner: number } = { epoch: 0, digest: "", owner: 0 };
  attempts = 0;
  /** How many rows one attempt refuses: all, or every so many. */
  every = 4;
}

class RefusingSink implements Sink {
  readonly guarantee = "exactly-once";
  refuses: true | undefined = true;
  constructor(readonly table: MoodyTable, readonly fault: (epoch: number) => "before" | "after" | null = () => null) {}
  open = () => Promise.resolve();
  finish = () => Promise.resolve();
  close = () => Promise.resolve();
  lane(): SinkLane {
    const { table } = this;
    let held: Record<string, unknown>[] = [];
    return {
      fence: (owner) => {
        held = [];
        table.marker = { ...table.marker, owner };
        return Promise.resolve(table.marker.epoch === 0 ? null : table.marker);
      },
      write: (batch) => void held.push(...rowsOf(batch).map((row, i) => ({ ...row, at: batch.meta.position[i] }))),
      deliver: async ({ epoch, digest, owner }) => {
        await Promise.resolve();
        const fault = this.fault(epoch);
        if (fault === "before") throw lost();
        assert.ok(table.marker.owner === owner && table.marker.epoch < epoch);
        const mood = table.attempts++;
        const isRefused = (row: number): boolean => (row + mood) % table.every === 0;
        const refused: RefusedRow[] = held.flatMap((_, row) =>
          isRefused(row) ? [{ row, code: "check:mood", message: `mood ${mood}` }] : []
        );
        table.rows.push(...held.filter((_, row) => !isRefused(row)));
        table.marker = { epoch, digest, owner, refused };
        held = [];
        if (fault === "after") throw lost();
        return refused;
      },
      discard: () => void (held = []),
      bytesHeld: () => held.length * 32,
    };
  }
}
const lost = (): MillraceError => new MillraceError("sink_unanswered", "connection lost", { retry: "backoff" });

interface Places {
  readonly kv: MemoryKv;
  readonly table: MoodyTable;
  readonly rejects: TestDatabase;
}
const places = (): Places => ({ kv: new MemoryKv(), table: new MoodyTable(), rejects: new TestDatabase() });

function planOf({ table, rejects }: Places, sink = new RefusingSink(table)): PipelinePlan {
  return {
    pipeline: "test",
    hash: "plan-1",
    sources: [{ name: "input", type: INPUT, source: new MemorySource("input", [RECORDS], 4, [8, 31]), rank: 0 }],
    operators: [sumNode("sum", "input")],
    sinks: [
      { name: "sink:sums", inputs: [{ from: "sum", port: "out" }], sink },
      {
        name: "sink:rejects",
        inputs: ["input", "sum", "sink:sums"].map((from) => ({ from, port: "rejected" })),
        sink: new DatabaseSink(rejects),
      },
    ],
    epoch: { everyMs: 1000, recordsMax: 10, bytesMax: 1 << 20 },
    lanesByPartition: false,
  };
}
const start = (into: Places, { world = new TestWorld(), plan = planOf(into), signal = never } = {}) =>
  runPipeline({ world, plan, kv: into.kv, run: "r1", signal });

const refusedIn = ({ rejects }: Places) => (rejects.rows.get(0) ?? []).filter(({ step }) => step === "sink:sums");

function assertEachRowOnce(into: Places, after: string): void {
  const taken = into.table.rows.map(({ at }) => at as number);
  const refused = refusedIn(into).map(({ position }) => position as number);
  assert.deepEqual([...taken, ...refused].sort((a, b) => a - b), GOOD, after);
  assert.deepEqual(taken, taken.toSorted((a, b) => a - b), after);
}

Deno.test("rows that the target refuses leave as rejects of the sink, with the record's bytes, the reason and the message", async () => {
  const into = places();
  const { counters, ended } = await start(into);
  assert.equal(ended, true);
  assertEachRowOnce(into, "without faults");
  const refused = refusedIn(into);
  assert.ok(refused.length >= 9, `${refused.length} refused`);
  const { received_at: _, ...first } = refused[0];
  const { key, amount } = RECORDS[0];
  assert.deepEqual(first, {
    pipeline: "test",
    source: "input",
    partition: 0,
    position: 0,
    origin: 0,
    step: "sink:sums",
    reason: "sink:sums:check:mood",
    raw: JSON.stringify({ key, amount, sum: amount }),
    raw_base64: null,
    message: "mood 0",
  });
  assert.deepEqual(
    [...Object.keys(first), "received_at"].sort(),
    [...REJECT_TYPE.fields.map(({ name }) => name), "message", "received_at"].sort(),
  );
  assert.equal(counters.get("sink:sums")!.in, GOOD.length);
  assert.equal(counters.get("sink:sums")!.rejected, refused.length);
  assert.deepEqual(SUMS.fields.map(({ name }) => name), Object.keys(JSON.parse(first.raw as string)));
});

Deno.test("a crash at any step leaves each row at one place, though the target would answer otherwise", async () => {
  const whole = new TestWorld();
  await start(places(), { world: whole });
  assert.ok(whole.steps.filter((step) => step.startsWith("refused_written")).length >= 5);
  for (let passing = 1; passing <= whole.steps.length; passing++) {
    const into = places();
    const world = new TestWorld();
    world.crashAt = (_step, count) => count === passing;
    await assert.rejects(start(into, { world }), Crash, `no crash at ${passing}`);
    const { counters } = await start(into);
    assertEachRowOnce(into, whole.steps[passing - 1]);
    assert.equal(counters.get("sink:sums")!.rejected, refusedIn(into).length, whole.steps[passing - 1]);
  }
});

Deno.test("a lost answer of a delivery takes the outcome that was recorded", async () => {
  for (const kind of ["before", "after"] as const) {
    const into = places();
    const hit = new Set<number>();
    const sink = new RefusingSink(into.table, (epoch) => hit.has(epoch) ? null : (hit.add(epoch), kind));
    await start(into, { plan: planOf(into, sink) });
    assertEachRowOnce(into, kind);
    assert.ok(hit.size >= 6);
  }
});

Deno.test("an answer of the checkpoint store that is lost, at whichever commit, loses and doubles none", async () => {
  const { kv: whole } = await (async () => {
    const into = places();
    await start(into);
    return into;
  })();
  for (const fault of ["lost before", "lost after"] as const) {
    for (let failing = 1; failing <= whole.commits; failing++) {
      const into = places();
      into.kv.fault = (commit) => commit === failing ? fault : null;
      await start(into);
      assertEachRowOnce(into, `${fault} ${failing}`);
    }
  }
});

Deno.test("a planned stop gives out what was refused before it", async () => {
  const into = places();
  const stop = new AbortController();
  const world = new TestWorld();
  world.crashAt = (step, count) => (step === "refused_written" && count > 0 && stop.abort(), false);
  const { ended } = await start(into, { world, signal: stop.signal });
  assert.equal(ended, false);
  const head = decodeHead((await into.kv.get(["lane", "r1", 0, "head"]))!.value);
  assert.equal(head.refusedParts, 0);
  assert.equal(head.intent, null);
  const kept = [];
  for await (const { key } of into.kv.list(["lane", "r1", 0, "refused"])) kept.push(key);
  assert.deepEqual(kept, []);
  await start(into);
  assertEachRowOnce(into, "stopped and started");
});

Deno.test("a whole epoch that is refused, of more bytes than one value holds, goes through", async () => {
  const into = places();
  into.table.every = 1;
  const long = "x".repeat(50_000);
  const records = Array.from({ length: 7 }, (_, i) => ({ key: `${long}${i}`, amount: i }));
  const base = planOf(into);
  const source = new MemorySource("input", [records], 7);
  const world = new TestWorld();
  let crashed = false;
  world.crashAt = (step) => step === "head_flipped" && !crashed && (crashed = true);
  const plan = { ...base, sources: [{ ...base.sources[0], source }] };
  await assert.rejects(start(into, { plan, world }), Crash);
  assert.ok(decodeHead((await into.kv.get(["lane", "r1", 0, "head"]))!.value).refusedParts >= 5);
  await start(into, { plan });
  assert.equal(into.table.rows.length, 0);
  assert.deepEqual(refusedIn(into).map(({ raw }) => JSON.parse(raw as string).key.slice(-1)), ["0", "1", "2", "3", "4", "5", "6"]);
});

Deno.test("a plan whose sink rejects no rows any more is refused while some are still to be told", async () => {
  const into = places();
  const world = new TestWorld();
  let flips = 0;
  world.crashAt = (step) => step === "head_flipped" && ++flips === 1;
  await assert.rejects(start(into, { world }), Crash);
  const strict = new RefusingSink(into.table);
  strict.refuses = undefined;
  const rowsBefore = into.table.rows.length;
  await assert.rejects(
    start(into, { plan: planOf(into, strict) }),
    (error) => error instanceof MillraceError && error.code === "plan_changed",
  );
  assert.equal(into.table.rows.length, rowsBefore);
  await start(into);
  assertEachRowOnce(into, "with the plan as it was");
});
