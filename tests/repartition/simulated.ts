/**
 * Pipelines whose rows change lanes, as they ship, under crashes and faults from one number: both stages run in one process, which is
 * killed, frozen, stopped and replaced until one has come to the end; the topic between them lies on the simulated disk. Rows of a
 * partition come in order, so that none is late whatever lane they go through, and the reference may read them as one.
 */
import { loadRegistry } from "../../src/app/registry.ts";
import { runStages } from "../../src/app/run_stages.ts";
import { MillraceError } from "../../src/data/fault.ts";
import { FencedError } from "../../src/engine/mod.ts";
import type { PipelineBlueprint } from "../../src/project/contracts.ts";
import { Crashed, OutcomeUnknown } from "../../src/sim/crashed.ts";
import { FaultDriver, planFaults, type Strike } from "../../src/sim/fault_plan.ts";
import { NO_HAZARDS } from "../../src/sim/hazards.ts";
import type { SimProcess } from "../../src/sim/process.ts";
import { SeededRandom } from "../../src/sim/seeded_random.ts";
import { simSource } from "../../src/sim/source.ts";
import { simSqlSink, SimSqlTable } from "../../src/sim/sql_sink.ts";
import { type Booted, simWorld } from "../../src/sim/world.ts";
import { expected, type Row, type WindowSetting, type WindowShape } from "../oracle/windows.ts";
import { blueprintOf } from "../windows/support.ts";

const S = 1_000_000;
const FIRST = 1_700_000_000 * S;
const LIVES_MAX = 80;
const FAULTS_MAX = 6;
const RESTART_MS = 5;

export interface Variant {
  readonly name: string;
  readonly window: WindowShape;
  readonly blueprint: PipelineBlueprint;
}

const toml = (window: string, from: string, twoPhase: string): string => `
[connections.bus]
type = "log"
path = "log"
[sources.s]
connection = "bus"
topic      = "in"
key        = "id"
fields     = { id = "int", part = "int", at = "timestamp", key = "string?", n = "int" }
time       = { field = "at" }
${from === "s" ? "" : `[transforms.by_key]\ntype = "repartition"\ninputs = ["s"]\nkey = "key"\nlanes = 3`}
[transforms.w]
type      = "aggregate"
inputs    = ["${from}"]
window    = { ${window} }
by        = ["key", "part"]
aggregate = { rows = "count()", total = "sum(n)", least = "min(n)", most = "max(n)", kinds = "count_distinct(n)" }
${twoPhase}
[sinks.out]
type   = "console"
inputs = ["w"]
[sinks.late]
type   = "console"
inputs = ["w.late"]
[sinks.rejects]
type   = "console"
inputs = ["*.rejected"]
`;

/** Each is compiled once. */
export async function variants(): Promise<readonly Variant[]> {
  // Code is not loaded in simulated time: it must be there already.
  await loadRegistry("all");
  const shapes: readonly [string, WindowShape][] = [
    [`type = "tumbling", size = "5s"`, { kind: "tumbling", size: 5 * S }],
    [`type = "sliding", size = "9s", every = "4s"`, { kind: "sliding", size: 9 * S, every: 4 * S }],
    [`type = "session", gap = "3s"`, { kind: "session", gap: 3 * S, most: Infinity }],
  ];
  return await Promise.all(shapes.flatMap(([text, window]) => [
    variant(`repartition, ${window.kind}`, window, toml(text, "by_key", "")),
    ...(window.kind === "session" ? [] : [
      variant(`two phases, ${window.kind}`, window, toml(text, "s", "two_phase = { lanes = 2 }")),
      variant(`both, ${window.kind}`, window, toml(text, "by_key", "two_phase = true")),
    ]),
  ]));
}

async function variant(name: string, window: WindowShape, text: string): Promise<Variant> {
  return { name, window, blueprint: await blueprintOf(text) };
}

interface Life {
  readonly process: SimProcess;
  readonly abort: AbortController;
  end: { readonly ended: boolean; readonly error: unknown } | null;
}
export interface Simulated {
  readonly problems: readonly string[];
  readonly strikes: readonly Strike[];
}

