/** The slow model of the fintech processors against every acceptance case of its specification, in all three profiles. */
import assert from "node:assert/strict";
import { acct, at, cust, mer, pick, ses, tx } from "./fintech/cases.ts";
import { type Evaluation, fraud } from "./fintech/fraud.ts";
import { lifecycle } from "./fintech/lifecycle.ts";
import { merchants } from "./fintech/merchants.ts";
import { metrics } from "./fintech/metrics.ts";
import { type Message, type Profile, readCustomer, readTransaction, type Transaction, unwrap } from "./fintech/rows.ts";

const AS_RUN: Profile = "AS-RUN";
const FIXED: Profile = "FIXED";
const PROFILES: readonly Profile[] = [AS_RUN, FIXED, "EXT"];

// ---- D ------------------------------------------------------------------------------------------------------------

const EXAMPLE = {
  id: "0b6a",
  transaction_type: "card_payment",
  from_account_id: "a-1",
  customer_id: "c-1",
  amount: "84.10",
  exchange_rate: null,
  transaction_location: '{"latitude": 1.5, "longitude": -70.2, "city": "Lima", "country": "US"}',
  risk_score: "17.25",
  created_at: "2025-01-16T11:23:45.123456Z",
  __deleted: "false",
};

Deno.test("D1: the row and the same row in an envelope are read alike, to the microsecond and the hundredth", () => {
  const plain: Message = { table: "transactions", value: EXAMPLE, clock: 0 };
  const enveloped: Message = { ...plain, value: { op: "c", before: null, after: EXAMPLE } };
  const read = readTransaction(unwrap(plain).fields, 0) as Transaction;
  assert.deepEqual([read.amount, read.risk, read.place?.country, read.created], [8410n, 1725n, "US", 1737026625123456]);
  assert.deepEqual(readTransaction(unwrap(enveloped).fields, 0), read);
});

Deno.test("D2: a customer's row", () => {
  const { risk } = readCustomer({ id: "c", date_of_birth: 7300, risk_score: "20.00", is_active: true });
  assert.equal(risk, 2000n);
});

Deno.test("D3: FIXED counts a transaction once and no deleted one, AS-RUN every message", () => {
  const given = [tx("t1", { amount: "100.00" }), tx("t1", { amount: "100.00" }), tx("t2", { amount: "100.00", __deleted: "true" })];
  const { rows, counters } = lifecycle(given, "EXT");
  assert.deepEqual(pick(rows, "totalTransactions", "totalAmount"), [[1, "100.00"]]);
  assert.deepEqual(counters, { duplicates: 1, deletes: 1, rejects: [] });
  assert.deepEqual(pick(lifecycle(given, AS_RUN).rows, "tierChangeCount"), [[1], [2], [3]]);
});

Deno.test("D4: what is no transaction is rejected with its reason, and the next one counts", () => {
  const given = [
    tx("t1", { amount: "12x" }),
    tx("t2", { amount: "1.00", created_at: null }),
    tx("t3", { amount: "1.00", transaction_location: "{not json" }),
    tx("t4", { amount: "1.00", transaction_location: { country: "US" } }),
  ];
  const { rows, counters } = lifecycle(given, FIXED);
  assert.equal(rows.length, 1);
  assert.deepEqual(counters.rejects, ["type:amount", "type:created_at", "json:transaction_location"]);
});

// ---- L ------------------------------------------------------------------------------------------------------------

const amounts = (...list: readonly string[]): Message[] => list.map((amount, i) => tx(`t${i + 1}`, { amount }));

Deno.test("L1: the first transaction", () => {
  const given = [cust("c1", { risk_score: "23.45" }), tx("t1", { amount: "50.00" })];
  const columns = ["eventType", "currentTier", "currentKycStatus", "riskScore", "tierChangeCount", "previousTier"];
  assert.deepEqual(pick(lifecycle(given, FIXED).rows, "isUpgrade", ...columns), [[
    false,
    "FIRST_TRANSACTION",
    "basic",
    "pending",
    23.45,
    0,
    "basic",
  ]]);
  assert.deepEqual(pick(lifecycle(given, AS_RUN).rows, "upgrade", ...columns), [[
    false,
    "FIRST_TRANSACTION",
    "basic",
    "pending",
    23.45,
    1,
    null,
  ]]);
});

