/**
 * Random streams against the slow reference: straight and killed, all partitions in one lane and each in a lane of its own.
 *
 *   deno run -A tests/windows/streams.ts 100000 [FIRST]
 */
import assert from "node:assert/strict";
import type { GraphPlan } from "../../src/engine/lane_graph.ts";
import type { PipelineBlueprint } from "../../src/project/contracts.ts";
import { expected, type Happening, type WindowSetting } from "../oracle/windows.ts";
import { DrivenLane, type Left, observed } from "./driven_lane.ts";
import { Random, type RandomStream, randomStream, SETTINGS } from "./random_stream.ts";
import { blueprintOf } from "./support.ts";

export type OnStop = "keep" | "emit_partial";
export interface Compiled {
  readonly setting: WindowSetting;
  readonly emit: "final" | "update";
  readonly blueprint: PipelineBlueprint;
  readonly plan: GraphPlan;
}

const micros = (value: number): string => `"${value / 1000}ms"`;

function toml({ window, lateness, late, keyed, byTotal, horizon }: WindowSetting, emit: "final" | "update", onStop: OnStop): string {
  const shape = window.kind === "session"
    ? `gap = ${micros(window.gap)}${window.most === Infinity ? "" : `, most = ${micros(window.most)}`}`
    : `size = ${micros(window.size)}${window.kind === "sliding" ? `, every = ${micros(window.every)}` : ""}`;
  const from = horizon === null ? "s" : "once";
  return `
[sources.s]
type   = "ndjson"
path   = "s"
fields = { id = "int", part = "int", at = "timestamp", key = "string", n = "int" }
time   = { field = "at", lateness = ${micros(lateness)}, late = "${late}" }
${horizon === null ? "" : `[transforms.once]\ntype = "dedupe"\ninputs = ["s"]\nkey = "id"\nkeep = { for = ${micros(horizon)} }`}
[transforms.w]
type      = "aggregate"
inputs    = ["${from}"]
window    = { type = "${window.kind}", ${shape} }
by        = ${keyed ? '["key", "part"]' : "[]"}
emit      = "${emit}"
on_stop   = "${onStop}"
order_by  = ${byTotal ? '["total"]' : "[]"}
aggregate = { rows = "count()", total = "sum(n)", least = "min(n)", most = "max(n)", kinds = "count_distinct(n)" }
[sinks.out]
type   = "console"
inputs = ["w"]
[sinks.late]
type   = "console"
inputs = ["w.late"${late === "record" ? ', "s.late"' : ""}]
${horizon === null ? "" : '[sinks.repeats]\ntype = "console"\ninputs = ["once.duplicates"]'}
`;
}

/** All settings, or some; "update" where it may be. */
export function compileSettings(onStop: OnStop = "emit_partial", settings = SETTINGS): Promise<readonly Compiled[]> {
  const variants = settings.flatMap((setting) =>
    (setting.window.kind === "session" ? ["final"] as const : ["final", "update"] as const).map((emit) => ({ setting, emit }))
  );
  return Promise.all(variants.map(async ({ setting, emit }) => {
    const blueprint = await blueprintOf(toml(setting, emit, onStop));
    return { setting, emit, blueprint, plan: observed(blueprint) };
  }));
}

/** One stream through one setting; throws with its number where something differs. */
export function tryStream(seed: number, compiled: readonly Compiled[]): void {
  const random = new Random(seed);
  const one = compiled[seed % compiled.length];
  const stream = randomStream(random, one.setting);
  try {
    compareLane(one, stream.partitions, stream.happenings, random);
    // Keyed by the partition, so that each may be a lane: and as one whole, where nobody waits for others.
    if (one.setting.keyed && stream.partitions.length > 1) compareLanes(one, stream, random);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(`stream ${seed} with ${JSON.stringify(one.setting)} emit ${one.emit}: ${text}`, { cause: error });
  }
}

function compareLane(
  { setting, emit, blueprint, plan }: Compiled,
  partitions: readonly number[],
  happenings: readonly Happening[],
  random: Random,
): Left {
  const wished = expected(setting, partitions, happenings);
  let straight: Left = new Map();
  for (const kills of ["straight", "killed"] as const) {
    const left = new DrivenLane(blueprint, plan, partitions).run(happenings, random, kills);
    const [came, results] = [left.get("out") ?? [], wished.results].map((rows) => emit === "final" ? rows : closed(rows));
    assert.deepEqual(came, results, `${kills}: results`);
    assert.deepEqual(ids(left.get("late") ?? []), wished.late, `${kills}: late rows`);
    assert.deepEqual(ids(left.get("repeats") ?? []), wished.repeats, `${kills}: repeats`);
    if (kills === "straight") straight = left;
  }
  return straight;
}

/** Of "update" what was told about windows that have closed. */
const closed = (rows: readonly string[]): readonly string[] => rows.filter((row) => row.endsWith(" false"));
const ids = (rows: readonly string[]): number[] => rows.map((row) => Number(row.slice(0, row.indexOf(" "))));

function compareLanes(one: Compiled, { partitions, happenings }: RandomStream, random: Random): void {
  const apart = partitions.map((partition) => {
    const own = happenings.filter((each) =>
      each.what === "stop" || (each.what === "row" ? each.row.partition : each.partition) === partition
    );
    return compareLane(one, [partition], own, random);
  });
  // Judged by its own partition alone, a record is late or not however lanes are made.
  const ends = partitions.every((partition) => happenings.some((each) => each.what === "end" && each.partition === partition));
  if (one.setting.late !== "record" || one.setting.horizon !== null || one.emit !== "final" || !ends) return;
  if (happenings.some(({ what }) => what === "idle" || what === "stop")) return;
  const whole = expected(one.setting, partitions, happenings).results;
  const together = apart.flatMap((left) => left.get("out") ?? []);
  assert.deepEqual(together.toSorted(), whole.toSorted(), "the same windows in one lane and in several");
}

if (import.meta.main) {
  const [count, first = 0] = Deno.args.map(Number);
  const compiled = await compileSettings();
  const started = performance.now();
  for (let seed = first; seed < first + count; seed++) {
    tryStream(seed, compiled);
    if ((seed + 1) % 10_000 === 0) console.log(`up to ${seed} equal`);
  }
  console.log(
    `${count} streams from ${first} on equal the reference, ${compiled.length} settings, ${Math.round(performance.now() - started)} ms`,
  );
}
