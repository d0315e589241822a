/** The slow model of the fintech processors against every acceptance case of its specification, in all three profiles. */
import assert from "node:assert/strict";
import { type CaseName, given } from "./fintech/acceptance.ts";
import { pick } from "./fintech/cases.ts";
import { fraud } from "./fintech/fraud.ts";
import { lifecycle } from "./fintech/lifecycle.ts";
import { merchants } from "./fintech/merchants.ts";
import { metrics } from "./fintech/metrics.ts";
import { type Message, type OutputRow, type Profile, readCustomer, readTransaction, type Transaction, unwrap } from "./fintech/rows.ts";

const AS_RUN: Profile = "AS-RUN";
const FIXED: Profile = "FIXED";
const EXT: Profile = "EXT";
const PROFILES: readonly Profile[] = [AS_RUN, FIXED, EXT];

/** Columns of the rows that a processor gives for a case. */
const columnsOf =
  (processor: (messages: readonly Message[], profile: Profile) => { readonly rows: readonly OutputRow[] }) =>
  (name: CaseName, profile: Profile, ...columns: readonly string[]): unknown[][] => pick(processor(given(name), profile).rows, ...columns);
const ofLifecycle = columnsOf(lifecycle);
const ofMerchants = columnsOf(merchants);
const ofMetrics = columnsOf(metrics);
const ofAlerts = columnsOf(fraud);

// ---- D --------------------------------------------------------------------------------------------------------------

Deno.test("D1: the row and the same row in an envelope are read alike, to the microsecond and the hundredth", () => {
  const [read, enveloped] = (["D1", "D1 in an envelope"] as const).map((name) =>
    readTransaction(unwrap(given(name)[0]).fields, 0) as Transaction
  );
  assert.deepEqual([read.amount, read.risk, read.place?.country, read.created], [8410n, 1725n, "US", 1737026625123456]);
  assert.deepEqual(enveloped, read);
});

Deno.test("D2: a customer's row", () => {
  const { risk } = readCustomer({ id: "c", date_of_birth: 7300, risk_score: "20.00", is_active: true });
  assert.equal(risk, 2000n);
});

Deno.test("D3: FIXED counts a transaction once and no deleted one, AS-RUN every message", () => {
  assert.deepEqual(ofLifecycle("D3", EXT, "totalTransactions", "totalAmount"), [[1, "100.00"]]);
  assert.deepEqual(lifecycle(given("D3"), EXT).counters, { duplicates: 1, deletes: 1, rejects: [] });
  assert.deepEqual(ofLifecycle("D3", AS_RUN, "tierChangeCount"), [[1], [2], [3]]);
});

Deno.test("D4: what is no transaction is rejected with its reason, and the next one counts", () => {
  const { rows, counters } = lifecycle(given("D4"), FIXED);
  assert.equal(rows.length, 1);
  assert.deepEqual(counters.rejects, ["type:amount", "type:created_at", "json:transaction_location"]);
});

// ---- L --------------------------------------------------------------------------------------------------------------

Deno.test("L1: the first transaction", () => {
  const columns = ["eventType", "currentTier", "currentKycStatus", "riskScore", "tierChangeCount", "previousTier"];
  assert.deepEqual(ofLifecycle("L1", FIXED, "isUpgrade", ...columns), [[
    false,
    "FIRST_TRANSACTION",
    "basic",
    "pending",
    23.45,
    0,
    "basic",
  ]]);
  assert.deepEqual(ofLifecycle("L1", AS_RUN, "upgrade", ...columns), [[false, "FIRST_TRANSACTION", "basic", "pending", 23.45, 1, null]]);
});

Deno.test("L2: tiers follow the average of the last twenty", () => {
  const columns = ["averageLast20", "eventType", "currentTier", "isUpgrade", "isDowngrade", "tierChangeCount", "previousTier"];
  assert.deepEqual(ofLifecycle("L2", EXT, ...columns), [
    ["199.99", "FIRST_TRANSACTION", "basic", false, false, 0, "basic"],
    ["200.00", "TIER_UPGRADE", "standard", true, false, 1, "basic"],
    ["1000.00", "TIER_UPGRADE", "premium", true, false, 2, "standard"],
    ["5000.00", "TIER_UPGRADE", "vip", true, false, 3, "premium"],
    ["4000.00", "TIER_DOWNGRADE", "premium", false, true, 4, "vip"],
  ]);
  assert.deepEqual(ofLifecycle("L2", AS_RUN, "tierChangeCount"), [[1], [2], [3], [4], [5]]);
});