Deno.test("L2: tiers follow the average of the last twenty", () => {
  const given = amounts("199.99", "200.01", "2600.00", "17000.00", "0.01");
  const columns = ["averageLast20", "eventType", "currentTier", "isUpgrade", "isDowngrade", "tierChangeCount", "previousTier"];
  assert.deepEqual(pick(lifecycle(given, "EXT").rows, ...columns), [
    ["199.99", "FIRST_TRANSACTION", "basic", false, false, 0, "basic"],
    ["200.00", "TIER_UPGRADE", "standard", true, false, 1, "basic"],
    ["1000.00", "TIER_UPGRADE", "premium", true, false, 2, "standard"],
    ["5000.00", "TIER_UPGRADE", "vip", true, false, 3, "premium"],
    ["4000.00", "TIER_DOWNGRADE", "premium", false, true, 4, "vip"],
  ]);
  assert.deepEqual(pick(lifecycle(given, AS_RUN).rows, "tierChangeCount"), [[1], [2], [3], [4], [5]]);
});

Deno.test("L3: the average is rounded half up", () => {
  const rows = lifecycle(amounts("199.99", "200.00", "199.99"), "EXT").rows;
  assert.deepEqual(pick(rows, "averageLast20", "eventType", "currentTier"), [
    ["199.99", "FIRST_TRANSACTION", "basic"],
    ["200.00", "TIER_UPGRADE", "standard"],
    ["199.99", "TIER_DOWNGRADE", "basic"],
  ]);
});

Deno.test("L4: kyc is completed with the eleventh transaction beyond ten thousand", () => {
  for (const profile of PROFILES) {
    const { rows } = lifecycle(amounts(...Array(12).fill("1000.00")), profile);
    const flag: string = profile === AS_RUN ? "upgrade" : "isUpgrade";
    assert.deepEqual(pick(rows, "eventType", "currentKycStatus", "kycCompleted", flag), [
      ["FIRST_TRANSACTION", "pending", false, true],
      ...Array(9).fill(["TRANSACTION_UPDATE", "pending", false, false]),
      ["KYC_COMPLETED", "completed", true, false],
      ["TRANSACTION_UPDATE", "completed", false, false],
    ]);
    if (profile === AS_RUN) continue;
    assert.equal(rows[10].previousKycStatus, "pending");
    if (profile === "EXT") assert.deepEqual(rows[0].events, ["TIER_UPGRADE", "FIRST_TRANSACTION"]);
  }
});

Deno.test("L5: a big amount leaves the average after twenty more", () => {
  const { rows } = lifecycle(amounts(...Array(20).fill("100.00"), "10000.00", ...Array(20).fill("100.00")), "EXT");
  const columns = ["averageLast20", "currentTier", "totalAmount", "eventType", "isUpgrade", "kycCompleted", "tierChangeCount"];
  assert.deepEqual(pick([rows[20]], ...columns), [["595.00", "standard", "12000.00", "KYC_COMPLETED", true, true, 1]]);
  assert.equal(rows[39].averageLast20, "595.00");
  assert.deepEqual(pick([rows[40]], "averageLast20", "currentTier", "eventType", "tierChangeCount"), [[
    "100.00",
    "basic",
    "TIER_DOWNGRADE",
    2,
  ]]);
});

