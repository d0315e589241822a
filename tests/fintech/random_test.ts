/**
 * Thousands of made-up messages in one order of arrival, tables and facts mixed, through the transforms of config/fintech: equal to the
 * model row by row, in all profiles; every rule and every event fires.
 */
import assert from "node:assert/strict";
import { FRAUD_TYPES } from "../oracle/fintech/fraud.ts";
import { unwrap } from "../oracle/fintech/rows.ts";
import { makeInputs } from "./inputs.ts";
import { expected, PROCESSORS, PROFILES } from "./model.ts";
import { comparable, NODES, objectOf, pipelineName, shipped, transformed } from "./shipped.ts";

const SEED = 20250905;
const COUNT = Number(Deno.env.get("FINTECH_RANDOM") ?? 3000);
const pipelines = await shipped();
const { mixed } = makeInputs(COUNT, SEED);
/** Deleted facts are dropped by the source, which has no part here. */
const arriving = mixed.filter((message) => message.table !== "transactions" || !unwrap(message).deleted);

for (const processor of PROCESSORS) {
  for (const profile of PROFILES) {
    const name = pipelineName(processor, profile);
    Deno.test(`${COUNT} made-up transactions (seed ${SEED}) through ${name}: every row is the model's`, () => {
      const node = name === "fraud-ext" ? "alerts" : NODES[processor];
      const rows = transformed(pipelines.get(name)!, profile, arriving, node).map((row) => comparable(processor, objectOf(row)));
      const wished = expected(processor, profile, arriving).rows.map((row) => comparable(processor, row));
      const order = (row: Record<string, unknown>) => JSON.stringify([row.eventTime, row.customerId]);
      if (processor === "metrics") { for (const list of [rows, wished]) list.sort((a, b) => order(a) < order(b) ? -1 : 1); }
      wished.forEach((row, i) => assert.deepEqual(rows[i], row, `row ${i} of ${wished.length}`));
      assert.equal(rows.length, wished.length);
    });
  }
}

Deno.test("every rule, event, level and anomaly occurs in them", () => {
  const values = (processor: (typeof PROCESSORS)[number], column: string): Set<unknown> =>
    new Set(expected(processor, "EXT", arriving).rows.flatMap((row) => row[column]));
  const has = (found: ReadonlySet<unknown>, ...wished: readonly string[]) => wished.forEach((each) => assert.ok(found.has(each), each));
  has(values("fraud", "fraudTypes"), ...FRAUD_TYPES);
  has(values("fraud", "severity"), "MEDIUM", "HIGH", "CRITICAL");
  has(
    values("lifecycle", "events"),
    "TIER_UPGRADE",
    "TIER_DOWNGRADE",
    "KYC_COMPLETED",
    "FIRST_TRANSACTION",
    "HIGH_ACTIVITY_CUSTOMER",
    "HIGH_ENGAGEMENT_SESSION",
    "MULTI_CHANNEL_CUSTOMER",
    "TRANSACTION_UPDATE",
  );
  has(values("merchants", "performanceLevel"), "MINIMAL_ACTIVITY", "LOW_PERFORMANCE", "MEDIUM_PERFORMANCE", "HIGH_PERFORMANCE");
  has(values("merchants", "riskLevel"), "LOW_RISK", "MEDIUM_RISK", "HIGH_RISK");
  has(values("merchants", "merchantName"), "UNKNOWN", "Merchant 0");
  has(values("merchants", "anomalyType"), "Normal", "Low Success Rate", "High Failure Rate");
  assert.ok([...values("metrics", "riskScore")].some((score) => (score as number) > 0));
});
