/**
 * Windows in the engine as it ships, under crashes and faults from one number: processes are killed, frozen, stopped and replaced until
 * one has reached the end of the input; then the table must hold what the slow reference says, each row once. Judged by their own
 * partition and keyed by it, windows are the same in one lane and in several, so the reference takes each partition by itself.
 */
import { createHash } from "node:crypto";
import { buildGraph } from "../../src/app/build_plan.ts";
import { MillraceError } from "../../src/data/fault.ts";
import type { PipelinePlan } from "../../src/engine/contracts.ts";
import { FencedError, runPipeline } from "../../src/engine/mod.ts";
import { Crashed, OutcomeUnknown } from "../../src/sim/crashed.ts";
import { FaultDriver, planFaults, type Strike } from "../../src/sim/fault_plan.ts";
import { NO_HAZARDS } from "../../src/sim/hazards.ts";
import type { SimProcess } from "../../src/sim/process.ts";
import { SeededRandom } from "../../src/sim/seeded_random.ts";
import { simSource } from "../../src/sim/source.ts";
import { simSqlSink, SimSqlTable } from "../../src/sim/sql_sink.ts";
import { type Booted, simWorld } from "../../src/sim/world.ts";
import { expected, type Row } from "../oracle/windows.ts";
import { Random, randomStream } from "./random_stream.ts";
import type { Compiled, OnStop } from "./streams.ts";

export interface Simulated {
  readonly problems: readonly string[];
  readonly strikes: readonly Strike[];
}
interface Life {
  readonly process: SimProcess;
  readonly abort: AbortController;
  end: { readonly ended: boolean; readonly error: unknown } | null;
}

const LIVES_MAX = 80;
const FAULTS_MAX = 6;
const EPOCH_ROWS_MAX = 10;
const RESTART_MS = 5;

/** Runs one number. */
export async function simulate(seed: number, { setting, emit, blueprint }: Compiled, onStop: OnStop): Promise<Simulated> {
  const random = new SeededRandom(seed ^ 0x57a7);
  const rows = rowsOf(seed, setting);
  const table = new SimSqlTable();
  const late = new SimSqlTable();
  const lanesByPartition = random.chance(500);
  const epoch = { everyMs: random.pick([5, 1_000]), recordsMax: random.between(1, EPOCH_ROWS_MAX), bytesMax: 1 << 20 };
  const batchRowsMax = random.between(1, 12);
  const world = simWorld(seed, { hazards: { ...NO_HAZARDS, orphanApplied: 300, lateMicrosMax: 30_000 }, traceLinesMax: 0 });
  let lives: Life[] = [];
  const driver = new FaultDriver(
    world,
    planFaults(random, FAULTS_MAX),
    (process) => lives.find((life) => life.process === process)?.abort.abort(),
  );
  world.hooks = driver;

  const planOf = ({ process, world: ports }: Booted): PipelinePlan => {
    const { operators, times } = buildGraph(blueprint);
    const { schema: { type } } = blueprint.sources[0];
    const partitions = rows.map((some) => some.map((row) => ({ text: String(row.id), values: valuesOf(row), reason: null })));
    const options = { name: "s", type, partitions, batchRowsMax, idlePerMille: 100 };
    const sinkOf = (name: string) => blueprint.sinks.find((sink) => sink.name === name)!.inputs;
    return {
      pipeline: "windows",
      hash: createHash("sha256").update(String(seed)).digest("hex"),
      sources: [{ name: "s", type, source: simSource(process, new SeededRandom(ports.random.uint32()), options), rank: 0 }],
      operators,
      times,
      sinks: [
        { name: "windows", inputs: sinkOf("out"), sink: simSqlSink(process, "windows", table) },
        { name: "late", inputs: sinkOf("late"), sink: simSqlSink(process, "late", late) },
      ],
      epoch,
      lanesByPartition,
    };
  };
  const live = async (booted: Booted, signal: AbortSignal): Promise<boolean> => {
    const { world: ports } = booted;
    do await ports.clock.sleep(RESTART_MS); while (await ports.locks.acquire("owner.lock") === null);
    const result = await runPipeline({ world: ports, plan: planOf(booted), kv: await ports.openKv("kv"), run: "r", signal });
    return result.ended;
  };
  const problems: string[] = [];
  for (let begun = 0, ended = false; !ended;) {
    if (!lives.some(({ process }) => process.state === "alive")) {
      if (++begun > LIVES_MAX) return { problems: [`no end after ${LIVES_MAX} processes`], strikes: driver.strikes };
      const booted = world.boot(`p${begun}`);
      const life: Life = { process: booted.process, abort: new AbortController(), end: null };
      lives.push(life);
      live(booted, life.abort.signal).then((is) => life.end = { ended: is, error: null }, (error) => life.end = { ended: false, error });
    }
    await world.scheduler.driveUntil(() =>
      lives.some(({ end }) => end !== null) || !lives.some(({ process }) => process.state === "alive")
    );
    for (const { process, end } of lives.filter(({ end }) => end !== null)) {
      process.kill();
      ended ||= end!.ended;
      if (end!.error !== null && !isOfFaults(end!.error)) problems.push(`a process failed: ${String((end!.error as Error).stack)}`);
    }
    lives = lives.filter(({ end, process }) => end === null && process.state !== "dead");
    if (problems.length > 0) break;
  }
  world.hooks = {};
  driver.relieveAll();
  for (const { process } of lives) process.kill();

  const wished = rows.map((some, partition) =>
    expected(setting, [partition], [...some.map((row) => ({ what: "row" as const, row })), { what: "end" as const, partition }])
  );
  const lines = table.rows.map(({ values }) =>
    values.map((value) => value === true ? "true" : value === false ? "false" : String(value)).join(" ")
  );
  compare("late rows", late.rows.map(({ values }) => String(values[0])), wished.flatMap((one) => one.late.map(String)), problems);
  const results = wished.flatMap((one) => one.results);
  const told = emit === "update" ? lines.filter((line) => line.endsWith(" false")) : lines;
  if (onStop === "keep") compare("windows", told, results, problems);
  // What left at a stop is added to what left later.
  else if (emit === "final") compare("totals of windows", totals(lines), totals(results), problems);
  return { problems, strikes: driver.strikes };
}

