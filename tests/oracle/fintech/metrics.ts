/** Section 3.3: what a customer did in thirty seconds of the clock. */
import { amountText, asDouble, dayNumber, halfUp, sum, timeText } from "./amounts.ts";
import { type Counters, intake } from "./intake.ts";
import { javaOrder } from "./java_order.ts";
import type { Message, OutputRow, Profile, Transaction } from "./rows.ts";

const WINDOW_MICROS = 30_000_000;

/** Rows by the end of their window, then by customer. `clock`: "event" puts the transactions into windows by created_at. */
export function metrics(
  messages: Iterable<Message>,
  profile: Profile,
  clock: "arrival" | "event" = "arrival",
): { rows: OutputRow[]; counters: Counters } {
  const windows = new Map<string, Transaction[]>();
  const counters = intake(messages, profile, (transaction) => transaction.customer !== null, {
    transaction(now) {
      const at = clock === "event" ? now.created : now.clock;
      const key = JSON.stringify([Math.floor(at / WINDOW_MICROS), now.customer]);
      const window = windows.get(key);
      if (window) window.push(now);
      else windows.set(key, [now]);
    },
  });
  const ordered = [...windows].map(([key, rows]) => ({ key: JSON.parse(key) as [number, string], rows }))
    .sort((a, b) => a.key[0] - b.key[0] || (a.key[1] < b.key[1] ? -1 : 1));
  return { rows: ordered.map(({ key, rows }) => output(key[0] * WINDOW_MICROS, rows, profile)), counters };
}

function countsOf(values: readonly (string | null)[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
function mostFrequent(counts: ReadonlyMap<string, number>, profile: Profile): string {
  const most = Math.max(...counts.values());
  const order = profile === "AS-RUN" ? javaOrder([...counts.keys()]) : [...counts.keys()].sort();
  return order.find((key) => counts.get(key) === most) ?? "unknown";
}
const least = (values: readonly bigint[]): bigint => values.reduce((a, b) => a < b ? a : b);
const greatest = (values: readonly bigint[]): bigint => values.reduce((a, b) => a > b ? a : b);

function output(start: number, rows: readonly Transaction[], profile: Profile): OutputRow {
  const amounts = rows.map(({ amount }) => amount);
  const total = sum(amounts);
  const count = rows.length;
  const average = halfUp(total, BigInt(count));
  const types = countsOf(rows.map(({ type }) => type));
  const countries = countsOf(rows.map(({ place }) => place?.country ?? null));
  const devices = countsOf(rows.map(({ device }) => device));
  const last = rows.reduce((a, b) => b.created > a.created ? b : a);
  const points = (total > 10000000n ? 25 : 0) + (count > 50 ? 15 : 0) + (greatest(amounts) > 1000000n ? 20 : 0) +
    (average > 500000n ? 15 : 0);
  const row = {
    customerId: rows[0].customer,
    eventTime: timeText(start + WINDOW_MICROS),
    totalAmount: amountText(total),
    transactionCount: count,
    averageAmount: amountText(average),
    minAmount: amountText(least(amounts)),
    maxAmount: amountText(greatest(amounts)),
    preferredTransactionType: mostFrequent(types, profile),
    preferredLocation: mostFrequent(countries, profile),
    preferredDevice: mostFrequent(devices, profile),
    transactionVelocity: count * 120,
    riskScore: Math.min(100, points),
    transactionTypeCounts: Object.fromEntries(types),
    locationCounts: Object.fromEntries(countries),
    deviceCounts: Object.fromEntries(devices),
    recentTransactionCount: count,
    lastTransactionAmount: amountText(last.amount),
    lastTransactionType: last.type,
  };
  return profile === "EXT" ? { ...row, ...extra(start, rows) } : row;
}

function extra(start: number, rows: readonly Transaction[]): OutputRow {
  const count = rows.length;
  const atMerchants = rows.filter(({ merchant }) => merchant !== null);
  const merchants = new Set(atMerchants.map(({ merchant }) => merchant)).size;
  const having = (status: string): number => rows.filter((row) => row.status === status).length;
  const risks = rows.map(({ risk }) => risk).filter((risk) => risk !== null);
  const times = rows.map(({ created }) => created);
  const days = dayNumber(Math.max(...times)) - dayNumber(Math.min(...times));
  const total = sum(rows.map(({ amount }) => amount));
  return {
    windowStart: timeText(start),
    windowEnd: timeText(start + WINDOW_MICROS),
    uniqueMerchants: merchants,
    distinctTransactionTypes: new Set(rows.map(({ type }) => type)).size,
    completedTransactions: having("completed"),
    failedTransactions: having("failed"),
    pendingTransactions: having("pending"),
    successRate: having("completed") / count,
    averageTransactionRisk: risks.length === 0 ? null : asDouble(sum(risks)) / risks.length,
    firstTransactionTime: timeText(Math.min(...times)),
    lastTransactionTime: timeText(Math.max(...times)),
    totalFees: amountText(sum(rows.map(({ fee }) => fee))),
    daysActive: days,
    transactionsPerDay: count / Math.max(days, 1),
    averageMerchantValue: merchants === 0 ? null : amountText(halfUp(sum(atMerchants.map(({ amount }) => amount)), BigInt(merchants))),
    customerValueTier: total >= 1000000n ? "High Value" : total >= 100000n ? "Medium Value" : "Low Value",
  };
}
