/** The engine as it ships, under crashes and faults from one number each. A failing seed prints how to replay it. */
import assert from "node:assert/strict";
import { cpuUsage } from "node:process";
import { explainFailure } from "./explain_failure.ts";
import { ignoreCrashed } from "./ignore_crashed.ts";
import { runSimulation } from "./run_simulation.ts";

const SEEDS = Number(Deno.env.get("SIM_SEEDS") ?? 500);
const RUN_MS_MAX = 60;
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
  const struckAfter = new Map<string, number>();
  const kinds = new Map<string, number>();
  const begin = cpuUsage();
  let events = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = await runSimulation(seed);
    if (outcome.problems.length > 0) assert.fail(await explainFailure(seed));
    events += outcome.events;
    for (const { kind, after } of outcome.strikes) {
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      struckAfter.set(after, (struckAfter.get(after) ?? 0) + 1);
    }
  }
  const { user, system } = cpuUsage(begin);
  const runMs = (user + system) / 1000 / SEEDS;
  console.log(`${SEEDS} seeds, ${runMs.toFixed(1)} ms of CPU each, ${Math.round(events / SEEDS)} events each`);
  console.log(`faults: ${[...kinds].map(([kind, count]) => `${kind} ${count}`).join(", ")}`);
  console.log(`struck after: ${[...struckAfter].map(([step, count]) => `${step} ${count}`).join(", ")}`);
  restore();
  assert.ok(runMs <= RUN_MS_MAX, `${runMs} ms of CPU per run`);
  for (const step of STEPS) assert.ok((struckAfter.get(step) ?? 0) > 0, `no fault struck after ${step}`);
  assert.equal(kinds.size, 4);
});

Deno.test("a seed replays exactly", async () => {
  const restore = ignoreCrashed();
  for (let seed = 1; seed <= 20; seed++) {
    const first = await runSimulation(seed);
    const second = await runSimulation(seed);
    assert.deepEqual({ hash: second.hash, events: second.events }, { hash: first.hash, events: first.events }, `seed ${seed}`);
  }
  restore();
});
