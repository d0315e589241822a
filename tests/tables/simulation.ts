/**
 * The engine as it ships, reading two kept tables beside its records, struck by faults from one number. The order in which it took its
 * input is read from the heads; what must come out of that order, the model says.
 */
import { createHash } from "node:crypto";
import { buildGraph, tableReaderName } from "../../src/app/build_plan.ts";
import { MillraceError } from "../../src/data/fault.ts";
import type { PipelinePlan } from "../../src/engine/contracts.ts";
import { decodeHead } from "../../src/engine/head.ts";
import { FencedError, runPipeline } from "../../src/engine/mod.ts";
import type { EngineResult } from "../../src/engine/run_contracts.ts";
import type { Intent } from "../../src/engine/schedule.ts";
import type { PipelineBlueprint } from "../../src/project/contracts.ts";
import { Crashed, OutcomeUnknown } from "../../src/sim/crashed.ts";
import { FaultDriver, planFaults, type Strike } from "../../src/sim/fault_plan.ts";
import { type Hazards, NO_HAZARDS } from "../../src/sim/hazards.ts";
import type { SimProcess } from "../../src/sim/process.ts";
import { SeededRandom } from "../../src/sim/seeded_random.ts";
import { type SimRecord, simSource } from "../../src/sim/source.ts";
import { simSqlSink, SimSqlTable } from "../../src/sim/sql_sink.ts";
import { type Booted, type SimWorld, simWorld } from "../../src/sim/world.ts";
import { Model, type ModelChange, type ModelRecord, type ModelRow } from "./model.ts";

/** As `modelled` is asked to wait. */
export const SIM_WAIT = "20ms";
const WAIT_MS = 20;
const KV_PATH = "state/checkpoint.kv";
const RUN = "run-1";
const LIVES_MAX = 80;
const ROUGH: Hazards = {
  ...NO_HAZARDS,
  lostAcknowledgement: 25,
  lostRequest: 25,
  lateRequest: 25,
  failedRead: 15,
  orphanApplied: 500,
  lateMicrosMax: 60_000,
  errorsMax: 12,
};

export interface Outcome {
  /** Empty for a run as it must be. */
  readonly problems: readonly string[];
  readonly strikes: readonly Strike[];
  readonly rows: number;
  /** Rows that came out again, and rows of records that waited in vain. */
  readonly again: number;
  readonly inVain: number;
}

interface Setup {
  readonly records: readonly (readonly ModelRecord[])[];
  readonly changes: Readonly<Record<"shops" | "others", readonly (readonly ModelChange[])[]>>;
  readonly ready: "caught_up" | "at_once";
}
interface Life {
  readonly process: SimProcess;
  readonly abort: AbortController;
  end: { readonly result?: EngineResult; readonly error?: unknown } | null;
}

function setupOf(random: SeededRandom): Setup {
  const lanes = random.pick([1, 2, 4] as const);
  let id = 0;
  const record = (lane: number): ModelRecord => ({
    id: id++,
    key: `${lane}k${random.below(3)}`,
    shop: random.chance(150) ? null : `s${random.below(5)}`,
    other: random.chance(150) ? null : `o${random.below(5)}`,
  });
  const records = Array.from({ length: lanes }, (_, lane) => Array.from({ length: random.between(5, 30) }, () => record(lane)));
  const part = (table: "shops" | "others", partition: number, of: number): ModelChange[] =>
    Array.from({ length: random.between(0, 12) }, () => {
      const id = `${table[0]}${random.below(5) * of + partition}`;
      return { table, id, name: random.chance(250) ? null : `n${random.below(1000)}` };
    });
  return {
    records,
    changes: { shops: [0, 1].map((partition) => part("shops", partition, 2)), others: [part("others", 0, 1)] },
    ready: random.chance(250) ? "caught_up" : "at_once",
  };
}

