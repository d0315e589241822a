/** Section 3.2: the running figures of a merchant after each of its transactions. */
import { amountText, asDouble, dayNumber, halfUp, timeText } from "./amounts.ts";
import { type Counters, intake } from "./intake.ts";
import { type Merchant, type Message, type OutputRow, type Profile, readMerchant, type Transaction } from "./rows.ts";

interface State {
  count: number;
  total: bigint;
  least: bigint;
  greatest: bigint;
  readonly customers: Set<string>;
  first: number;
  last: number;
  completed: number;
  failed: number;
  risk: bigint;
  risks: number;
  /** The newest row of it was written without the merchant being known. */
  unknown: boolean;
}
const begin = (now: Transaction): State => ({
  count: 0,
  total: 0n,
  least: now.amount,
  greatest: now.amount,
  customers: new Set(),
  first: now.created,
  last: now.created,
  completed: 0,
  failed: 0,
  risk: 0n,
  risks: 0,
  unknown: false,
});

export function merchants(messages: Iterable<Message>, profile: Profile): { rows: OutputRow[]; counters: Counters } {
  const known = new Map<string, Merchant>();
  const states = new Map<string, State>();
  const rows: OutputRow[] = [];
  const counters = intake(messages, profile, ({ merchant }) => merchant !== null, {
    transaction(now) {
      const id = now.merchant!;
      const merchant = known.get(id) ?? null;
      if (merchant === null && profile === "AS-RUN") return;
      let state = states.get(id);
      if (state === undefined) states.set(id, state = begin(now));
      count(state, now);
      state.unknown = merchant === null;
      rows.push(output(id, state, merchant, now.clock, profile));
    },
    reference(table, fields, deleted, clock) {
      if (table !== "merchants") return;
      const merchant = readMerchant(fields);
      if (deleted) known.delete(merchant.id);
      else known.set(merchant.id, merchant);
      const state = states.get(merchant.id);
      if (deleted || state === undefined || !state.unknown) return;
      state.unknown = false;
      rows.push(output(merchant.id, state, merchant, clock, profile));
    },
  });
  return { rows, counters };
}

function count(state: State, now: Transaction): void {
  state.count++;
  state.total += now.amount;
  if (now.amount < state.least) state.least = now.amount;
  if (now.amount > state.greatest) state.greatest = now.amount;
  if (now.customer !== null) state.customers.add(now.customer);
  state.first = Math.min(state.first, now.created);
  state.last = Math.max(state.last, now.created);
  if (now.status === "completed") state.completed++;
  if (now.status === "failed") state.failed++;
  if (now.risk !== null) {
    state.risk += now.risk;
    state.risks++;
  }
}

function performance(count: number, total: bigint): string {
  if (count > 1000 && total > 10000000n) return "HIGH_PERFORMANCE";
  if (count > 500 && total > 5000000n) return "MEDIUM_PERFORMANCE";
  if (count > 100 && total > 1000000n) return "LOW_PERFORMANCE";
  return "MINIMAL_ACTIVITY";
}

function output(id: string, state: State, merchant: Merchant | null, clock: number, profile: Profile): OutputRow {
  const count = BigInt(state.count);
  const active = merchant?.active ?? false;
  const row = {
    merchantId: id,
    eventType: "MERCHANT_ANALYTICS",
    transactionCount: state.count,
    totalAmount: amountText(state.total),
    averageAmount: amountText(halfUp(state.total, count)),
    eventTime: timeText(clock),
    performanceLevel: performance(state.count, state.total),
    riskLevel: state.total > 1000000n * count ? "HIGH_RISK" : state.total > 500000n * count ? "MEDIUM_RISK" : "LOW_RISK",
    merchantName: merchant === null ? "UNKNOWN" : merchant.name,
    businessType: merchant === null ? "UNKNOWN" : merchant.businessType,
    mccCode: merchant === null ? "" : merchant.mcc,
    country: merchant?.country ?? "UNKNOWN",
    ...(profile === "AS-RUN" ? { active: false } : { isActive: active }),
  };
  if (profile !== "EXT") return row;
  const days = dayNumber(state.last) - dayNumber(state.first);
  const customers = state.customers.size;
  const anomaly = state.failed > state.completed
    ? "High Failure Rate"
    : 5 * state.completed < 4 * state.count
    ? "Low Success Rate"
    : state.risk > 7000n * BigInt(state.risks)
    ? "High Risk"
    : "Normal";
  return {
    ...row,
    minAmount: amountText(state.least),
    maxAmount: amountText(state.greatest),
    uniqueCustomers: customers,
    firstTransactionTime: timeText(state.first),
    lastTransactionTime: timeText(state.last),
    completedTransactions: state.completed,
    failedTransactions: state.failed,
    successRate: state.completed / state.count,
    averageRiskScore: state.risks === 0 ? null : asDouble(state.risk) / state.risks,
    daysActive: days,
    transactionsPerDay: state.count / Math.max(days, 1),
    averageCustomerValue: customers === 0 ? null : amountText(halfUp(state.total, BigInt(customers))),
    performanceTier: state.total >= 10000000n ? "High Volume" : state.total >= 1000000n ? "Medium Volume" : "Low Volume",
    anomalyType: anomaly,
    isAnomaly: anomaly !== "Normal",
  };
}