Deno.test("L3: the average is rounded half up", () => {
  assert.deepEqual(ofLifecycle("L3", EXT, "averageLast20", "eventType", "currentTier"), [
    ["199.99", "FIRST_TRANSACTION", "basic"],
    ["200.00", "TIER_UPGRADE", "standard"],
    ["199.99", "TIER_DOWNGRADE", "basic"],
  ]);
});

Deno.test("L4: kyc is completed with the eleventh transaction beyond ten thousand", () => {
  for (const profile of PROFILES) {
    const upgrade: string = profile === AS_RUN ? "upgrade" : "isUpgrade";
    assert.deepEqual(ofLifecycle("L4", profile, "eventType", "currentKycStatus", "kycCompleted", upgrade), [
      ["FIRST_TRANSACTION", "pending", false, true],
      ...Array(9).fill(["TRANSACTION_UPDATE", "pending", false, false]),
      ["KYC_COMPLETED", "completed", true, false],
      ["TRANSACTION_UPDATE", "completed", false, false],
    ]);
  }
  assert.deepEqual(ofLifecycle("L4", FIXED, "previousKycStatus")[10], ["pending"]);
  assert.deepEqual(ofLifecycle("L4", EXT, "events")[0], [["TIER_UPGRADE", "FIRST_TRANSACTION"]]);
});

Deno.test("L5: a big amount leaves the average after twenty more", () => {
  const columns = ["averageLast20", "currentTier", "totalAmount", "eventType", "isUpgrade", "kycCompleted", "tierChangeCount"];
  const rows = ofLifecycle("L5", EXT, ...columns);
  assert.deepEqual(rows[20], ["595.00", "standard", "12000.00", "KYC_COMPLETED", true, true, 1]);
  assert.equal(rows[39][0], "595.00");
  assert.deepEqual([rows[40][0], rows[40][1], rows[40][3], rows[40][6]], ["100.00", "basic", "TIER_DOWNGRADE", 2]);
});

Deno.test("L6: the latest session of the customer", () => {
  const first = [["FIRST_TRANSACTION", "standard", true], ["HIGH_ENGAGEMENT_SESSION", "premium", true]];
  const last = ["TRANSACTION_UPDATE", "premium", false];
  assert.deepEqual(ofLifecycle("L6", FIXED, "eventType", "currentTier", "isUpgrade"), [...first, [
    "MULTI_CHANNEL_CUSTOMER",
    "premium",
    false,
  ], last]);
  assert.deepEqual(ofLifecycle("L6", AS_RUN, "eventType", "currentTier", "upgrade"), [...first, last, last]);
});

Deno.test("L7: an unknown, then changing customer, and a transaction out of order", () => {
  const columns = ["riskScore", "riskScoreChange", "timeSinceLastUpdate"];
  assert.deepEqual(ofLifecycle("L7", FIXED, ...columns), [[0, 0, 0], [40, 40, 5000], [42.5, 2.5, 0]]);
  assert.deepEqual(ofLifecycle("L7", AS_RUN, ...columns), [[0, 0, 0], [40, 0, 0], [42.5, 0, 0]]);
});

Deno.test("L8: activity from the fifty-first transaction on", () => {
  assert.deepEqual(ofLifecycle("L8", FIXED, "eventType", "currentKycStatus").slice(49), [
    ["TRANSACTION_UPDATE", "pending"],
    ["HIGH_ACTIVITY_CUSTOMER", "pending"],
    ["HIGH_ACTIVITY_CUSTOMER", "pending"],
  ]);
});

// ---- M --------------------------------------------------------------------------------------------------------------

const FIGURES = ["transactionCount", "totalAmount", "averageAmount", "merchantName", "country"];

Deno.test("M1: running figures of a merchant", () => {
  const columns = [...FIGURES, "performanceLevel", "riskLevel", "businessType", "mccCode"];
  const wished = [
    [1, "100.00", "100.00", "Acme", "US", "MINIMAL_ACTIVITY", "LOW_RISK", "Hotel", "7011"],
    [2, "100.01", "50.01", "Acme", "US", "MINIMAL_ACTIVITY", "LOW_RISK", "Hotel", "7011"],
  ];
  assert.deepEqual(ofMerchants("M1", FIXED, ...columns), wished);
  assert.deepEqual(ofMerchants("M1", AS_RUN, ...columns), wished);
  assert.deepEqual(ofMerchants("M1", FIXED, "isActive"), [[true], [true]]);
  assert.deepEqual(ofMerchants("M1", AS_RUN, "active"), [[false], [false]]);
});

