/**
 * The acceptance cases of the fintech specification through the transforms of config/fintech alone, one message after the other: under
 * every profile the rows are the model's (tests/oracle/fintech_test.ts holds the model against what the specification says).
 */
import assert from "node:assert/strict";
import { runTests } from "../../src/app/run_tests.ts";
import { type CaseName, CASES } from "../oracle/fintech/acceptance.ts";
import { unwrap } from "../oracle/fintech/rows.ts";
import { expected, PROFILES } from "./model.ts";
import { comparable, NODES, objectOf, pipelineName, shipped, transformed } from "./shipped.ts";

const pipelines = await shipped();

/** The cases of these names, under each profile. */
function same(...names: readonly CaseName[]): void {
  for (const name of names) {
    const { processor, given } = CASES[name];
    for (const profile of PROFILES) {
      // The original knows no envelope.
      if (profile === "AS-RUN" && given.some((message) => unwrap(message).fields !== message.value)) continue;
      const pipeline = pipelineName(processor, profile);
      const node = pipeline === "fraud-ext" ? "alerts" : NODES[processor];
      const rows = transformed(pipelines.get(pipeline)!, profile, given, node).map((row) => comparable(processor, objectOf(row)));
      assert.deepEqual(
        rows,
        expected(processor, profile, given).rows.map((row) => comparable(processor, row)),
        `${name} through ${pipeline}`,
      );
    }
  }
}

// D3 and D4 are of the source, which has no part here: whole_test.ts.
Deno.test("D1: the example, plain and in an envelope", () => same("D1", "D1 in an envelope"));
Deno.test("D2: a customer's row, its date in days since 1970", () => {
  const { changelogs } = pipelines.get("lifecycle")!;
  const customers = changelogs.find(({ name }) => name === "customers")!;
  const types = new Map(customers.schema.type.fields.map(({ name, type }) => [name, type]));
  assert.deepEqual([types.get("date_of_birth")!.kind, types.get("risk_score")], ["date", { kind: "decimal", scale: 2, nullable: true }]);
});
Deno.test("L1: the first transaction", () => same("L1"));
Deno.test("L2: tiers", () => same("L2"));
Deno.test("L3: rounding", () => same("L3"));
Deno.test("L4: kyc", () => same("L4"));
Deno.test("L5: the moving average", () => same("L5"));
Deno.test("L6: sessions", () => same("L6"));
Deno.test("L7: an unknown, then changing customer", () => same("L7"));
Deno.test("L8: activity", () => same("L8"));
Deno.test("M1: running figures", () => same("M1"));
Deno.test("M2: a late merchant", () => same("M2"));
Deno.test("M3: the edges of performance", () => same("M3 by hundreds", "M3 by five hundreds", "M3 many small ones"));
Deno.test("M4: the edges of risk", () => same("M4 medium", "M4 high"));
Deno.test("M5: no address", () => same("M5"));
Deno.test("M6: further columns", () => same("M6", "M6 failure"));
Deno.test("T1: a window of three", () => same("T1"));
Deno.test("T2: ties", () => same("T2"));
Deno.test("T3: the edges of the score", () => same("T3 ten of ten thousand", "T3 one of five thousand", "T3 fifty-one", "T3 fifty"));
Deno.test("T4: windows by the clock", () => same("T4", "T4 two customers"));
Deno.test("T5: further columns", () => same("T5"));
Deno.test("T6: no merchant", () => same("T6"));
Deno.test("F1: twelve thousand alone", () => same("F1"));
Deno.test("F2: amounts and a day's sum", () => same("F2"));
Deno.test("F3: a frozen account", () => same("F3"));
Deno.test("F4: an inactive account", () => same("F4"));
Deno.test("F5: more than ten in an hour", () => same("F5"));
Deno.test("F6: devices", () => same("F6"));
Deno.test("F7: order", () => same("F7"));
Deno.test("F8: three times the mean", () => same("F8 above", "F8 at"));
Deno.test("F9: hours", () => same("F9"));
Deno.test("F10: deposits and unknown accounts", () => same("F10"));
Deno.test("F11: exactly a day", () => same("F11"));
Deno.test("F12: countries", () => same("F12"));
Deno.test("F13: everything", () => same("F13"));
Deno.test("F14, F15: every evaluation of EXT stands on the topic of scores, alert or not", () => {
  for (const name of ["F1", "F2", "F14", "F14 without a balance", "F15"] as const) {
    same(name);
    const rows = transformed(pipelines.get("fraud-ext")!, "EXT", CASES[name].given, "screen");
    assert.equal(rows.length, CASES[name].given.filter(({ table }) => table === "transactions").length);
  }
});

for (const [name, pipeline] of pipelines) {
  if (pipeline.tests.length === 0) continue;
  Deno.test(`the tests that ${name}.toml brings along pass`, () => {
    assert.deepEqual(runTests(pipeline).flatMap((test) => test.differences.map((text) => `${test.name}: ${text}`)), []);
  });
}