Deno.test("L6: the latest session of the customer", () => {
  const given = [
    ses("s1", { channel: "web", actions_count: 20 }),
    tx("t1", { amount: "300.00" }),
    ses("s2", { channel: "web", actions_count: 21 }),
    tx("t2", { amount: "5000.00" }),
    ses("s3", { channel: "mobile", actions_count: 10 }),
    tx("t3", { amount: "1.00" }),
    tx("t4", { amount: "1.00" }),
  ];
  const columns = (upgrade: string) => ["eventType", "currentTier", upgrade];
  assert.deepEqual(pick(lifecycle(given, FIXED).rows, ...columns("isUpgrade")), [
    ["FIRST_TRANSACTION", "standard", true],
    ["HIGH_ENGAGEMENT_SESSION", "premium", true],
    ["MULTI_CHANNEL_CUSTOMER", "premium", false],
    ["TRANSACTION_UPDATE", "premium", false],
  ]);
  assert.deepEqual(pick(lifecycle(given, AS_RUN).rows, ...columns("upgrade")), [
    ["FIRST_TRANSACTION", "standard", true],
    ["HIGH_ENGAGEMENT_SESSION", "premium", true],
    ["TRANSACTION_UPDATE", "premium", false],
    ["TRANSACTION_UPDATE", "premium", false],
  ]);
});

Deno.test("L7: an unknown, then changing customer, and a transaction out of order", () => {
  const given = [
    tx("t1", { amount: "10.00", created_at: at("12:00") }),
    cust("c1", { risk_score: "40.00" }),
    tx("t2", { amount: "10.00", created_at: at("12:00:05") }),
    cust("c1", { risk_score: "42.50" }),
    tx("t3", { amount: "10.00", created_at: at("11:00") }),
  ];
  assert.deepEqual(pick(lifecycle(given, FIXED).rows, "riskScore", "riskScoreChange", "timeSinceLastUpdate"), [
    [0, 0, 0],
    [40, 40, 5000],
    [42.5, 2.5, 0],
  ]);
  assert.deepEqual(pick(lifecycle(given, AS_RUN).rows, "riskScore", "riskScoreChange", "timeSinceLastUpdate"), [[0, 0, 0], [40, 0, 0], [
    42.5,
    0,
    0,
  ]]);
});

Deno.test("L8: activity from the fifty-first transaction on", () => {
  const { rows } = lifecycle(amounts(...Array(52).fill("10.00")), FIXED);
  assert.deepEqual(pick(rows.slice(49), "eventType", "currentKycStatus"), [
    ["TRANSACTION_UPDATE", "pending"],
    ["HIGH_ACTIVITY_CUSTOMER", "pending"],
    ["HIGH_ACTIVITY_CUSTOMER", "pending"],
  ]);
});

// ---- M ------------------------------------------------------------------------------------------------------------

const ACME = {
  name: "Acme",
  business_type: "Hotel",
  mcc_code: "7011",
  address: '{"city":"X","country":"US"}',
  is_active: true,
};
const at1 = (id: string, amount: string, row: Readonly<Record<string, unknown>> = {}): Message =>
  tx(id, { merchant_id: "m1", amount, ...row });
const FIGURES = ["transactionCount", "totalAmount", "averageAmount", "merchantName", "country"];

Deno.test("M1: running figures of a merchant", () => {
  const given = [mer("m1", ACME), at1("t1", "100.00"), at1("t2", "0.01")];
  const columns = [...FIGURES, "performanceLevel", "riskLevel", "businessType", "mccCode"];
  const wished = [
    [1, "100.00", "100.00", "Acme", "US", "MINIMAL_ACTIVITY", "LOW_RISK", "Hotel", "7011"],
    [2, "100.01", "50.01", "Acme", "US", "MINIMAL_ACTIVITY", "LOW_RISK", "Hotel", "7011"],
  ];
  assert.deepEqual(pick(merchants(given, FIXED).rows, ...columns), wished);
  assert.deepEqual(pick(merchants(given, AS_RUN).rows, ...columns), wished);
  assert.deepEqual(pick(merchants(given, FIXED).rows, "isActive"), [[true], [true]]);
  assert.deepEqual(pick(merchants(given, AS_RUN).rows, "active"), [[false], [false]]);
});