Deno.test("M2: a merchant that becomes known later", () => {
  assert.deepEqual(ofMerchants("M2", FIXED, ...FIGURES, "isActive"), [
    [1, "10.00", "10.00", "UNKNOWN", "UNKNOWN", false],
    [2, "40.00", "20.00", "UNKNOWN", "UNKNOWN", false],
    [2, "40.00", "20.00", "Acme", "US", true],
    [3, "60.00", "20.00", "Acme", "US", true],
  ]);
  assert.deepEqual(ofMerchants("M2", AS_RUN, ...FIGURES), [[1, "20.00", "20.00", "Acme", "US"]]);
});

Deno.test("M3: the edges of the performance levels are strict", () => {
  const levels = (name: CaseName, ...places: readonly number[]): unknown[] => {
    const all = ofMerchants(name, FIXED, "performanceLevel").flat();
    assert.deepEqual(ofMerchants(name, AS_RUN, "performanceLevel").flat(), all);
    return places.map((place) => all[place - 1]);
  };
  assert.deepEqual(levels("M3 by hundreds", 100, 101, 500, 501, 1000, 1001), [
    "MINIMAL_ACTIVITY",
    "LOW_PERFORMANCE",
    "LOW_PERFORMANCE",
    "MEDIUM_PERFORMANCE",
    "MEDIUM_PERFORMANCE",
    "HIGH_PERFORMANCE",
  ]);
  assert.deepEqual(levels("M3 by five hundreds", 100, 101), ["MINIMAL_ACTIVITY", "LOW_PERFORMANCE"]);
  assert.deepEqual(ofMerchants("M3 many small ones", FIXED, "transactionCount", "totalAmount", "performanceLevel").slice(1000), [
    [1001, "1001.00", "MINIMAL_ACTIVITY"],
    [1002, "100001.00", "HIGH_PERFORMANCE"],
  ]);
});

Deno.test("M4: the risk level is of the average before it is rounded", () => {
  const low = ["5000.00", "LOW_RISK"];
  assert.deepEqual(ofMerchants("M4 medium", FIXED, "averageAmount", "riskLevel"), [low, low, ["5000.00", "MEDIUM_RISK"]]);
  assert.deepEqual(ofMerchants("M4 high", FIXED, "averageAmount", "riskLevel"), [["10000.00", "MEDIUM_RISK"], ["10000.01", "HIGH_RISK"]]);
});

Deno.test("M5: a merchant without an address", () => {
  assert.deepEqual(ofMerchants("M5", FIXED, "country", "merchantName"), [["UNKNOWN", "Acme"]]);
});

Deno.test("M6: EXT columns of merchants", () => {
  const columns = ["successRate", "anomalyType", "daysActive", "transactionsPerDay", "averageCustomerValue", "performanceTier"];
  assert.deepEqual(ofMerchants("M6", EXT, ...columns).at(-1), [0.8, "Normal", 0, 10, "1000.00", "Low Volume"]);
  assert.deepEqual(ofMerchants("M6 failure", EXT, "anomalyType", "isAnomaly", "averageRiskScore"), [["High Failure Rate", true, null]]);
});

// ---- T --------------------------------------------------------------------------------------------------------------

const PREFERRED = ["preferredTransactionType", "preferredLocation", "preferredDevice"];

Deno.test("T1: a window of three transactions", () => {
  for (const profile of [AS_RUN, FIXED]) {
    const amounts = ["totalAmount", "transactionCount", "averageAmount", "minAmount", "maxAmount"];
    assert.deepEqual(ofMetrics("T1", profile, "eventTime", ...amounts, ...PREFERRED), [
      ["2025-09-05T06:00:30.000+00:00", "35.01", 3, "11.67", "5.01", "20.00", "card_payment", "US", "dA"],
    ]);
    assert.deepEqual(ofMetrics("T1", profile, "transactionTypeCounts", "locationCounts", "deviceCounts"), [
      [{ card_payment: 2, deposit: 1 }, { US: 2 }, { dA: 1, dB: 1, dC: 1 }],
    ]);
    const rest = ["transactionVelocity", "riskScore", "recentTransactionCount", "lastTransactionAmount", "lastTransactionType"];
    assert.deepEqual(ofMetrics("T1", profile, ...rest), [[360, 0, 3, "20.00", "deposit"]]);
  }
});

