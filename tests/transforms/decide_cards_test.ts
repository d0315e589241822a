/** The rules of the card workload at their boundaries, as configuration of general transforms. */
import { equal } from "node:assert/strict";
import { STRING } from "../../src/data/types.ts";
import { decide } from "../../src/transforms/decide.ts";
import { map } from "../../src/transforms/map.ts";
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

Deno.test("the running balance reaches the limit exactly and passes; a declined payment does not count", () => {
  equal(
    decisions(`
      1 | 2 | 140.06 | purchase | NEAR
      2 | 2 | 291.73 | purchase | NEAR
      3 | 2 | 390.36 | purchase | NEAR
      4 | 2 | 390.35 | purchase | NEAR
    `),
    lines(`
      1 | pending | 317.92 | ''
      2 | pending | 609.65 | ''
      3 | declined | 609.65 | limit
      4 | pending | 1000.00 | ''
    `),
  );
});

Deno.test("a limit of nothing declines even an amount of nothing; a credit above the limit is declined", () => {
  equal(
    decisions(`
      1 | 3 | 0.00   | purchase | NEAR
      2 | 5 | -10.00 | refund   | NEAR
      3 | 5 | -200.00 | refund  | NEAR
    `),
    "1 | declined | 0.00 | half\n2 | declined | 1200.00 | limit\n3 | pending | 1000.00 | ''",
  );
});

Deno.test("an unknown card is declined and has no balance", () => {
  equal(
    decisions("1 | 77 | 1.00 | purchase | NEAR\n2 | 77 | 1.00 | purchase | NEAR"),
    lines(`
    1 | declined | null | unknown_card
    2 | declined | null | unknown_card
  `),
  );
});

Deno.test("the first digit of the last word decides, and missing words follow the profile", () => {
  const text = `
    1 | 1 | 1.00 | purchase | 9 Oak Road, Reno, NV 89501
    2 | 1 | 1.00 | purchase | 9 Oak Road, Troy, NY 19999-1234
    3 | 1 | 1.00 | purchase | ''
    4 | 1 | 1.00 | purchase | 12345 Elm St, Albany, NY 90210
  `;
  equal(decisions(text), "1 | declined | 0.00 | zip\n2 | pending | 1.00 | ''\n3 | declined | 1.00 | zip\n4 | declined | 1.00 | zip");
  const aware = switches({ sign_rule: true, zip_extract: "first_five", zip_missing: "skip" });
  equal(decisions(text, aware), "1 | declined | 0.00 | zip\n2 | pending | 1.00 | ''\n3 | pending | 2.00 | ''\n4 | pending | 3.00 | ''");
});

Deno.test("the sign rule lets credit types pass", () => {
  const text = `
    1 | 1 | -1.00 | purchase     | NEAR
    2 | 1 | -1.00 | cancellation | NEAR
    3 | 1 | 0.00  | purchase     | NEAR
  `;
  equal(decisions(text, switches({ sign_rule: true })), "1 | declined | 0.00 | sign\n2 | pending | -1.00 | ''\n3 | pending | -1.00 | ''");
});

const BANDS = {
  match: "first",
  rules: [
    { code: "no_cards", when: "cards == 0", set: { change: "0", factor: "1.00" } },
    { code: "in_credit", when: "params.negative_usage == 'keep' && balance < 0.00 && credit > 0.00", set: { change: 0, factor: "1.00" } },
    { code: "usage_10", when: "balance <= credit * 0.10", set: { change: 15, factor: "1.00" } },
    { code: "usage_20", when: "balance <= credit * 0.20", set: { change: 10, factor: "1.00" } },
    { code: "usage_30", when: "balance <= credit * 0.30", set: { change: 5, factor: "1.00" } },
    { code: "usage_50", when: "balance <= credit * 0.50", set: { change: -5, factor: "0.95" } },
    { code: "usage_70", when: "balance <= credit * 0.70", set: { change: -15, factor: "0.90" } },
  ],
  otherwise: { code: "usage_over_70", set: { change: -25, factor: "0.85" } },
} as const;

function bands(rows: string, negative_usage = "reward"): string {
  const inputs = [table(`cards int | balance decimal(2) | credit decimal(2)\n${rows}`)];
  const params = { negative_usage: { type: STRING, value: negative_usage } };
  return run(decide, {
    inputs,
    params,
    settings: { ...BANDS, emit: { balance: "balance", change: "change", factor: "factor", code: "code" } },
  }).text;
}

Deno.test("C-18: the upper bounds of usage are inclusive", () => {
  const balances = ["500.00", "500.01", "1000.00", "1000.01", "1500.00", "1500.01", "2500.00", "2500.01", "3500.00", "3500.01"];
  equal(
    bands(balances.map((balance) => `1 | ${balance} | 5000.00`).join("\n")),
    lines(`
    500.00 | 15 | 1.00 | usage_10
    500.01 | 10 | 1.00 | usage_20
    1000.00 | 10 | 1.00 | usage_20
    1000.01 | 5 | 1.00 | usage_30
    1500.00 | 5 | 1.00 | usage_30
    1500.01 | -5 | 0.95 | usage_50
    2500.00 | -5 | 0.95 | usage_50
    2500.01 | -15 | 0.90 | usage_70
    3500.00 | -15 | 0.90 | usage_70
    3500.01 | -25 | 0.85 | usage_over_70
  `),
  );
});

Deno.test("C-23: without a limit usage is nothing or above all bounds; customers without cards and in credit stay", () => {
  equal(
    bands("1 | 0.00 | 0.00\n1 | 0.01 | 0.00\n0 | 0.00 | 0.00\n1 | -1.00 | 100.00"),
    lines(`
    0.00 | 15 | 1.00 | usage_10
    0.01 | -25 | 0.85 | usage_over_70
    0.00 | 0 | 1.00 | no_cards
    -1.00 | 15 | 1.00 | usage_10
  `),
  );
  equal(bands("1 | -1.00 | 100.00", "keep"), "-1.00 | 0 | 1.00 | in_credit");
});

Deno.test("C-21: new limits are whole hundreds, ties go to the even hundred", () => {
  const vectors = `
    3000 | 0.95 | 2800\n7000 | 0.95 | 6600\n5000 | 0.95 | 4800\n1000 | 0.95 | 1000\n900 | 0.95 | 900\n1200 | 0.95 | 1100
    1000 | 0.90 | 900\n2500 | 0.90 | 2200\n4500 | 0.90 | 4000\n1000 | 0.85 | 800\n5000 | 0.85 | 4200\n100 | 0.85 | 100
    1234.56 | 0.95 | 1200\n49.99 | 0.85 | 0
  `;
  const inputs = [table(`credit_limit decimal(2) | factor decimal(2) | expected decimal(2)\n${vectors}`)];
  const settings = { set: { same: "round(credit_limit * factor, -2, 'half_even') == expected" }, keep: ["same"] };
  equal(run(map, { inputs, settings }).text, Array(14).fill("true").join("\n"));
});
