/** The expressions of real pipelines, with the types their scopes have: each checks, and gives the type that its place wishes. */
import assert from "node:assert/strict";
import type { Scope } from "../../src/expr/contracts.ts";
import { typeText } from "../../src/data/types.ts";
import { checkedOf, run, scopeOf, typeOf } from "./support.ts";

const validateParams = "struct{sign_rule: bool, credit_types: list<string>, zip_extract: string, zip_missing: string}";
const validate: Scope = {
  ...scopeOf({
    amount: "decimal(2)",
    location: "string",
    transaction_type: "string",
    card: "struct{credit_limit: decimal(2), current_balance: decimal(2), customer_id: int}?",
    customer: "struct{address: string}?",
    pending: "decimal(2)?",
    merchant_zip: "string?",
    home_zip: "string?",
    zips_known: "bool",
    params: validateParams,
  }, {
    "params.sign_rule": true,
    "params.credit_types": ["refund", "cancellation"],
    "params.zip_extract": "last_five",
    "params.zip_missing": "decline",
  }, ["card", "pending", "customer"]),
  facts: new Map([["zips_known", { whenTrue: new Set(["merchant_zip", "home_zip"]), whenFalse: new Set<string>() }]]),
};
const zip = (text: string) =>
  `params.zip_extract == "last_word" ? extract(${text}, r"(\\S+)\\s*$", 1)
                : params.zip_extract == "last_five" ? extract(${text}, r".*\\b(\\d{5})\\b", 1)
                : extract(${text}, r"\\b(\\d{5})\\b", 1)`;

const settle = scopeOf({
  status: "string",
  amount: "decimal(2)",
  pending_balance: "decimal(2)?",
  current_balance: "decimal(2)",
  credit_limit: "decimal(2)",
  balance: "decimal(2)",
  credit: "decimal(2)",
  cards: "int",
  credit_score: "int",
  change: "int",
  card_id: "int",
  opening: "decimal(2)",
  approved: "decimal(2)",
  closing: "decimal(2)",
  right:
    "struct{posted: decimal(2), last_pending: decimal(2)?, cards: int, balance: decimal(2), credit: decimal(2), change: int, factor: decimal(2)}?",
  meta: "struct{position: int}",
  params:
    "struct{posting: string, negative_usage: string, cardless_customers: string, row_order: string, score_min: int?, score_max: int?, limit_min: decimal(2)?}",
});

const historyItem = "struct{id: string, at: timestamp, amount: decimal(2), country: string?, device: string?}";
const screen = scopeOf({
  id: "string",
  customer_id: "string?",
  from_account_id: "string?",
  amount: "decimal(2)",
  created_at: "timestamp",
  account: "struct{is_active: bool?, is_frozen: bool?, minimum_balance: decimal(2)?}?",
  recent: `list<${historyItem}>`,
  day: `list<${historyItem}>`,
  today: `list<${historyItem}>`,
  now: "timestamp",
  hour: "int",
  mean: "decimal(2)",
  points: "int",
  matched: "list<string>",
  params: "struct{threshold: int, always_alert: list<string>}",
});

const windows = scopeOf({
  total_amount: "decimal(2)",
  price: "decimal(2)",
  quantity: "int",
  currency: "string",
  transaction_type: "string",
  timestamp: "timestamp",
  params: "struct{check_sum: bool, single_key: bool}",
});

