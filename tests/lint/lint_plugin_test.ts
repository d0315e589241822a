/** The import directions are kept by a rule that bites. */
import assert from "node:assert/strict";
import plugin, { importFault, MAY_IMPORT } from "../../scripts/lint_plugin.ts";

Deno.test("a room may import what its row lists and nothing else", () => {
  assert.equal(importFault("/x/src/transforms/map.ts", "../data/types.ts"), "");
  assert.equal(importFault("/x/src/transforms/map.ts", "../engine/contracts.ts"), "");
  assert.match(importFault("/x/src/transforms/map.ts", "../engine/lane.ts"), /only the contracts of "engine"/);
  assert.match(importFault("/x/src/transforms/map.ts", "../connectors/mod.ts"), /"transforms" may not import "connectors"/);
  assert.match(importFault("/x/src/data/types.ts", "../ports/mod.ts"), /"data" may not import "ports"/);
  assert.match(importFault("/x/src/engine/lane.ts", "../platform/world.ts"), /may not import "platform"/);
  assert.match(importFault("/x/src/app/run.ts", "../main.ts"), /nothing imports main.ts/);
});

Deno.test("the composition root may join everything, packages are not its business", () => {
  assert.equal(importFault("/x/src/main.ts", "./platform/world.ts"), "");
  assert.equal(importFault("/x/src/data/types.ts", "node:zlib"), "");
});

Deno.test("nothing may import cli, sim or main", () => {
  for (const [room, allowed] of Object.entries(MAY_IMPORT)) {
    assert.ok(!allowed.includes("cli") && !allowed.includes("sim"), `${room} may not import cli or sim`);
  }
});

Deno.test("the outside world past the ports is reported", () => {
  const found = Deno.lint.runPlugin(plugin, "/x/src/engine/lane.ts", "const t = Date.now(); setTimeout(f, 1); Deno.exit(Math.random());");
  const ids = found.map((diagnostic) => diagnostic.id).sort();
  assert.deepEqual(ids, [
    "millrace/no-ambient-random",
    "millrace/no-ambient-time",
    "millrace/no-ambient-time",
    "millrace/no-deno-outside-platform",
  ]);
  assert.deepEqual(Deno.lint.runPlugin(plugin, "/x/src/platform/clock.ts", "const t = Date.now();"), []);
});
