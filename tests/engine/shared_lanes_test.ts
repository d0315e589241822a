/** Replicas in one process on one store: lanes move between them, one is fenced, and each row is there once. */
import assert from "node:assert/strict";
import { MillraceError } from "../../src/data/fault.ts";
import type { PartitionShare, Polled, PollLimits, ShareListener, SourceReader } from "../../src/engine/contracts.ts";
import { FencedError, runPipeline } from "../../src/engine/mod.ts";
import type { EngineResult, Replicas } from "../../src/engine/run_contracts.ts";
import { denoClock } from "../../src/platform/clock.ts";
import { MemoryKv } from "./support/memory_kv.ts";
import { type Databases, databases, MemorySource, testPipeline, type TestRecord, testRecords } from "./support/pipeline.ts";
import { TestWorld } from "./support/world.ts";

const PARTITIONS = 3;
const ROWS = 60;
const partitions = Array.from({ length: PARTITIONS }, (_, salt) => testRecords(ROWS, salt));

/** Real time, but nobody waits long. */
class RealTime extends TestWorld {
  override readonly clock = {
    ...denoClock,
    sleep: (ms: number, signal?: AbortSignal) => denoClock.sleep(Math.min(ms, 3), signal),
  };
}

/** Gives out what the test assigns; a record may be held back until the test allows it. */
class SharedSource extends MemorySource implements PartitionShare {
  listener: ShareListener | null = null;
  readonly log: string[] = [];
  spread: "each" | "whole" | null = null;
  isConfirming = true;
  readonly #given: { allowed: number };
  constructor(given: { allowed: number }, records: readonly (readonly TestRecord[])[] = partitions) {
    super("input", records, 4);
    this.#given = given;
  }
  share(spread: "each" | "whole"): PartitionShare {
    this.spread = spread;
    return this;
  }
  override async reader(partition: number): Promise<SourceReader> {
    const reader = await super.reader(partition);
    return {
      ...reader,
      poll: async (from: string, limits: PollLimits): Promise<Polled> => {
        const at = Number(from.slice(2));
        const until = limits.until ?? `n:${Math.min(this.#given.allowed, ROWS)}`;
        if (at >= Number(until.slice(2))) return { kind: "idle", retryAfterMs: 1 };
        return await reader.poll(from, { ...limits, until });
      },
    };
  }
  join(told: ShareListener): void {
    this.listener = told;
  }
  released(partition: number): void {
    this.log.push(`released ${partition}`);
  }
  async confirmed(signal: AbortSignal): Promise<void> {
    this.log.push("confirmed");
    while (!this.isConfirming && !signal.aborted) await denoClock.sleep(1);
  }
  leave(): Promise<void> {
    this.log.push("left");
    return Promise.resolve();
  }
  async assign(...partitions: number[]): Promise<void> {
    while (!this.listener) await denoClock.sleep(1);
    this.listener.assigned(partitions);
  }
}

const ALONE: Replicas = {
  mayClear: () => Promise.resolve("others have begun"),
  opened: () => Promise.resolve(),
  requireRun: () => Promise.resolve(),
};

interface Shop {
  readonly kv: MemoryKv;
  readonly into: Databases;
  readonly given: { allowed: number };
}
const shop = (): Shop => ({ kv: new MemoryKv(), into: databases(), given: { allowed: 20 } });

function replica(
  { kv, into, given }: Shop,
  replicas: Replicas = ALONE,
  options: Parameters<typeof testPipeline>[2] = { lanesByPartition: true },
) {
  const source = new SharedSource(given);
  const { plan, sinks } = testPipeline(source, into, options);
  const stop = new AbortController();
  const world = new RealTime();
  const ended = runPipeline({ world, plan, kv, run: "r", signal: stop.signal, replicas });
  ended.catch(() => {});
  return { source, sinks, world, ended, stop: (): Promise<EngineResult> => (stop.abort(), ended) };
}

const countOf = (into: Databases): number => [...into.sums.rows.values()].reduce((sum, rows) => sum + rows.length, 0);
async function until(done: () => boolean, what: string): Promise<void> {
  for (let waited = 0; !done(); waited++) {
    assert.ok(waited < 5_000, `${what} within five seconds`);
    await denoClock.sleep(1);
  }
}

/** What a fold without the engine gives for the first `rows` records of a partition. */
function expected(partition: number, rows: number) {
  const sums = new Map<string, number>();
  return partitions[partition].slice(0, rows).filter(({ amount }) => amount >= 0 && amount !== 13).map(({ key, amount }) => {
    sums.set(key, (sums.get(key) ?? 0) + amount);
    return { key, amount, sum: sums.get(key) };
  });
}
const wishedCount = (rows: number): number => partitions.keys().reduce((sum, partition) => sum + expected(partition, rows).length, 0);
function assertContent({ into }: Shop, rows: number): void {
  for (const partition of partitions.keys()) {
    assert.deepEqual(into.sums.rows.get(partition), expected(partition, rows), `lane ${partition}`);
  }
}

Deno.test("lanes run where their partitions are assigned, are drained before they are released, and go on elsewhere", async () => {
  const place = shop();
  const one = replica(place);
  await one.source.assign(0, 1, 2);
  assert.equal(one.source.spread, "each");
  await until(() => countOf(place.into) === wishedCount(20), "the first rows come out");
  const two = replica(place);
  await two.source.assign();
  place.given.allowed = 40;
  await one.source.assign(0);
  await until(() => one.source.log.length === 2, "two lanes are released");
  assert.deepEqual(one.source.log.toSorted(), ["released 1", "released 2"]);
  await two.source.assign(1, 2);
  await until(() => countOf(place.into) === wishedCount(40), "all rows come out");
  place.given.allowed = ROWS;
  await until(() => countOf(place.into) === wishedCount(ROWS), "all rows come out");
  const [first, second] = await Promise.all([one.stop(), two.stop()]);
  assertContent(place, ROWS);
  assert.deepEqual([first.lanes.length, second.lanes.length, first.ended], [1, 2, false]);
  assert.equal(first.counters.get("input")!.in + second.counters.get("input")!.in, PARTITIONS * ROWS);
  assert.equal(one.source.log.at(-1), "left");
});