/** By partition, out of order as it comes, without what else may happen: every partition is read to its end. */
function rowsOf(seed: number, setting: Compiled["setting"]): readonly (readonly Row[])[] {
  const { partitions, happenings } = randomStream(new Random(seed), setting);
  const all = happenings.flatMap((happening) => happening.what === "row" ? [happening.row] : []);
  return partitions.map((partition) => all.filter((row) => row.partition === partition));
}
const valuesOf = ({ id, partition, at, key, n }: Row): readonly unknown[] => [id, partition, at, key, n];

/** Rows and total by window and key. */
function totals(lines: readonly string[]): string[] {
  const sums = new Map<string, [number, number]>();
  for (const line of lines) {
    const [start, end, key, partition, count, total] = line.split(" ");
    const name = `${start} ${end} ${key} ${partition}`;
    const before = sums.get(name) ?? [0, 0];
    sums.set(name, [before[0] + Number(count), before[1] + Number(total)]);
  }
  return [...sums].map(([name, numbers]) => `${name} ${numbers.join(" ")}`);
}

function compare(what: string, actual: readonly string[], wished: readonly string[], problems: string[]): void {
  const [left, right] = [actual.toSorted(), wished.toSorted()];
  const at = Array.from({ length: Math.max(left.length, right.length) }, (_, i) => i).find((i) => left[i] !== right[i]);
  if (at !== undefined) problems.push(`${what}: ${left.length} came, ${right.length} wished; ${left[at]} instead of ${right[at]}`);
}

/** A process may give up because of the faults; anything else it dies of is a mistake. */
function isOfFaults(error: unknown): boolean {
  if (error instanceof FencedError || error instanceof Crashed || error instanceof OutcomeUnknown) return true;
  return error instanceof MillraceError && (error.retry === "backoff" || error.code === "locked" || error.code === "fenced");
}
