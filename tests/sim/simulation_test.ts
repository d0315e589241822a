/** The engine as it ships, under crashes and faults from one number each. A failing seed prints how to replay it. */
import assert from "node:assert/strict";
import { explainFailure } from "./explain_failure.ts";
import { ignoreCrashed } from "./ignore_crashed.ts";
import { runSimulation } from "./run_simulation.ts";
import { runShared } from "./share_seeds.ts";

/** Continuous integration has the time for all of them. */
const SEEDS = Number(Deno.env.get("SIM_SEEDS") ?? (Deno.env.get("CI") === "true" ? 10_000 : 500));
/** A run of 30 ms leaves 10,000 of them far below ten minutes on two cores. */
const RUN_MS_MAX = 100;
/** The protocol steps at which the crash tests must have struck, or they prove little. */
const STEPS = [
  "take_over",
  "fenced",
  "loaded",
  "batch_processed",
  "epoch_closed",
  "intent_written",
  "sink_delivered",
  "state_written",
  "head_flipped",
];

Deno.test(`${SEEDS} simulated runs lose nothing, double nothing and keep the order`, async () => {
  const restore = ignoreCrashed();
  const begunMs = performance.now();
  const { runs, cpuMs, events, kinds, struckAfter, failed } = await runShared(SEEDS);
  const seconds = (performance.now() - begunMs) / 1000;
  if (failed !== null) assert.fail(await explainFailure(failed.seed));
  assert.equal(runs, SEEDS);
  const runMs = cpuMs / runs;
  console.log(`${runs} seeds in ${seconds.toFixed(0)} s, ${(runs / seconds).toFixed(0)} a second`);
  console.log(`each ${runMs.toFixed(1)} ms of CPU and ${Math.round(events / runs)} events`);
  console.log(`faults: ${told(kinds)}`);
  console.log(`struck after: ${told(struckAfter)}`);
  restore();
  // The first runs of a process take several times as long.
  if (SEEDS >= 500) assert.ok(runMs <= RUN_MS_MAX, `${runMs} ms of CPU per run`);
  for (const step of STEPS) assert.ok((struckAfter[step] ?? 0) > 0, `no fault struck after ${step}`);
  assert.equal(Object.keys(kinds).length, 6);
});

const told = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(", ");

Deno.test("a seed replays exactly", async () => {
  const restore = ignoreCrashed();
  for (let seed = 1; seed <= 20; seed++) {
    const first = await runSimulation(seed);
    const second = await runSimulation(seed);
    assert.deepEqual({ hash: second.hash, events: second.events }, { hash: first.hash, events: first.events }, `seed ${seed}`);
  }
  restore();
});