Deno.test("a lane that was given back before it had been let go of is run again", async () => {
  const place = shop();
  const one = replica(place);
  await one.source.assign(0, 1, 2);
  await until(() => countOf(place.into) > 0, "rows come out");
  one.source.listener!.assigned([]);
  one.source.listener!.assigned([0, 1, 2]);
  place.given.allowed = ROWS;
  await until(() => countOf(place.into) === wishedCount(ROWS), "all rows come out");
  await one.stop();
  assertContent(place, ROWS);
});

Deno.test("a replica whose lanes are taken over writes nothing more, and takes them back only when the others leave them with it", async () => {
  const place = shop();
  const sleeper = replica(place);
  await sleeper.source.assign(0, 1, 2);
  await until(() => countOf(place.into) === wishedCount(20), "the first rows come out");
  sleeper.source.isConfirming = false;
  const healthy = replica(place);
  await healthy.source.assign(0, 1, 2);
  await until(() => healthy.world.steps.filter((step) => step.startsWith("loaded")).length === PARTITIONS, "all lanes are taken over");
  place.given.allowed = 40;
  await until(() => sleeper.source.log.length === PARTITIONS, "the sleeper learns of each lane");
  await until(() => countOf(place.into) === wishedCount(40), "the rows come out");
  assert.deepEqual(sleeper.source.log, ["confirmed", "confirmed", "confirmed"]);
  await healthy.stop();
  sleeper.source.isConfirming = true;
  place.given.allowed = ROWS;
  await until(() => countOf(place.into) === wishedCount(ROWS), "the sleeper goes on where the other one stopped");
  await sleeper.stop();
  assertContent(place, ROWS);
});

Deno.test("two that both believe a lane to be theirs do not fence one another for ever", async () => {
  const place = shop();
  place.given.allowed = 0;
  const [one, two] = [replica(place), replica(place)];
  const feeding = (async () => {
    for (let at = 0; at < ROWS; at++) {
      place.given.allowed = at;
      await denoClock.sleep(2);
    }
    place.given.allowed = ROWS;
  })();
  await Promise.all([one.source.assign(0, 1, 2), two.source.assign(0, 1, 2)]);
  await feeding;
  const settled = await Promise.race([
    Promise.allSettled([one.ended, two.ended]).then(() => "both stopped"),
    until(() => countOf(place.into) === wishedCount(ROWS), "all rows come out").then(() => "done"),
  ]);
  assert.equal(settled, "done");
  await Promise.allSettled([one.stop(), two.stop()]);
  assertContent(place, ROWS);
});

Deno.test("a fence that comes again and again stops the replica with FencedError", async () => {
  const place = shop();
  const failing = replica(place);
  for (const sink of failing.sinks) {
    sink.fault = () => {
      throw new FencedError("another owner");
    };
  }
  await failing.source.assign(0);
  await assert.rejects(failing.ended, FencedError);
  assert.equal(failing.source.log.at(-1), "left");
  assert.ok(failing.sinks.every(({ closed }) => closed));
});

Deno.test("the first replica of a run clears what earlier runs left, before any lane begins; another run stops the old one", async () => {
  const order: string[] = [];
  const place = shop();
  place.into.sums.rows.set(7, [{ left: "over" }]);
  let isSuperseded = false;
  const replicas: Replicas = {
    mayClear: () => Promise.resolve("nobody has begun"),
    opened: () => Promise.resolve(void order.push(`opened with ${place.into.sums.rows.size} lanes`)),
    requireRun: () => isSuperseded ? Promise.reject(new MillraceError("owned", "another run was begun")) : Promise.resolve(),
  };
  const one = replica(place, replicas);
  await one.source.assign(0);
  await until(() => countOf(place.into) > 0, "rows come out");
  assert.deepEqual(order, ["opened with 0 lanes"]);
  isSuperseded = true;
  await one.source.assign(0, 1);
  await assert.rejects(one.ended, { code: "owned" });
});

Deno.test("a pipeline of one lane has it where the whole source is assigned", async () => {
  const place = shop();
  const [one, two] = [replica(place, ALONE, {}), replica(place, ALONE, {})];
  await one.source.assign(0, 1, 2);
  await two.source.assign();
  assert.deepEqual([one.source.spread, two.source.spread], ["whole", "whole"]);
  await until(() => countOf(place.into) === wishedCount(20), "rows come out");
  await one.source.assign();
  await until(() => one.source.log.length === PARTITIONS, "the lane's partitions are released together");
  await two.source.assign(0, 1, 2);
  place.given.allowed = ROWS;
  await until(() => countOf(place.into) === wishedCount(ROWS), "rows come out");
  const [first, second] = await Promise.all([one.stop(), two.stop()]);
  assert.deepEqual([first.counters.size, second.lanes.length], [0, 1]);
  assert.equal(second.counters.get("input")!.in, PARTITIONS * ROWS);
});

Deno.test("a share that fails stops the run with its reason", async () => {
  const one = replica(shop());
  await one.source.assign(0);
  one.source.listener!.failed(new MillraceError("fenced", "another process runs as the same member"));
  await assert.rejects(one.ended, { code: "fenced" });
  assert.equal(one.source.log.at(-1), "left");
});
