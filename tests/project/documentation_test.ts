/** The TOML of docs/configuration.md, all of it together, is one pipeline that checks clean. */
import assert from "node:assert/strict";
import { registry } from "../../src/app/full_registry.ts";
import { planIntake } from "../../src/transforms/intake.ts";
import { loadOne } from "./support.ts";

Deno.test("the page on configuration shows TOML that works", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/configuration.md", import.meta.url));
  const blocks = [...page.matchAll(/```toml\n([^]*?)```/g)].map(([, block]) => block);
  assert.ok(blocks.length >= 5);
  assert.ok(blocks[0].trim().split("\n").length <= 15);
  const options = { registry, intake: planIntake };
  const first = await loadOne(blocks[0], { options });
  assert.deepEqual(first.sources.map(({ name }) => name), ["payments"]);
  const whole = await loadOne(blocks.join("\n"), { options, env: { PROFILE: "lenient" } });
  assert.equal(whole.params.get("threshold"), "80.00");
  assert.deepEqual([whole.checks.length, whole.reports.length, whole.tests.length], [1, 1, 1]);
});
