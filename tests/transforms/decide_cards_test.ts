/** The rules of the card workload at their boundaries, as configuration of a general decide. */
import { equal } from "node:assert/strict";
import { decide } from "../../src/transforms/decide.ts";
import { switches, TABLES, VALIDATE } from "./cards.ts";
import { lines, type Rows, run, table } from "./support.ts";

const NEAR = "3 Elm Street, Troy, NY 12181";

function payments(text: string): Rows {
  return table(`id int | card_id int | amount decimal(2) | transaction_type string | location string\n${text.replaceAll("NEAR", NEAR)}`);
}
function decisions(text: string, params = switches()): string {
  const inputs = [payments(text)];
  const emit = { id: "id", status: "status", pending_balance: "pending", decline_reason: "decline_reason" };
  return run(decide, { inputs, tables: TABLES, params, settings: { ...VALIDATE, emit } }).text;
}

Deno.test("exactly half of the limit is declined, one cent less passes, for refunds too", () => {
  equal(
    decisions(`
      1 | 1 | 500.00  | purchase | NEAR
      2 | 1 | 499.99  | purchase | NEAR
      3 | 1 | -500.00 | refund   | NEAR
      4 | 1 | -499.99 | refund   | NEAR
    `),
    lines(`
      1 | declined | 0.00 | half
      2 | pending | 499.99 | ''
      3 | declined | 499.99 | half
      4 | pending | 0.00 | ''
    `),
  );
});