Deno.test("T2: ties go to the smallest, AS-RUN to the first of Java's hash order", () => {
  const columns = ["totalAmount", "averageAmount", "riskScore", ...PREFERRED, "lastTransactionAmount", "lastTransactionType"];
  assert.deepEqual(ofMetrics("T2", FIXED, ...columns), [
    ["120030.00", "40010.00", 60, "atm_withdrawal", "unknown", "unknown", "20.00", "deposit"],
  ]);
  assert.deepEqual(ofMetrics("T2", AS_RUN, ...PREFERRED, "locationCounts"), [["card_payment", "unknown", "unknown", {}]]);
});

Deno.test("T3: the edges of the score", () => {
  const score = (name: CaseName) => ofMetrics(name, FIXED, "riskScore", "transactionVelocity");
  assert.deepEqual(score("T3 ten of ten thousand"), [[15, 1200]]);
  assert.deepEqual(score("T3 one of five thousand"), [[0, 120]]);
  assert.deepEqual(score("T3 fifty-one"), [[15, 6120]]);
  assert.deepEqual(score("T3 fifty"), [[0, 6000]]);
});

Deno.test("T4: windows by the clock", () => {
  assert.deepEqual(ofMetrics("T4", FIXED, "eventTime", "transactionCount"), [
    ["2025-09-05T06:00:00.000+00:00", 1],
    ["2025-09-05T06:00:30.000+00:00", 2],
    ["2025-09-05T06:01:00.000+00:00", 1],
  ]);
  assert.deepEqual(ofMetrics("T4 two customers", FIXED, "customerId"), [["c1"], ["c2"]]);
});

Deno.test("T5: EXT columns of a window", () => {
  const counts = ["uniqueMerchants", "distinctTransactionTypes", "completedTransactions", "failedTransactions", "pendingTransactions"];
  assert.deepEqual(ofMetrics("T5", EXT, "totalAmount", "averageAmount", "minAmount", "maxAmount", ...counts), [
    ["1190.00", "297.50", "40.00", "1000.00", 2, 3, 2, 1, 1],
  ]);
  const rates = ["successRate", "averageTransactionRisk", "totalFees", "daysActive", "transactionsPerDay", "averageMerchantValue"];
  assert.deepEqual(ofMetrics("T5", EXT, ...rates), [[0.5, 16, "28.50", 2, 2, "75.00"]]);
  const rest = [
    "customerValueTier",
    "preferredTransactionType",
    "lastTransactionAmount",
    "lastTransactionType",
    "transactionVelocity",
    "riskScore",
  ];
  assert.deepEqual(ofMetrics("T5", EXT, ...rest), [["Medium Value", "card_payment", "40.00", "atm_withdrawal", 480, 0]]);
  assert.deepEqual(ofMetrics("T5", EXT, "firstTransactionTime", "lastTransactionTime"), [
    ["2025-01-14T10:00:00.000+00:00", "2025-01-16T23:00:00.000+00:00"],
  ]);
});

Deno.test("T6: a window without a merchant divides by none", () => {
  const columns = ["uniqueMerchants", "averageMerchantValue", "daysActive", "transactionsPerDay", "customerValueTier"];
  assert.deepEqual(ofMetrics("T6", EXT, ...columns), [[0, null, 0, 1, "Low Value"]]);
});

// ---- F --------------------------------------------------------------------------------------------------------------

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
/** "HA EX 55", with * where it is an alert, for each transaction that is screened. */
function said(name: CaseName, profile: Profile): string[] {
  const { evaluations, rows } = fraud(given(name), profile);
  const alerts = new Set(rows.map((row) => row.transactionId));
  return evaluations.map(({ types, points, transaction }) =>
    [...types.map((type) => SHORT[type]), points, ...(alerts.has(transaction) ? ["*"] : [])].join(" ")
  );
}

Deno.test("F1: twelve thousand alone", () => {
  assert.deepEqual(said("F1", AS_RUN), ["HA RT IA EX 120 *"]);
  assert.deepEqual(ofAlerts("F1", AS_RUN, "severity", "recommendation", "detectionTime"), [
    ["CRITICAL", "BLOCK_TRANSACTION", "2025-01-16T12:00:00.000+00:00"],
  ]);
  assert.deepEqual(said("F1", FIXED), ["HA 30"]);
});

