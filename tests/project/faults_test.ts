/** Every fault of a configuration, exactly as people read it. MILLRACE_UPDATE=1 writes the texts anew, to be reviewed. */
import assert from "node:assert/strict";
import { type FaultCase, parseCases, renderCases, runCase } from "./fault_cases.ts";

const FILES = ["syntax", "params", "schemas", "settings", "graph", "reports", "panels", "project"];

for (const name of FILES) {
  const url = new URL(`./faults/${name}.txt`, import.meta.url);
  Deno.test(`faults: ${name}`, async (t) => {
    if (Deno.env.get("MILLRACE_UPDATE") === "1") {
      const cases = parseCases(await Deno.readTextFile(url));
      await Deno.writeTextFile(url, renderCases(cases, await Promise.all(cases.map(runCase))));
    }
    for (const fault of parseCases(await Deno.readTextFile(url))) await t.step(fault.name, () => check(fault));
  });
}

async function check(fault: FaultCase): Promise<void> {
  assert.notEqual(fault.expected, "", "a case wishes at least one fault");
  assert.equal(await runCase(fault), fault.expected);
}

Deno.test("there are at least sixty cases of faults", async () => {
  const texts = await Promise.all(FILES.map((name) => Deno.readTextFile(new URL(`./faults/${name}.txt`, import.meta.url))));
  const count = texts.reduce((sum, text) => sum + parseCases(text).length, 0);
  assert.ok(count >= 60, `${count} cases`);
});