/** One life of the pipeline after the other until one reaches the end. */
export async function simulate(seed: number, blueprint: PipelineBlueprint): Promise<Outcome> {
  const random = new SeededRandom(seed ^ 0x7ab1e);
  const setup = setupOf(random);
  const epoch = { everyMs: random.pick([5, 50, 1000] as const), recordsMax: random.between(1, 12), bytesMax: 1 << 20 };
  const reading = { batchRowsMax: random.between(1, 8), idlePerMille: random.pick([0, 100, 500] as const) };
  const world = simWorld(seed, { hazards: random.chance(600) ? ROUGH : NO_HAZARDS });
  const table = new SimSqlTable();
  const problems: string[] = [];
  const intents = new Map<string, Intent>();
  let lives: Life[] = [];
  const driver = new FaultDriver(world, planFaults(random, 6), (process) => lives.find((life) => life.process === process)?.abort.abort());
  world.hooks = {
    onStep: (process, step) => {
      noteIntents(world, setup.records.length, intents);
      driver.onStep(process, step);
    },
    onEffect: (process) => driver.onEffect(process),
  };
  const judge = (error: unknown): void => {
    if (error instanceof FencedError || error instanceof Crashed || error instanceof OutcomeUnknown) return;
    const code = error instanceof MillraceError ? error.code : "";
    if (code === "fenced" || code === "locked" || code === "marker_mismatch" || (error as MillraceError).retry === "backoff") return;
    problems.push(error instanceof Error ? error.stack ?? error.message : String(error));
  };
  let result: EngineResult | undefined;
  for (let begun = 0; !result && problems.length === 0;) {
    if (!lives.some(({ process }) => process.state === "alive")) {
      if (++begun > LIVES_MAX) throw new Error(`seed ${seed}: no end after ${LIVES_MAX} processes`);
      const booted = world.boot(`p${begun}`);
      const life: Life = { process: booted.process, abort: new AbortController(), end: null };
      lives.push(life);
      const plan = planOf(booted, blueprint, setup, { epoch, reading, table, seed });
      live(booted, plan, life.abort.signal).then((result) => life.end = { result }, (error) => life.end = { error });
    }
    await world.scheduler.driveUntil(() =>
      lives.some(({ end }) => end !== null) || !lives.some(({ process }) => process.state === "alive")
    );
    for (const { process, end } of lives.filter((life) => life.end !== null)) {
      process.kill();
      if (end?.error) judge(end.error);
      else if (end?.result?.ended) result = end.result;
    }
    lives = lives.filter(({ end, process }) => end === null && process.state !== "dead");
  }
  noteIntents(world, setup.records.length, intents);
  const wished = problems.length > 0 ? [] : setup.records.map((_, lane) => expected(setup, lane, world, intents, problems));
  wished.forEach((rows, lane) => {
    const actual = table.rows.filter((row) => row.lane === lane).map(({ values }) => values.join("|"));
    const lines = rows.map((row) => [row.id, row.key, row.count, row.shop_name, row.other_name].join("|"));
    const at = lines.findIndex((line, i) => line !== actual[i]);
    if (at >= 0 || actual.length !== lines.length) {
      problems.push(`lane ${lane}: row ${at} of ${lines.length} is ${actual[at]}, not ${lines[at]}; ${actual.length} came`);
    }
  });
  const all = wished.flat();
  const records = setup.records.reduce((sum, of) => sum + of.length, 0);
  const inVain = all.filter(({ shop_name }) => shop_name === "?").length;
  return { problems, strikes: driver.strikes, rows: all.length, again: all.length - records, inVain };
}

async function live({ world }: Booted, plan: PipelinePlan, signal: AbortSignal): Promise<EngineResult> {
  do await world.clock.sleep(5); while (await world.locks.acquire("state/owner.lock") === null);
  const kv = await world.openKv(KV_PATH);
  return await runPipeline({ world, plan, kv, run: RUN, signal });
}

interface Choices {
  readonly epoch: PipelinePlan["epoch"];
  readonly reading: { readonly batchRowsMax: number; readonly idlePerMille: number };
  readonly table: SimSqlTable;
  readonly seed: number;
}