Deno.test("F2: amounts and a day's sum", () => {
  assert.deepEqual(said("F2", AS_RUN), ["HA RT IA EX 120 *", "HA IA EX 85", "IA EX 55", "DL IA 70"]);
  assert.deepEqual(said("F2", FIXED), ["HA EX 55 *", "HA EX 55 *", "EX 25", "DL 40"]);
  assert.deepEqual(ofAlerts("F2", FIXED, "severity", "recommendation"), [["MEDIUM", "MONITOR_CLOSELY"], ["MEDIUM", "MONITOR_CLOSELY"]]);
});

Deno.test("F3: a frozen account", () => {
  assert.deepEqual(said("F3", AS_RUN), ["RT IA EX 90", "RT IA EX 90"]);
  assert.deepEqual(said("F3", FIXED), ["FZ 50", "RT FZ 85 *"]);
  assert.deepEqual(ofAlerts("F3", FIXED, "severity"), [["CRITICAL"]]);
  assert.equal(fraud(given("F3"), FIXED, { alwaysAlert: ["FROZEN_ACCOUNT"] }).rows.length, 2);
});

Deno.test("F4: an inactive account", () => {
  assert.deepEqual(said("F4", AS_RUN), ["RT IA 65", "IA EX 55"]);
  assert.deepEqual(said("F4", FIXED), ["IA 30", "IA EX 55 *"]);
});

Deno.test("F5: more than ten in an hour", () => {
  assert.deepEqual(said("F5", FIXED), [...Array(10).fill("0"), "FR 25", "FR 25", "FR 25"]);
  assert.deepEqual(said("F5", AS_RUN).slice(9, 11), ["IA 30", "FR IA 55"]);
});

Deno.test("F6: more than three devices", () => {
  assert.deepEqual(said("F6", FIXED), ["0", "0", "0", "MD 15", "MD 15"]);
});

Deno.test("F7: rapid, out of order", () => {
  assert.deepEqual(said("F7", AS_RUN), ["RT IA 65", "RT IA 65", "IA 30", "IA 30"]);
  assert.deepEqual(said("F7", FIXED), ["0", "0", "RT 35", "0"]);
});

Deno.test("F8: more than three times the mean", () => {
  assert.equal(said("F8 above", FIXED).at(-1), "UP 20");
  assert.equal(said("F8 at", FIXED).at(-1), "0");
});

Deno.test("F9: unusual hours", () => {
  assert.deepEqual(said("F9", FIXED), ["0", "0", "0", "0", "0", "UP 20", "UP 20", "0"]);
});

Deno.test("F10: deposits and unknown accounts", () => {
  assert.deepEqual(said("F10", FIXED), ["0", "HA 30"]);
  assert.deepEqual(said("F10", AS_RUN), ["RT IA 65"]);
});

Deno.test("F11: exactly twenty-four hours", () => {
  assert.deepEqual(said("F11", FIXED), ["HA 30", "DL 40", "HA 30"]);
  assert.deepEqual(said("F11", AS_RUN).map((text) => text.includes("DL")), [false, true, false]);
});

Deno.test("F12: more than five countries", () => {
  assert.deepEqual(said("F12", FIXED).map((text) => text.includes("ML")), [false, false, false, false, false, true, true]);
});

Deno.test("F13: everything at once", () => {
  assert.equal(said("F13", FIXED).at(-1), "HA DL FR ML MD RT UP FZ IA EX 290 *");
  assert.equal(said("F13", AS_RUN).at(-1), "HA DL FR ML MD RT UP IA EX 240 *");
});

Deno.test("F14: EXT modelScore", () => {
  const of = (name: CaseName, dailyLimit: bigint) =>
    pick(fraud(given(name), EXT, { dailyLimit }).scores, "modelScore", "modelFraudulent", "amountToBalanceRatio");
  assert.deepEqual(of("F14", 100000n), [[0.94, true, 0.75]]);
  assert.deepEqual(of("F14 without a balance", 5000000n), [[0.38, false, null]]);
});

Deno.test("F15: EXT velocity counts one hour of one day", () => {
  const { scores } = fraud(given("F15"), EXT);
  assert.equal(Math.max(...scores.map((row) => row.hourTransactionCount as number)), 4);
  assert.ok(scores.every((row) => row.isVelocityAnomaly === false));
});