Deno.test("M2: a merchant that becomes known later", () => {
  const given = [at1("t1", "10.00"), at1("t2", "30.00"), mer("m1", ACME), at1("t3", "20.00"), tx("t4", { amount: "1.00" })];
  assert.deepEqual(pick(merchants(given, FIXED).rows, ...FIGURES, "isActive"), [
    [1, "10.00", "10.00", "UNKNOWN", "UNKNOWN", false],
    [2, "40.00", "20.00", "UNKNOWN", "UNKNOWN", false],
    [2, "40.00", "20.00", "Acme", "US", true],
    [3, "60.00", "20.00", "Acme", "US", true],
  ]);
  assert.deepEqual(pick(merchants(given, AS_RUN).rows, ...FIGURES), [[1, "20.00", "20.00", "Acme", "US"]]);
});

Deno.test("M3: the edges of the performance levels are strict", () => {
  const levels = (count: number, amount: string, ...places: readonly number[]): unknown[] => {
    const given = [mer("m1", ACME), ...Array.from({ length: count }, (_, i) => at1(`t${i}`, amount))];
    const { rows } = merchants(given, FIXED);
    assert.deepEqual(pick(merchants(given, AS_RUN).rows, "performanceLevel"), pick(rows, "performanceLevel"));
    return places.map((place) => rows[place - 1].performanceLevel);
  };
  assert.deepEqual(levels(1001, "100.00", 100, 101, 500, 501, 1000, 1001), [
    "MINIMAL_ACTIVITY",
    "LOW_PERFORMANCE",
    "LOW_PERFORMANCE",
    "MEDIUM_PERFORMANCE",
    "MEDIUM_PERFORMANCE",
    "HIGH_PERFORMANCE",
  ]);
  assert.deepEqual(levels(101, "500.00", 100, 101), ["MINIMAL_ACTIVITY", "LOW_PERFORMANCE"]);
  const many = [mer("m1", ACME), ...Array.from({ length: 1001 }, (_, i) => at1(`t${i}`, "1.00")), at1("t", "99000.00")];
  const { rows } = merchants(many, FIXED);
  assert.deepEqual(pick(rows.slice(1000), "transactionCount", "totalAmount", "performanceLevel"), [
    [1001, "1001.00", "MINIMAL_ACTIVITY"],
    [1002, "100001.00", "HIGH_PERFORMANCE"],
  ]);
});

Deno.test("M4: the risk level is of the average before it is rounded", () => {
  const levels = (...list: readonly string[]) =>
    pick(merchants([mer("m1", ACME), ...list.map((amount, i) => at1(`t${i}`, amount))], FIXED).rows, "averageAmount", "riskLevel");
  assert.deepEqual(levels("5000.00", "5000.00", "5000.01"), [["5000.00", "LOW_RISK"], ["5000.00", "LOW_RISK"], ["5000.00", "MEDIUM_RISK"]]);
  assert.deepEqual(levels("10000.00", "10000.01"), [["10000.00", "MEDIUM_RISK"], ["10000.01", "HIGH_RISK"]]);
});

Deno.test("M5: a merchant without an address", () => {
  const { rows } = merchants([mer("m1", { ...ACME, address: null }), at1("t1", "1.00")], FIXED);
  assert.deepEqual(pick(rows, "country", "merchantName"), [["UNKNOWN", "Acme"]]);
});

Deno.test("M6: EXT columns of merchants", () => {
  const statuses = [...Array(8).fill("completed"), "failed", "failed"];
  const given = statuses.map((status, i) => at1(`t${i}`, "100.00", { status, risk_score: "50.00" }));
  const columns = ["successRate", "anomalyType", "daysActive", "transactionsPerDay", "averageCustomerValue", "performanceTier"];
  assert.deepEqual(pick(merchants(given, "EXT").rows.slice(-1), ...columns), [[0.8, "Normal", 0, 10, "1000.00", "Low Volume"]]);
  const alone = merchants([at1("t1", "7.00", { status: "failed" })], "EXT").rows;
  assert.deepEqual(pick(alone, "anomalyType", "isAnomaly", "averageRiskScore"), [["High Failure Rate", true, null]]);
});

// ---- T ------------------------------------------------------------------------------------------------------------

