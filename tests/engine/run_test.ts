/** The commit protocol on small fakes: whatever step fails, sinks and state end as in a run without faults. */
import assert from "node:assert/strict";
import { MillraceError } from "../../src/data/fault.ts";
import type { Polled, SourceReader } from "../../src/engine/contracts.ts";
import { decodeHead } from "../../src/engine/head.ts";
import { collectRun, FencedError, runPipeline } from "../../src/engine/mod.ts";
import { MemoryKv } from "./support/memory_kv.ts";
import { type Databases, databases, MemorySource, testPipeline, testRecords } from "./support/pipeline.ts";
import { Crash, TestWorld } from "./support/world.ts";

const RECORDS = testRecords(57);
const never = new AbortController().signal;

interface Started {
  readonly kv?: MemoryKv;
  readonly into?: Databases;
  readonly world?: TestWorld;
  readonly signal?: AbortSignal;
  readonly run?: string;
  readonly source?: MemorySource;
  readonly options?: Parameters<typeof testPipeline>[2];
  readonly prepare?: (pipeline: ReturnType<typeof testPipeline>) => void;
}
async function start(
  { kv = new MemoryKv(), into = databases(), world = new TestWorld(), signal = never, run = "r1", source, options, prepare }: Started = {},
) {
  const pipeline = testPipeline(source ?? new MemorySource("input", [RECORDS], 4, [8, 31]), into, options);
  prepare?.(pipeline);
  const result = await runPipeline({ world, plan: pipeline.plan, kv, run, signal });
  return { result, into, kv, world };
}

/** What a fold written without the engine gives. */
function expected(records = RECORDS) {
  const sums = new Map<string, number>();
  const counts = new Map<string, number>();
  const rows = [];
  for (const { key, amount } of records) {
    if (amount < 0 || amount === 13) continue;
    sums.set(key, (sums.get(key) ?? 0) + amount);
    counts.set(key, (counts.get(key) ?? 0) + 1);
    rows.push({ key, amount, sum: sums.get(key) });
  }
  const rejected = records.flatMap(({ amount }, i) =>
    amount < 0 ? [[i, "input", "range:amount"]] : amount === 13 ? [[i, "sum", "unlucky"]] : []
  );
  return { rows, counts: [...counts].map(([key, count]) => ({ key, count })), rejected };
}

function assertContent(into: Databases, records = RECORDS): void {
  const wished = expected(records);
  assert.deepEqual(into.sums.rows.get(0), wished.rows);
  assert.deepEqual(into.counts.rows.get(0), wished.counts);
  const rejects = (into.rejects.rows.get(0) ?? []).map((row) => [row.position, row.step, row.reason]);
  assert.deepEqual(rejects.sort(([a], [b]) => (a as number) - (b as number)), wished.rejected);
}

Deno.test("a run without faults gives every row once, in order, and counts that add up", async () => {
  const { result, into, world } = await start();
  assert.equal(result.ended, true);
  assertContent(into);
  const { rows, counts, rejected } = expected();
  const unlucky = rejected.filter(([, step]) => step === "sum").length;
  const none = { filtered: 0, duplicates: 0, folded: 0, late: 0, rejected: 0, deletes: 0 };
  assert.deepEqual(result.counters.get("input"), { ...none, in: 57, out: rows.length + unlucky, rejected: rejected.length - unlucky });
  assert.deepEqual(result.counters.get("sum"), { ...none, in: rows.length + unlucky, out: rows.length, rejected: unlucky });
  assert.deepEqual(result.counters.get("count"), { ...none, in: rows.length, out: counts.length, folded: rows.length });
  assert.deepEqual(result.counters.get("sums"), { ...none, in: rows.length, out: 0 });
  assert.ok(result.epochs >= 6, `${result.epochs} epochs`);
  assert.ok(world.steps.indexOf("intent_written lane 0 epoch 1") < world.steps.indexOf("sink_delivered lane 0 epoch 1 sink sums"));
  assert.ok(world.steps.indexOf("sink_delivered lane 0 epoch 1 sink sums") < world.steps.indexOf("head_flipped lane 0 epoch 1"));
});