/** Runs one number. */
export async function simulate(seed: number, { window, blueprint }: Variant): Promise<Simulated> {
  const random = new SeededRandom(seed ^ 0x1a9e);
  const rows = rowsOf(random);
  const [table, late, rejects] = [new SimSqlTable(), new SimSqlTable(), new SimSqlTable()];
  const epoch = { everyMs: random.pick([5, 1_000]), recordsMax: random.between(1, 10), bytesMax: 1 << 20 };
  const batchRowsMax = random.between(1, 12);
  const hazards = { ...NO_HAZARDS, orphanApplied: 300, lateMicrosMax: 30_000 };
  const world = simWorld(seed, { hazards, traceLinesMax: 0, eventsMax: 400_000 });
  let lives: Life[] = [];
  const driver = new FaultDriver(
    world,
    planFaults(random, FAULTS_MAX),
    (process) => lives.find((life) => life.process === process)?.abort.abort(),
  );
  world.hooks = driver;

  /** The same plan, with the outside that a process of the simulation sees. */
  const seenBy = ({ process, world: ports }: Booted): PipelineBlueprint => {
    const partitions = rows.map((some) => some.map((row) => ({ text: String(row.id), values: valuesOf(row), reason: null })));
    const tables: Readonly<Record<string, SimSqlTable>> = { out: table, late, rejects };
    const stages = blueprint.stages.map((stage, index): PipelineBlueprint => ({
      ...stage,
      epoch,
      sources: stage.sources.map((source) => {
        if (index > 0) return source;
        const options = { name: "s", type: source.schema.type, partitions, batchRowsMax, idlePerMille: 100 };
        return { ...source, plan: { ...source.plan, create: () => simSource(process, new SeededRandom(ports.random.uint32()), options) } };
      }),
      sinks: stage.sinks.map((sink) => {
        const own = tables[sink.name];
        return own ? { ...sink, plan: { ...sink.plan, create: () => simSqlSink(process, `${stage.name} ${sink.name}`, own) } } : sink;
      }),
    }));
    return { ...blueprint, stages };
  };
  const live = async (booted: Booted, signal: AbortSignal): Promise<boolean> => {
    const { world: ports } = booted;
    do await ports.clock.sleep(RESTART_MS); while (await ports.locks.acquire("owner.lock") === null);
    const readFrom = { path: "", overrides: new Map() };
    const outcome = await runStages(seenBy(booted), { world: ports, signal, events: SILENT, readFrom, rerun: false });
    return outcome.status !== "stopped";
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
  verify({ window, rows, table, late, rejects }, problems);
  return { problems, strikes: driver.strikes };
}

const SILENT = { started: () => {}, progress: () => {}, finished: () => {}, notice: () => {} };

/** Rows of up to three partitions, each in order. */
function rowsOf(random: SeededRandom): readonly (readonly Row[])[] {
  let id = 0;
  return Array.from({ length: random.between(1, 3) }, (_, partition) => {
    let at = FIRST + random.below(5) * S;
    return Array.from({ length: random.between(0, 25) }, (): Row => {
      at += random.pick([0, 500_000, S, 2 * S, 6 * S]);
      return { id: id++, partition, at, key: random.pick(["a", "b", "c", "d", "e"]), n: random.below(5) };
    });
  });
}
const valuesOf = ({ id, at, key, n }: Row): readonly unknown[] => [id, 0, at, key === "e" ? null : key, n];

interface Outcome {
  readonly window: WindowShape;
  readonly rows: readonly (readonly Row[])[];
  readonly table: SimSqlTable;
  readonly late: SimSqlTable;
  readonly rejects: SimSqlTable;
}

function verify({ window, rows, table, late, rejects }: Outcome, problems: string[]): void {
  const setting: WindowSetting = { window, lateness: 0, late: "window", keyed: true, byTotal: false, horizon: null };
  const one = rows.flat().toSorted((a, b) => a.at - b.at).map((row) => ({
    what: "row" as const,
    row: { ...row, partition: 0, key: row.key === "e" ? "null" : row.key },
  }));
  const wished = expected(setting, [0], [...one, { what: "end", partition: 0 }]).results;
  const came = table.rows.map(({ values }) => values.map((value) => String(value)).join(" "));
  const [left, right] = [came.toSorted(), wished.toSorted()];
  const at = Array.from({ length: Math.max(left.length, right.length) }, (_, i) => i).find((i) => left[i] !== right[i]);
  if (at !== undefined) problems.push(`${left.length} windows came, ${right.length} wished; ${left[at]} instead of ${right[at]}`);
  if (late.rows.length + rejects.rows.length > 0) problems.push(`${late.rows.length} rows late, ${rejects.rows.length} refused`);
}

/** A process may give up because of the faults; anything else it dies of is a mistake. */
function isOfFaults(error: unknown): boolean {
  if (error instanceof FencedError || error instanceof Crashed || error instanceof OutcomeUnknown) return true;
  return error instanceof MillraceError && (error.retry === "backoff" || ["locked", "fenced", "owned"].includes(error.code));
}