const T1 = [
  tx("t1", {
    transaction_type: "card_payment",
    amount: "10.00",
    created_at: at("11:00"),
    device_fingerprint: "dB",
    transaction_location: '{"country":"US"}',
  }),
  tx("t2", { transaction_type: "deposit", amount: "20.00", device_fingerprint: "dA", transaction_location: '{"country":"US"}' }),
  tx("t3", { transaction_type: "card_payment", amount: "5.01", device_fingerprint: "dC" }),
];
const PREFERRED = ["preferredTransactionType", "preferredLocation", "preferredDevice"];

Deno.test("T1: a window of three transactions", () => {
  for (const profile of PROFILES.slice(0, 2)) {
    const [row, ...others] = metrics(T1, profile).rows;
    assert.equal(others.length, 0);
    assert.deepEqual(
      pick([row], "eventTime", "totalAmount", "transactionCount", "averageAmount", "minAmount", "maxAmount", ...PREFERRED),
      [["2025-09-05T06:00:30.000+00:00", "35.01", 3, "11.67", "5.01", "20.00", "card_payment", "US", "dA"]],
    );
    assert.deepEqual(row.transactionTypeCounts, { card_payment: 2, deposit: 1 });
    assert.deepEqual([row.locationCounts, row.deviceCounts], [{ US: 2 }, { dA: 1, dB: 1, dC: 1 }]);
    assert.deepEqual(
      pick([row], "transactionVelocity", "riskScore", "recentTransactionCount", "lastTransactionAmount", "lastTransactionType"),
      [[360, 0, 3, "20.00", "deposit"]],
    );
  }
});

Deno.test("T2: ties go to the smallest, AS-RUN to the first of Java's hash order", () => {
  const given = [
    tx("t1", { transaction_type: "card_payment", amount: "10.00", created_at: at("11:00") }),
    tx("t2", { transaction_type: "deposit", amount: "20.00" }),
    tx("t3", { transaction_type: "atm_withdrawal", amount: "120000.00" }),
  ];
  const columns = ["totalAmount", "averageAmount", "riskScore", ...PREFERRED, "lastTransactionAmount", "lastTransactionType"];
  assert.deepEqual(pick(metrics(given, FIXED).rows, ...columns), [
    ["120030.00", "40010.00", 60, "atm_withdrawal", "unknown", "unknown", "20.00", "deposit"],
  ]);
  assert.deepEqual(pick(metrics(given, AS_RUN).rows, ...PREFERRED, "locationCounts"), [["card_payment", "unknown", "unknown", {}]]);
});

Deno.test("T3: the edges of the score", () => {
  const score = (count: number, amount: string) =>
    pick(metrics(amounts(...Array(count).fill(amount)), FIXED).rows, "riskScore", "transactionVelocity");
  assert.deepEqual(score(10, "10000.00"), [[15, 1200]]);
  assert.deepEqual(score(1, "5000.00"), [[0, 120]]);
  assert.deepEqual(score(51, "1.00"), [[15, 6120]]);
  assert.deepEqual(score(50, "1.00"), [[0, 6000]]);
});

Deno.test("T4: windows by the clock", () => {
  const clocks = ["05:59:59.999", "06:00:00.000", "06:00:29.999", "06:00:30.000"].map((time) => `2025-09-05T${time}Z`);
  const given = clocks.map((clock, i) => tx(`t${i}`, { amount: "1.00" }, clock));
  assert.deepEqual(pick(metrics(given, FIXED).rows, "eventTime", "transactionCount"), [
    ["2025-09-05T06:00:00.000+00:00", 1],
    ["2025-09-05T06:00:30.000+00:00", 2],
    ["2025-09-05T06:01:00.000+00:00", 1],
  ]);
  const two = [tx("t1", { amount: "1.00" }), tx("t2", { amount: "1.00", customer_id: "c2" })];
  assert.deepEqual(pick(metrics(two, FIXED).rows, "customerId"), [["c1"], ["c2"]]);
});