Deno.test("rejects carry the record's bytes, or its JSON where it was made", async () => {
  const { into } = await start();
  const [{ received_at: receivedAt, ...first }] = into.rejects.rows.get(0)!;
  assert.ok((receivedAt as number) >= 1_700_000_000_000_000, "the recorded time of the epoch, where the source knows no better");
  assert.deepEqual(first, {
    pipeline: "test",
    source: "input",
    partition: 0,
    position: 3,
    origin: 3,
    step: "input",
    reason: "range:amount",
    raw: '{"key":"k1","amount":-1}',
    raw_base64: null,
    message: null,
  });
  const made = into.rejects.rows.get(0)!.find(({ step }) => step === "sum")!;
  assert.deepEqual(JSON.parse(made.raw as string), { key: "k3", amount: 13 });
});

Deno.test("a crash at any protocol step, and resuming, gives the same content", async () => {
  const { world: whole } = await start();
  for (let passing = 1; passing <= whole.steps.length; passing++) {
    const kv = new MemoryKv();
    const into = databases();
    const world = new TestWorld();
    world.crashAt = (_step, count) => count === passing;
    await assert.rejects(start({ kv, into, world }), Crash, `no crash at ${passing}`);
    const { result } = await start({ kv, into });
    assert.equal(result.ended, true);
    assertContent(into);
    assert.equal(result.counters.get("input")!.in, 57, whole.steps[passing - 1]);
  }
});

Deno.test("crashing at every step of every start still gets to the end", async () => {
  const kv = new MemoryKv();
  const into = databases();
  let crashes = 0;
  for (let steps = 4;; steps++) {
    const world = new TestWorld();
    world.crashAt = (_step, count) => count === steps;
    try {
      const { result } = await start({ kv, into, world });
      assert.equal(result.ended, true);
      break;
    } catch (error) {
      assert.ok(error instanceof Crash);
      crashes++;
    }
  }
  assert.ok(crashes > 10, `${crashes} crashes`);
  assertContent(into);
});

Deno.test("a lost answer of any commit is found out by taking over again", async () => {
  const { kv: whole } = await start();
  for (const fault of ["lost before", "lost after"] as const) {
    for (let at = 1; at <= whole.commits; at++) {
      const kv = new MemoryKv();
      kv.fault = (commit) => commit === at ? fault : null;
      const { into, result } = await start({ kv });
      assert.equal(result.ended, true);
      assertContent(into);
    }
  }
});

Deno.test("a lost answer of any delivery is found out from the marker", async () => {
  const { into: whole } = await start();
  for (const fault of ["before", "after"] as const) {
    for (let at = 1; at <= whole.sums.delivered; at++) {
      let deliveries = 0;
      const { into } = await start({
        prepare: ({ sinks }) => {
          sinks[0].fault = () => ++deliveries === at ? fault : null;
        },
      });
      assertContent(into);
      assert.ok(deliveries >= at);
    }
  }
});

Deno.test("a store that never answers is given up after a bounded number of attempts", async () => {
  const kv = new MemoryKv();
  kv.fault = (commit) => commit > 3 ? "lost before" : null;
  const world = new TestWorld();
  await assert.rejects(start({ kv, world }), (error: unknown) => error instanceof MillraceError && error.code === "kv_unanswered");
  assert.ok(kv.commits < 30, `${kv.commits} commits`);
});

Deno.test("a superseded owner stops with FencedError and changes nothing", async () => {
  const kv = new MemoryKv();
  const into = databases();
  const old = new TestWorld();
  let before: string | null = null;
  let successor: Promise<unknown> | null = null;
  // The old owner is held up right before its third intent, while a new one runs to the end.
  let frozen = false;
  const stored = kv.commit.bind(kv);
  kv.commit = async (operation) => {
    if (!frozen && old.steps.at(-1) === "epoch_closed lane 0 epoch 3") {
      frozen = true;
      successor = start({ kv, into });
      await successor;
      before = JSON.stringify([...kv.entries.keys(), [...into.sums.rows]]);
    }
    return await stored(operation);
  };
  await assert.rejects(start({ kv, into, world: old }), FencedError);
  assert.notEqual(before, null);
  assert.equal(JSON.stringify([...kv.entries.keys(), [...into.sums.rows]]), before);
  assertContent(into);
});