const EXAMPLES: readonly (readonly [Scope, string, string])[] = [
  [validate, zip("location"), "string?"],
  [validate, zip("customer.address"), "string?"],
  [validate, "merchant_zip != null && home_zip != null && merchant_zip.size() >= 5 && home_zip.size() >= 5", "bool"],
  [validate, "card == null", "bool"],
  [validate, "params.sign_rule && amount < 0.00 && !(transaction_type in params.credit_types)", "bool"],
  [validate, "2 * abs(amount) >= card.credit_limit", "bool"],
  [validate, "zips_known ? merchant_zip.substring(0, 1) != home_zip.substring(0, 1) : params.zip_missing == 'decline'", "bool"],
  [validate, "pending + amount > card.credit_limit", "bool"],
  [validate, "pending + amount", "decimal(2)"],
  [settle, "status == 'pending' ? 'approved' : status", "string"],
  [settle, "current_balance + (params.posting == 'twice' ? 2 : 1) * coalesce(right.posted, 0.00)", "decimal(2)"],
  [settle, "right == null || params.posting == 'twice' || current_balance == right.last_pending", "bool"],
  [settle, "coalesce(right.cards, 0)", "int"],
  [settle, "coalesce(right.balance, 0.00)", "decimal(2)"],
  [settle, "params.negative_usage == 'keep' && balance < 0.00 && credit > 0.00", "bool"],
  [settle, "balance <= credit * 0.10", "bool"],
  [settle, "cards > 0 || params.cardless_customers == 'keep'", "bool"],
  [settle, "clamp(credit_score + change, params.score_min, params.score_max)", "int"],
  [
    settle,
    "right != null && right.change < 0\n  ? greatest(round(credit_limit * right.factor, -2, 'half_even'), params.limit_min)\n  : credit_limit",
    "decimal(2)",
  ],
  [settle, "params.row_order == 'key' ? card_id : meta.position", "int"],
  [settle, "closing == opening + approved * (params.posting == 'twice' ? 2 : 1)", "bool"],
  [screen, "points > params.threshold || matched.exists(code, code in params.always_alert)", "bool"],
  [screen, "created_at.getHours('UTC')", "int"],
  [screen, "day.filter(e, e.at >= now - duration('24h') && e.at <= now)", `list<${historyItem}>`],
  [screen, "coalesce(recent.map(e, e.amount).avg(2, 'half_up'), 0.00)", "decimal(2)"],
  [screen, "amount > 10000.00", "bool"],
  [screen, "today.map(e, e.amount).sum() > 50000.00", "bool"],
  [screen, "recent.filter(e, e.at > now - duration('1h') && e.at <= now).size() > 10", "bool"],
  [screen, "today.map(e, e.country != null, e.country).distinct().size() > 5", "bool"],
  [screen, "recent.exists(e, e.id != id && e.at <= now && now - e.at < duration('60s'))", "bool"],
  [screen, "recent.size() >= 5 && (hour < 6 || hour > 22 || amount > 3 * mean)", "bool"],
  [screen, "coalesce(account.is_frozen, false)", "bool"],
  [screen, "!coalesce(account.is_active, true)", "bool"],
  [screen, "account.minimum_balance != null && account.minimum_balance > 0.00 && amount > 10 * account.minimum_balance", "bool"],
  [screen, "double(points)", "double"],
  [screen, "points >= 80 ? 'CRITICAL' : points >= 60 ? 'HIGH' : points >= 40 ? 'MEDIUM' : 'LOW'", "string"],
  [windows, "!params.check_sum || total_amount == price * quantity", "bool"],
  [windows, "params.single_key ? '' : currency", "string"],
  [windows, "transaction_type + '/' + currency", "string"],
  [windows, "date(timestamp)", "date"],
];

for (const [scope, text, type] of EXAMPLES) {
  Deno.test(`an example's expression checks: ${text.replace(/\s+/g, " ")}`, () => {
    assert.equal(typeText(checkedOf(text, scope).type), typeText(typeOf(type)));
  });
}

Deno.test("a parameter chooses the code: the branches that it rules out are neither compiled nor read", () => {
  const checked = checkedOf(zip("location"), validate);
  assert.deepEqual([...checked.uses], ["location"]);
  assert.equal(run(zip("location"), validate, { location: "12345 Main Street, Troy, NY 12180 US" }), "12180");
  const off = { ...validate, constants: new Map([...validate.constants, ["params.sign_rule", false]]) };
  assert.deepEqual(checkedOf("params.sign_rule && amount < 0.00", off).constant, { value: false });
});

Deno.test("a tie goes to the even hundred, and half of a limit is reached exactly", () => {
  const limit =
    "right != null && right.change < 0 ? greatest(round(credit_limit * right.factor, -2, 'half_even'), params.limit_min) : credit_limit";
  const values = { credit_limit: 300000, right: { change: -5, factor: 95 }, params: { limit_min: null } };
  assert.equal(run(limit, settle, values), 280000);
  assert.equal(run(limit, settle, { ...values, right: null }), 300000);
  const half = "2 * abs(amount) >= card.credit_limit";
  assert.deepEqual([50000, 49999, -50000].map((amount) => run(half, validate, { amount, card: { credit_limit: 100000 } })), [
    true,
    false,
    true,
  ]);
});
