/** Windows through the commit protocol, killed at any step. A failing number prints itself. */
import assert from "node:assert/strict";
import { ignoreCrashed } from "../sim/ignore_crashed.ts";
import { SETTINGS } from "./random_stream.ts";
import { simulate } from "./simulated.ts";
import { compileSettings, type OnStop } from "./streams.ts";

const SEEDS = Number(Deno.env.get("SIM_SEEDS") ?? 200);

for (const onStop of ["keep", "emit_partial"] as const satisfies readonly OnStop[]) {
  Deno.test(`${SEEDS} simulated runs with windows give each window once, on_stop = ${onStop}`, async () => {
    const restore = ignoreCrashed();
    // Sessions that a stop cut in two are other sessions.
    const chosen = SETTINGS.filter(({ late, keyed, horizon, window }) =>
      late === "record" && keyed && horizon === null && (onStop === "keep" || window.kind !== "session")
    );
    const compiled = await compileSettings(onStop, chosen);
    const struck = new Map<string, number>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { problems, strikes } = await simulate(seed, compiled[seed % compiled.length], onStop);
      assert.deepEqual(problems, [], `seed ${seed}: ${JSON.stringify(compiled[seed % compiled.length].setting)}`);
      for (const { kind } of strikes) struck.set(kind, (struck.get(kind) ?? 0) + 1);
    }
    restore();
    for (const kind of ["kill", "power", "freeze", "stop"]) assert.ok((struck.get(kind) ?? 0) > 0, `no ${kind} struck`);
  });
}