Deno.test("an owner that was superseded between intent and delivery cannot deliver", async () => {
  const kv = new MemoryKv();
  const into = databases();
  let frozen = false;
  const thaw = Promise.withResolvers<void>();
  const old = start({
    kv,
    into,
    prepare: ({ sinks }) => {
      const lane = sinks[0].lane.bind(sinks[0]);
      sinks[0].lane = (number) => {
        const inner = lane(number);
        return {
          ...inner,
          deliver: async (stamp) => {
            if (stamp.epoch === 2 && !frozen) {
              frozen = true;
              await start({ kv, into });
              thaw.resolve();
            }
            await thaw.promise;
            await inner.deliver(stamp);
          },
        };
      };
    },
  });
  thaw.resolve();
  await assert.rejects(old, FencedError);
  assert.equal(frozen, true);
  assertContent(into);
});

Deno.test("an owner that was superseded while it loaded does not even replay", async () => {
  const kv = new MemoryKv();
  const into = databases();
  const world = new TestWorld();
  world.crashAt = (step, count) => step === "intent_written" && count > 20;
  await assert.rejects(start({ kv, into, world }), Crash);
  const list = kv.list.bind(kv);
  let held = true;
  kv.list = async function* (prefix) {
    if (held) {
      held = false;
      await start({ kv, into });
    }
    yield* list(prefix);
  };
  const old = new TestWorld();
  await assert.rejects(start({ kv, into, world: old }), FencedError);
  assert.ok(!old.steps.some((step) => /^(batch_processed|sink_delivered)/.test(step)), old.steps.join("; "));
  assertContent(into);
});

Deno.test("recorded time never goes back, whatever the clock does", async () => {
  const kv = new MemoryKv();
  const into = databases();
  const stop = new AbortController();
  const world = new TestWorld();
  world.crashAt = (step) => {
    if (step === "head_flipped") stop.abort();
    return false;
  };
  await start({ kv, into, world, signal: stop.signal });
  const first = decodeHead((await kv.get(["lane", "r1", 0, "head"]))!.value).timeMicros;
  const past = new TestWorld();
  past.nowMicros = 1000;
  await start({ kv, into, world: past });
  assert.ok(first > 1_600_000_000_000_000, "recorded at all");
  assert.equal(decodeHead((await kv.get(["lane", "r1", 0, "head"]))!.value).timeMicros, first);
  assertContent(into);
});

Deno.test("a stop flips what is open and leaves no intent; the next start goes on", async () => {
  const kv = new MemoryKv();
  const into = databases();
  const stop = new AbortController();
  const world = new TestWorld();
  world.crashAt = (step, count) => {
    if (step === "batch_processed" && count > 12) stop.abort();
    return false;
  };
  const { result } = await start({ kv, into, world, signal: stop.signal });
  assert.equal(result.ended, false);
  assert.ok(result.counters.get("input")!.in < 57);
  assert.match(world.steps.at(-1)!, /^head_flipped/);
  const again = await start({ kv, into });
  assert.equal(again.result.ended, true);
  assert.ok(!again.world.steps.some((step) => step.endsWith("again")), "nothing was replayed");
  assertContent(into);
});

Deno.test("a stop while a source is still waited for ends the run", async () => {
  const stop = new AbortController();
  const waiting = new MemorySource("input", [RECORDS]);
  waiting.partitions = () => {
    queueMicrotask(() => stop.abort());
    return new Promise(() => {});
  };
  const { result, kv } = await start({ source: waiting, signal: stop.signal });
  assert.equal(result.ended, false);
  assert.equal(result.lanes[0].get("count")!.backlog!(0), 0);
  assert.equal(kv.commits, 0);
});

