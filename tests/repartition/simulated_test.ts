/** Rows that change lanes through the commit protocol of both stages, killed at any step. A failing number prints itself. */
import assert from "node:assert/strict";
import { ignoreCrashed } from "../sim/ignore_crashed.ts";
import { simulate, variants } from "./simulated.ts";

const SEEDS = Number(Deno.env.get("SIM_SEEDS") ?? 210);

Deno.test(`${SEEDS} simulated runs in stages give each window once, whole`, async () => {
  const restore = ignoreCrashed();
  const all = await variants();
  const struck = new Map<string, number>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const variant = all[seed % all.length];
    const { problems, strikes } = await simulate(seed, variant);
    assert.deepEqual(problems, [], `seed ${seed}: ${variant.name}`);
    for (const { kind, after } of strikes) {
      for (const name of [kind, after]) struck.set(name, (struck.get(name) ?? 0) + 1);
    }
  }
  restore();
  for (const kind of ["kill", "power", "freeze", "stop", "intent_written", "sink_delivered", "head_flipped"]) {
    assert.ok((struck.get(kind) ?? 0) > 0, `no ${kind} struck`);
  }
});