Deno.test("T5: EXT columns of a window", () => {
  const given = [
    tx("t1", {
      transaction_type: "card_payment",
      amount: "100.00",
      merchant_id: "m1",
      risk_score: "10",
      created_at: "2025-01-14T10:00:00Z",
    }),
    tx("t2", {
      transaction_type: "card_payment",
      amount: "50.00",
      merchant_id: "m2",
      status: "failed",
      risk_score: "20",
      created_at: "2025-01-16T09:00:00Z",
    }),
    tx("t3", { amount: "1000.00", fee_amount: "25.00", status: "pending", risk_score: "30", created_at: "2025-01-15T08:00:00Z" }),
    tx("t4", {
      transaction_type: "atm_withdrawal",
      amount: "40.00",
      fee_amount: "3.50",
      risk_score: "4",
      created_at: "2025-01-16T23:00:00Z",
    }),
  ];
  const { rows } = metrics(given, "EXT");
  assert.deepEqual(pick(rows, "totalAmount", "averageAmount", "minAmount", "maxAmount"), [["1190.00", "297.50", "40.00", "1000.00"]]);
  assert.deepEqual(
    pick(rows, "uniqueMerchants", "distinctTransactionTypes", "completedTransactions", "failedTransactions", "pendingTransactions"),
    [[2, 3, 2, 1, 1]],
  );
  assert.deepEqual(
    pick(rows, "successRate", "averageTransactionRisk", "totalFees", "daysActive", "transactionsPerDay", "averageMerchantValue"),
    [[0.5, 16, "28.50", 2, 2, "75.00"]],
  );
  assert.deepEqual(
    pick(
      rows,
      "customerValueTier",
      "preferredTransactionType",
      "lastTransactionAmount",
      "lastTransactionType",
      "transactionVelocity",
      "riskScore",
    ),
    [["Medium Value", "card_payment", "40.00", "atm_withdrawal", 480, 0]],
  );
  assert.deepEqual(pick(rows, "firstTransactionTime", "lastTransactionTime"), [[
    "2025-01-14T10:00:00.000+00:00",
    "2025-01-16T23:00:00.000+00:00",
  ]]);
});

Deno.test("T6: a window without a merchant divides by none", () => {
  const columns = ["uniqueMerchants", "averageMerchantValue", "daysActive", "transactionsPerDay", "customerValueTier"];
  assert.deepEqual(pick(metrics([tx("t1", { amount: "100.00" })], "EXT").rows, ...columns), [[0, null, 0, 1, "Low Value"]]);
});

// ---- F ------------------------------------------------------------------------------------------------------------

const SHORT: Readonly<Record<string, string>> = {
  HIGH_AMOUNT: "HA",
  DAILY_LIMIT_EXCEEDED: "DL",
  FREQUENT_TRANSACTIONS: "FR",
  MULTIPLE_LOCATIONS: "ML",
  MULTIPLE_DEVICES: "MD",
  RAPID_TRANSACTIONS: "RT",
  UNUSUAL_PATTERN: "UP",
  FROZEN_ACCOUNT: "FZ",
  INACTIVE_ACCOUNT: "IA",
  EXCESSIVE_AMOUNT: "EX",
};
const pay = (id: string, created: string, amount: string, row: Readonly<Record<string, unknown>> = {}): Message =>
  tx(id, {
    from_account_id: "a1",
    amount,
    created_at: at(created),
    device_fingerprint: "d1",
    transaction_location: '{"country":"US"}',
    ...row,
  });
/** "HA EX 55", with * where it is an alert. */
function said(given: readonly Message[], profile: Profile): string[] {
  const { evaluations, rows } = fraud(given, profile);
  const alerts = new Set(rows.map((row) => row.transactionId));
  return evaluations.map(({ types, points, transaction }: Evaluation) =>
    [...types.map((type) => SHORT[type]), points, ...(alerts.has(transaction) ? ["*"] : [])].join(" ")
  );
}
const savings = acct("a1", { minimum_balance: "100.00" });
const checking = acct("a1", { minimum_balance: "0.00" });