/** Has nothing at first; what says so tells when that changes. */
class ArrivingSource extends MemorySource {
  override async reader(partition: number): Promise<SourceReader> {
    const reader = await super.reader(partition);
    let idle = 3;
    const nothing = (): Polled => ({ kind: "idle", retryAfterMs: 1000, arrived: new Promise((resolve) => queueMicrotask(resolve)) });
    return { ...reader, poll: (from, limits) => idle-- > 0 ? Promise.resolve(nothing()) : reader.poll(from, limits) };
  }
}

Deno.test("a lane that waits is woken by what arrives, however long it would have slept", async () => {
  const world = new TestWorld();
  world.clock.sleep = () => new Promise(() => {});
  const { result, into } = await start({ world, source: new ArrivingSource("input", [RECORDS], 4) });
  assert.equal(result.ended, true);
  assertContent(into);
});

Deno.test("starting a run that has ended delivers nothing and gives the same counters", async () => {
  const first = await start();
  const delivered = first.into.sums.delivered;
  const again = await start({ kv: first.kv, into: first.into });
  assert.equal(again.result.ended, true);
  assert.equal(again.result.epochs, 0);
  assert.equal(first.into.sums.delivered, delivered);
  assert.deepEqual(again.result.counters, first.result.counters);
});

Deno.test("an open epoch is completed by its own plan only", async () => {
  const kv = new MemoryKv();
  const into = databases();
  const world = new TestWorld();
  world.crashAt = (step) => step === "intent_written";
  await assert.rejects(start({ kv, into, world }), Crash);
  const entries = JSON.stringify([...kv.entries]);
  await assert.rejects(
    start({ kv, into, options: { hash: "plan-2" } }),
    (error: unknown) => error instanceof MillraceError && error.code === "plan_changed",
  );
  assert.equal(JSON.stringify([...kv.entries]), entries, "refusing changes nothing");
  await start({ kv, into });
  assertContent(into);
});

Deno.test("a replay notices input that is not what it was", async () => {
  const kv = new MemoryKv();
  const into = databases();
  const world = new TestWorld();
  world.crashAt = (step) => step === "intent_written";
  await assert.rejects(start({ kv, into, world }), Crash);
  const shorter = new MemorySource("input", [RECORDS.slice(0, 6)], 4);
  await assert.rejects(
    start({ kv, into, source: shorter }),
    (error: unknown) => error instanceof MillraceError && error.code === "input_changed",
  );
});

Deno.test("a lost checkpoint, or a sink from a backup, stops the lane with an explanation", async () => {
  const isMismatch = (error: unknown): boolean =>
    error instanceof MillraceError && error.code === "marker_mismatch" && error.hint!.includes("--rerun");
  const stop = new AbortController();
  const world = new TestWorld();
  world.crashAt = (step, count) => {
    if (step === "head_flipped" && count > 20) stop.abort();
    return false;
  };
  const { kv, into } = await start({ world, signal: stop.signal });
  const rows = into.sums.rows.get(0)!;
  const marker = into.sums.markers.get(0)!;
  into.sums.markers.set(0, { ...marker, epoch: marker.epoch - 1 });
  await assert.rejects(start({ kv, into }), isMismatch);
  into.sums.markers.set(0, { ...marker, digest: "0".repeat(64) });
  await assert.rejects(start({ kv, into }), isMismatch);
  into.sums.markers.set(0, { ...marker, epoch: marker.epoch + 2 });
  await assert.rejects(start({ kv, into }), isMismatch);
  into.sums.markers.set(0, marker);
  assert.equal(into.sums.rows.get(0), rows);
  await start({ kv, into });
  assertContent(into);
});

Deno.test("lanes of partitions run side by side and share nothing", async () => {
  const partitions = [testRecords(23, 1), testRecords(40, 2), [], testRecords(9, 3)];
  const into = databases();
  const { result } = await start({ into, source: new MemorySource("input", partitions, 3), options: { lanesByPartition: true } });
  assert.equal(result.lanes.length, 4);
  assert.equal(result.counters.get("input")!.in, 72);
  partitions.forEach((records, lane) => {
    assert.deepEqual(into.sums.rows.get(lane) ?? [], expected(records).rows);
    assert.deepEqual(into.counts.rows.get(lane) ?? [], expected(records).counts);
  });
});

