/** Kept tables under crashes and faults: whatever strikes, the sinks hold what the schedules and the model say. */
import assert from "node:assert/strict";
import { ignoreCrashed } from "../sim/ignore_crashed.ts";
import { blueprintOf } from "../windows/support.ts";
import { modelled } from "./model.ts";
import { SIM_WAIT, simulate } from "./simulation.ts";

const SEEDS = Number(Deno.env.get("TABLE_SEEDS") ?? 60);

Deno.test(`${SEEDS} simulated runs over one, two and four lanes look up what their schedules say`, async () => {
  const restore = ignoreCrashed();
  const blueprint = await blueprintOf(modelled(SIM_WAIT));
  const totals = { rows: 0, again: 0, inVain: 0, strikes: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { problems, strikes, rows, again, inVain } = await simulate(seed, blueprint);
    assert.deepEqual(problems, [], `seed ${seed}`);
    totals.rows += rows;
    totals.again += again;
    totals.inVain += inVain;
    totals.strikes += strikes.length;
  }
  restore();
  console.log(JSON.stringify(totals));
  assert.ok(totals.strikes > SEEDS && totals.again > SEEDS && totals.inVain > SEEDS / 2, JSON.stringify(totals));
});