Deno.test("F1: twelve thousand alone", () => {
  const given = [checking, pay("t1", "12:00", "12000.00")];
  assert.deepEqual(said(given, AS_RUN), ["HA RT IA EX 120 *"]);
  assert.deepEqual(pick(fraud(given, AS_RUN).rows, "severity", "recommendation", "detectionTime"), [
    ["CRITICAL", "BLOCK_TRANSACTION", "2025-01-16T12:00:00.000+00:00"],
  ]);
  assert.deepEqual(said(given, FIXED), ["HA 30"]);
});

Deno.test("F2: amounts and a day's sum", () => {
  const given = [
    savings,
    pay("t1", "09:00", "20000.00"),
    pay("t2", "11:00", "20000.00"),
    pay("t3", "13:00", "10000.00"),
    pay("t4", "14:00", "0.01"),
  ];
  assert.deepEqual(said(given, AS_RUN), ["HA RT IA EX 120 *", "HA IA EX 85", "IA EX 55", "DL IA 70"]);
  assert.deepEqual(said(given, FIXED), ["HA EX 55 *", "HA EX 55 *", "EX 25", "DL 40"]);
  assert.deepEqual(pick(fraud(given, FIXED).rows, "severity", "recommendation"), [["MEDIUM", "MONITOR_CLOSELY"], [
    "MEDIUM",
    "MONITOR_CLOSELY",
  ]]);
});

Deno.test("F3: a frozen account", () => {
  const given = [acct("a1", { minimum_balance: "0.00", is_frozen: true }), pay("t1", "12:00:00", "10.00"), pay("t2", "12:00:30", "10.00")];
  assert.deepEqual(said(given, AS_RUN), ["RT IA EX 90", "RT IA EX 90"]);
  assert.deepEqual(said(given, FIXED), ["FZ 50", "RT FZ 85 *"]);
  assert.deepEqual(pick(fraud(given, FIXED).rows, "severity"), [["CRITICAL"]]);
  assert.equal(fraud(given, FIXED, { alwaysAlert: ["FROZEN_ACCOUNT"] }).rows.length, 2);
});

Deno.test("F4: an inactive account", () => {
  const given = [acct("a1", { minimum_balance: "100.00", is_active: false }), pay("t1", "12:00", "1000.00"), pay("t2", "14:00", "1000.01")];
  assert.deepEqual(said(given, AS_RUN), ["RT IA 65", "IA EX 55"]);
  assert.deepEqual(said(given, FIXED), ["IA 30", "IA EX 55 *"]);
});

Deno.test("F5: more than ten in an hour", () => {
  const given = [
    savings,
    ...Array.from({ length: 12 }, (_, i) => pay(`t${i}`, `12:${String(5 * i).padStart(2, "0")}`, "10.00")),
    pay("t12", "13:00", "10.00"),
  ];
  assert.deepEqual(said(given, FIXED), [...Array(10).fill("0"), "FR 25", "FR 25", "FR 25"]);
  assert.deepEqual(said(given, AS_RUN).slice(9, 11), ["IA 30", "FR IA 55"]);
});

Deno.test("F6: more than three devices", () => {
  const given = [
    savings,
    ...[1, 2, 3, 4, 5].map((n) => pay(`t${n}`, `${String(8 + n).padStart(2, "0")}:00`, "10.00", { device_fingerprint: `d${n}` })),
  ];
  assert.deepEqual(said(given, FIXED), ["0", "0", "0", "MD 15", "MD 15"]);
});

Deno.test("F7: rapid, out of order", () => {
  const given = [savings, ...["12:00:00", "10:00:00", "12:00:59", "12:01:59"].map((time, i) => pay(`t${i}`, time, "10.00"))];
  assert.deepEqual(said(given, AS_RUN), ["RT IA 65", "RT IA 65", "IA 30", "IA 30"]);
  assert.deepEqual(said(given, FIXED), ["0", "0", "RT 35", "0"]);
});

Deno.test("F8: more than three times the mean", () => {
  const before = ["10:00", "11:00", "12:00", "13:00"].map((time, i) => pay(`t${i}`, time, "100.00"));
  assert.deepEqual(said([savings, ...before, pay("t5", "15:00", "600.01")], FIXED).at(-1), "UP 20");
  assert.deepEqual(said([savings, ...before, pay("t5", "15:00", "600.00")], FIXED).at(-1), "0");
});