Deno.test("one lane reads all partitions in turn, and each partition's order survives a crash", async () => {
  const partitions = [testRecords(20, 1), testRecords(20, 2)].map((records, partition) =>
    records.map(({ key, amount }) => ({ key: `${partition}${key}`, amount }))
  );
  const source = () => new MemorySource("input", partitions, 3);
  const { world } = await start({ source: source() });
  for (let passing = 5; passing <= world.steps.length; passing += 3) {
    const kv = new MemoryKv();
    const into = databases();
    const crashing = new TestWorld();
    crashing.crashAt = (_step, count) => count === passing;
    await assert.rejects(start({ kv, into, source: source(), world: crashing }), Crash);
    await start({ kv, into, source: source() });
    partitions.forEach((records, partition) => {
      const own = (rows: Record<string, unknown>[]) => rows.filter(({ key }) => (key as string).startsWith(String(partition)));
      assert.deepEqual(own(into.sums.rows.get(0)!), expected(records).rows);
      assert.deepEqual(own(into.counts.rows.get(0)!), expected(records).counts);
    });
  }
});

Deno.test("a fault in one lane stops the others and closes the sinks", async () => {
  const partitions = [testRecords(30), testRecords(30)];
  const sinksSeen: { closed: boolean }[] = [];
  const failing = start({
    source: new MemorySource("input", partitions, 3),
    options: { lanesByPartition: true },
    prepare: ({ sinks }) => {
      sinksSeen.push(...sinks);
      sinks[0].fault = (stamp) => {
        if (stamp.lane === 1 && stamp.epoch === 2) throw new MillraceError("disk_full", "no space left");
        return null;
      };
    },
  });
  await assert.rejects(failing, (error: unknown) => error instanceof MillraceError && error.code === "disk_full");
  assert.deepEqual(sinksSeen.map(({ closed }) => closed), [true, true, true]);
});

Deno.test("collecting a run removes all of its keys and nothing else", async () => {
  const kv = new MemoryKv();
  await start({
    kv,
    run: "old",
    source: new MemorySource("input", [testRecords(30), testRecords(30)], 3),
    options: { lanesByPartition: true },
  });
  await start({ kv, run: "new" });
  await kv.commit({ checks: [], sets: [{ key: ["run", "old"], value: new Uint8Array(1) }], deletes: [] });
  const keep = [...kv.entries.keys()].filter((key) => !key.startsWith('["lane","old"'));
  await collectRun(kv, "old");
  assert.deepEqual([...kv.entries.keys()], keep);
  await collectRun(kv, "old");
  assert.deepEqual([...kv.entries.keys()], keep);
});

Deno.test("a sink that waits for a time gets an epoch without records then, stamped with that time or later", async () => {
  const into = databases();
  const world = new TestWorld();
  const stop = new AbortController();
  // Input that never comes again after the first records.
  const source = new MemorySource("input", [RECORDS.slice(0, 5)]);
  const reader = source.reader.bind(source);
  source.reader = async (partition) => {
    const finite = await reader(partition);
    return {
      ...finite,
      poll: async (from, limits) => {
        const polled = await finite.poll(from, limits);
        return polled.kind === "end" ? { kind: "idle", retryAfterMs: 100 } : polled;
      },
    };
  };
  const dueMicros = world.nowMicros + 60_000_000;
  const times: number[] = [];
  const prepare: Started["prepare"] = ({ sinks: [sums] }) => {
    const make = sums.lane.bind(sums);
    sums.lane = (number) => {
      const lane = make(number);
      return {
        ...lane,
        deliver: async (stamp) => {
          await lane.deliver(stamp);
          times.push(stamp.timeMicros);
          if (stamp.timeMicros >= dueMicros) stop.abort();
        },
        dueMicros: () => dueMicros,
      };
    };
  };
  const { result } = await start({ into, world, source, signal: stop.signal, prepare });
  assert.equal(result.ended, false);
  assert.equal(times.length, 2, "one epoch of records, one for the sink");
  assert.ok(times[0] < dueMicros && times[1] >= dueMicros && times[1] < dueMicros + 2_000_000, `${times} around ${dueMicros}`);
});