function planOf({ process, world }: Booted, blueprint: PipelineBlueprint, setup: Setup, choices: Choices): PipelinePlan {
  const random = new SeededRandom(world.random.uint32());
  const [{ schema }] = blueprint.sources;
  const common = { ...choices.reading };
  const records = setup.records.map((of) =>
    of.map((record): SimRecord => ({
      text: JSON.stringify(record),
      values: [record.id, record.key, record.shop, record.other],
      reason: null,
    }))
  );
  const source = simSource(process, random, { name: "payments", type: schema.type, partitions: records, ...common });
  const tables = blueprint.changelogs.map(({ name, schema }) => {
    const partitions = setup.changes[name as "shops" | "others"].map((of) =>
      of.map(({ id, name }): SimRecord => ({ text: id, values: [id, name ?? ""], reason: null, deleted: name === null }))
    );
    const source = simSource(process, random, { name, type: schema.type, partitions, ...common, behind: "waits" });
    return { name: tableReaderName(name), type: schema.type, source, rank: 0, table: { ready: setup.ready } };
  });
  return {
    pipeline: "tables",
    hash: createHash("sha256").update(String(choices.seed)).digest("hex"),
    sources: [{ name: "payments", type: schema.type, source, rank: 0 }, ...tables],
    operators: buildGraph(blueprint).operators,
    sinks: [{ name: "out", inputs: [{ from: "seen", port: "out" }], sink: simSqlSink(process, "out", choices.table) }],
    epoch: choices.epoch,
    lanesByPartition: true,
  };
}

/** What each epoch was announced as. */
function noteIntents(world: SimWorld, lanes: number, intents: Map<string, Intent>): void {
  for (let lane = 0; lane < lanes; lane++) {
    const entry = world.kvStore(KV_PATH).get(["lane", RUN, lane, "head"]);
    if (entry === null) continue;
    const { epoch, intent } = decodeHead(entry.value);
    if (intent) intents.set(`${lane}/${epoch + 1}`, intent);
  }
}

/** What the model makes of the lane's schedules. */
function expected(setup: Setup, lane: number, world: SimWorld, intents: Map<string, Intent>, problems: string[]): readonly ModelRow[] {
  const model = new Model(WAIT_MS);
  const { epoch: epochs } = decodeHead(world.kvStore(KV_PATH).get(["lane", RUN, lane, "head"])!.value);
  const at = new Map<string, number>();
  const open = new Set(
    ["payments", ...Object.keys(setup.changes)].flatMap((name) =>
      name === "payments" ? [`payments/${lane}`] : setup.changes[name as "shops"].map((_, partition) => `${name}/${partition}`)
    ),
  );
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const intent = intents.get(`${lane}/${epoch}`);
    if (!intent) {
      problems.push(`lane ${lane}: nobody saw the intent of epoch ${epoch}`);
      return [];
    }
    model.clock(intent.timeMicros / 1000);
    for (const entry of intent.schedule) {
      if (entry.kind === "drain") {
        const before = at.get("drained") ?? 0;
        const gone = model.settle(entry.end - before);
        if (gone !== entry.end - before) problems.push(`lane ${lane} epoch ${epoch}: ${entry.end - before} were drained, ${gone} were due`);
        at.set("drained", entry.end);
      } else if (entry.kind === "batch" || entry.kind === "end") {
        const name = entry.source.replace(/^table:(\w+)#read$/, "$1");
        const place = `${name}/${entry.partition}`;
        if (entry.kind === "batch") {
          const from = at.get(place) ?? 0;
          if (name === "payments") model.records(setup.records[entry.partition]!.slice(from, from + entry.read));
          else model.changes(setup.changes[name as "shops"][entry.partition]!.slice(from, from + entry.read));
          at.set(place, from + entry.read);
        } else open.delete(place);
        if (open.size === 0) model.end();
      }
    }
  }
  if (model.settle() > 0) problems.push(`lane ${lane}: records were due at the end`);
  for (const [partition, of] of setup.records.entries()) {
    if (partition === lane && at.get(`payments/${lane}`) !== of.length) problems.push(`lane ${lane}: not all records were read`);
  }
  for (const [name, partitions] of Object.entries(setup.changes)) {
    for (const [partition, of] of partitions.entries()) {
      if ((at.get(`${name}/${partition}`) ?? 0) !== of.length) problems.push(`lane ${lane}: not all of ${name} was read`);
    }
  }
  return model.rows;
}