Deno.test("F9: unusual hours", () => {
  const times = ["15:00", "16:00", "17:00", "18:00", "22:59:59", "23:59:59", "2025-01-17T05:59:59Z", "2025-01-17T07:00:00Z"];
  assert.deepEqual(said([savings, ...times.map((time, i) => pay(`t${i}`, time, "100.00"))], FIXED), [
    "0",
    "0",
    "0",
    "0",
    "0",
    "UP 20",
    "UP 20",
    "0",
  ]);
});

Deno.test("F10: deposits and unknown accounts", () => {
  const given = [
    savings,
    pay("t1", "12:00", "60000.00", { from_account_id: null, to_account_id: "a1", transaction_type: "deposit" }),
    pay("t2", "14:00", "60.00"),
    pay("t3", "16:00", "20000.00", { from_account_id: "unknown" }),
  ];
  assert.deepEqual(said(given, FIXED), ["0", "HA 30"]);
  assert.deepEqual(said(given, AS_RUN), ["RT IA 65"]);
});

Deno.test("F11: exactly twenty-four hours", () => {
  const given = [
    checking,
    pay("t1", "12:00", "50000.00"),
    pay("t2", "2025-01-17T12:00:00Z", "1.00"),
    pay("t3", "2025-01-18T12:00:00.001Z", "50000.00"),
  ];
  assert.deepEqual(said(given, FIXED), ["HA 30", "DL 40", "HA 30"]);
  assert.deepEqual(said(given, AS_RUN).map((text) => text.includes("DL")), [false, true, false]);
});

Deno.test("F12: more than five countries", () => {
  const given = Array.from(
    { length: 7 },
    (_, i) => pay(`t${i}`, `${String(9 + i).padStart(2, "0")}:00`, "10.00", { transaction_location: { country: `C${i + 1}` } }),
  );
  assert.deepEqual(said([savings, ...given], FIXED).map((text) => text.includes("ML")), [false, false, false, false, false, true, true]);
});

Deno.test("F13: everything at once", () => {
  const account = acct("a1", { minimum_balance: "100.00", is_frozen: true, is_active: false });
  const pays = Array.from({ length: 11 }, (_, i) => {
    const created = i < 10 ? `01:${String(3 * (i + 1)).padStart(2, "0")}` : "01:30:30";
    return pay(`t${i}`, created, i < 10 ? "15000.00" : "500000.00", {
      device_fingerprint: `d${i}`,
      transaction_location: { country: `C${i}` },
    });
  });
  assert.equal(said([account, ...pays], FIXED).at(-1), "HA DL FR ML MD RT UP FZ IA EX 290 *");
  assert.equal(said([account, ...pays], AS_RUN).at(-1), "HA DL FR ML MD RT UP IA EX 240 *");
});

Deno.test("F14: EXT modelScore", () => {
  const of = (balance: string, risk: string, dailyLimit: bigint) =>
    pick(
      fraud([acct("a1", { balance, minimum_balance: "0.00" }), pay("t1", "12:00", "1500.00", { risk_score: risk })], "EXT", { dailyLimit })
        .scores,
      "modelScore",
      "modelFraudulent",
      "amountToBalanceRatio",
    );
  assert.deepEqual(of("2000.00", "85", 100000n), [[0.94, true, 0.75]]);
  assert.deepEqual(of("0.00", "20", 5000000n), [[0.38, false, null]]);
});

Deno.test("F15: EXT velocity counts one hour of one day", () => {
  const days = ["14", "15", "16"].flatMap((day, d) =>
    Array.from({ length: d === 0 ? 4 : 3 }, (_, i) => pay(`${day}-${i}`, `2025-01-${day}T09:0${i}:00Z`, "10.00"))
  );
  const { scores } = fraud([savings, ...days], "EXT");
  assert.equal(Math.max(...scores.map((row) => row.hourTransactionCount as number)), 4);
  assert.ok(scores.every((row) => row.isVelocityAnomaly === false));
});
