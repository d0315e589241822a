/** What every panel of deploy/grafana/fintech.json must show, computed from the rows by loops. Imports nothing of the product. */
import type { ViewRow } from "./warehouse_model.ts";
import type { WarehouseRows } from "./warehouse_rows.ts";

/** The dashboard's range, seconds since 1970, both included; and what one point of a series covers. */
export interface Range {
  readonly from: number;
  readonly to: number;
  readonly intervalSeconds: number;
}
const WEEK = 7 * 86_400_000_000;
const timeText = (micros: number): string => new Date(Math.floor(micros / 1e6) * 1000).toISOString().slice(0, 19).replace("T", " ");
const microText = (micros: number): string => `${timeText(micros)}.${String(micros % 1e6).padStart(6, "0")}`;

/** Adds up by key; the order is that of first sight. */
function tally<T>(
  rows: readonly T[],
  key: (row: T) => string,
  add: Readonly<Record<string, (row: T) => number>>,
): Record<string, unknown>[] {
  const found = new Map<string, Record<string, number>>();
  for (const row of rows) {
    const sums = found.get(key(row)) ?? Object.fromEntries(Object.keys(add).map((name) => [name, 0]));
    found.set(key(row), sums);
    for (const [name, of] of Object.entries(add)) sums[name] += of(row);
  }
  return [...found].map(([name, sums]) => ({ key: name, ...sums }));
}
const named = (rows: readonly Record<string, unknown>[], name: string): ViewRow[] =>
  rows.map(({ key, ...rest }) => ({ [name]: key, ...rest }));
const order = (rows: readonly ViewRow[], ...columns: readonly string[]): ViewRow[] =>
  rows.toSorted((a, b) => {
    for (const column of columns) {
      const [name, sign] = column[0] === "-" ? [column.slice(1), -1] : [column, 1];
      const [x, y] = [a[name] as string | number, b[name] as string | number];
      if (x !== y) return x < y ? -sign : sign;
    }
    return 0;
  });
const one = () => 1;
const yes = (flag: boolean): number => flag ? 1 : 0;

/** By the title of the panel. */
export function panelsOf(rows: WarehouseRows, { from, to, intervalSeconds }: Range): ReadonlyMap<string, readonly ViewRow[]> {
  const inRange = (micros: number) => micros >= from * 1e6 && micros <= to * 1e6;
  const point = (micros: number) => timeText(Math.floor(micros / 1e6 / intervalSeconds) * intervalSeconds * 1e6);
  const allAlerts = rows.alerts.flat(),
    allMetrics = rows.metrics.flat(),
    allLifecycle = rows.lifecycle.flat(),
    allMerchants = rows.merchants.flat();
  const alerts = allAlerts.filter(({ detectionTime }) => inRange(detectionTime));
  const windows = allMetrics.filter(({ eventTime }) => inRange(eventTime));
  const changes = allLifecycle.filter(({ eventTime }) => inRange(eventTime));
  const merchants = [...new Map(allMerchants.map((row) => [row.merchantId, row])).values()].map((row) => ({
    ...row,
    revenue: row.total / 100,
    businessType: row.businessType ?? "UNKNOWN",
  }));
  const customers = [...new Map(allLifecycle.map((row) => [row.customerId, row])).values()];
  const amounts = {
    transactions: (row: typeof windows[number]) => row.transactionCount,
    cents: (row: typeof windows[number]) => row.total,
  };
  const inDollars = (found: readonly ViewRow[]): ViewRow[] =>
    found.map(({ cents, ...rest }) => ({ ...rest, amount: (cents as number) / 100 }));
  const money = (found: readonly ViewRow[]): ViewRow[] =>
    found.map(({ cents, ...rest }) => ({ ...rest, revenue: (cents as number) / 100 }));
  const merchantsBy = (name: string, key: (row: typeof merchants[number]) => string) =>
    money(named(tally(merchants, key, { cents: ({ total }) => total, merchants: one }), name));
  const severity = (name: string) => (row: typeof alerts[number]) => yes(row.severity === name);
  const week = allMetrics.filter(({ eventTime }) => eventTime > to * 1e6 - WEEK && eventTime <= to * 1e6);
  const band = (score: number) =>
    score < 10 ? "below 10" : score < 20 ? "10 to 20" : score < 30 ? "20 to 30" : score < 50 ? "30 to 50" : "50 and more";
  const newest = (micros: readonly number[]) => microText(micros.reduce((a, b) => Math.max(a, b)));
  const epochs = { alerts: rows.alerts, lifecycle: rows.lifecycle, merchants: rows.merchants, metrics: rows.metrics };
  return new Map<string, readonly ViewRow[]>([
    ["Transactions", [{ transactions: windows.reduce((sum, row) => sum + row.transactionCount, 0) }]],
    ["Revenue", [{ revenue: windows.reduce((sum, row) => sum + row.total, 0) / 100 }]],
    ["Active Fraud Alerts", [{ alerts: alerts.filter(({ isFraudulent }) => isFraudulent).length }]],
    ["Active Customers", [{ customers: new Set(windows.map(({ customerId }) => customerId)).size }]],
    ["Real-time Transaction Volume", order(inDollars(named(tally(windows, ({ eventTime }) => point(eventTime), amounts), "time")), "time")],
    [
      "Transaction Volume by Hour",
      order(inDollars(named(tally(week, ({ eventTime }) => timeText(eventTime).slice(11, 13), amounts), "hour")), "hour"),
    ],
    [
      "Fraud Detection Alerts",
      order(
        named(
          tally(alerts, ({ detectionTime }) => point(detectionTime), {
            critical: severity("CRITICAL"),
            high: severity("HIGH"),
            medium: severity("MEDIUM"),
            low: severity("LOW"),
          }),
          "time",
        ),
        "time",
      ),
    ],
    [
      "Alerts by Fraud Type",
      order(
        named(tally(alerts.flatMap(({ fraudTypes }) => fraudTypes), (type) => type, { alerts: one }), "fraudType"),
        "-alerts",
        "fraudType",
      ),
    ],
    ["Score Histogram", scores(alerts.map(({ riskScore }) => riskScore))],
    [
      "Latest Alerts",
      order(
        alerts.map((row) => ({
          detectionTime: microText(row.detectionTime),
          customerId: row.customerId,
          transactionId: row.transactionId,
          severity: row.severity,
          riskScore: row.riskScore,
          amount: 12.5,
          types: row.fraudTypes.join(", "),
          recommendation: row.recommendation,
        })),
        "-detectionTime",
        "transactionId",
      ).slice(0, 50),
    ],
    [
      "Most Affected Customers",
      order(
        [...new Set(alerts.map(({ customerId }) => customerId))].map((customerId) => {
          const own = alerts.filter((row) => row.customerId === customerId);
          return {
            customerId,
            alerts: own.length,
            highest_score: Math.max(...own.map(({ riskScore }) => riskScore)),
            transactions: new Set(own.map(({ transactionId }) => transactionId)).size,
          };
        }),
        "-alerts",
        "-highest_score",
        "customerId",
      ).slice(0, 20),
    ],
    [
      "Merchants Now",
      order(
        merchants.map((row) => ({
          merchantName: row.merchantName ?? "UNKNOWN",
          businessType: row.businessType,
          country: row.country,
          revenue: row.revenue,
          transactions: row.transactionCount,
          average: Math.floor((2 * row.total + row.transactionCount) / (2 * row.transactionCount)) / 100,
          performanceLevel: row.performanceLevel,
          riskLevel: row.riskLevel,
        })),
        "-revenue",
      ),
    ],
    [
      "Merchant Performance by Business Type",
      order(merchantsBy("businessType", (row) => row.businessType).map(({ merchants: _, ...rest }) => rest), "-revenue", "businessType"),
    ],
    [
      "Merchants by Performance and Risk",
      order(
        merchantsBy("both", (row) => `${row.performanceLevel} ${row.riskLevel}`).map(({ both, ...rest }) => {
          const [performanceLevel, riskLevel] = String(both).split(" ");
          return { performanceLevel, riskLevel, ...rest };
        }),
        "-revenue",
        "performanceLevel",
        "riskLevel",
      ),
    ],
    ["Revenue by Country", order(merchantsBy("country", ({ country }) => country), "-revenue", "country")],
    [
      "Transactions by Type",
      order(
        named(tally(windows, (row) => row.preferredTransactionType, { transactions: (row) => row.transactionCount }), "type"),
        "-transactions",
        "type",
      ),
    ],
    [
      "Customer Lifecycle Distribution",
      order(named(tally(customers, (row) => row.currentTier, { customers: one }), "currentTier"), "-customers", "currentTier"),
    ],
    [
      "Identity Checks",
      order(
        named(tally(customers, (row) => row.currentKycStatus, { customers: one }), "currentKycStatus"),
        "-customers",
        "currentKycStatus",
      ),
    ],
    [
      "Customer Risk Distribution",
      named(tally(customers.toSorted((a, b) => a.riskScore - b.riskScore), ({ riskScore }) => band(riskScore), { customers: one }), "band"),
    ],
    [
      "Risk Quantiles",
      order(
        [...new Set(customers.map((row) => row.currentTier))].map((currentTier) => {
          const own = customers.filter((row) => row.currentTier === currentTier).map(({ riskScore }) => riskScore).toSorted((a, b) =>
            a - b
          );
          return {
            currentTier,
            customers: own.length,
            lowest: own[0],
            median: own[Math.floor(own.length / 2)],
            highest: own[own.length - 1],
          };
        }),
        "-median",
        "currentTier",
      ),
    ],
    [
      "Tier Changes and Completed Checks",
      order(
        named(
          tally(changes, ({ eventTime }) => point(eventTime), {
            upgrades: ({ isUpgrade }) => yes(isUpgrade),
            downgrades: ({ isDowngrade }) => yes(isDowngrade),
            completed_checks: ({ kycCompleted }) => yes(kycCompleted),
          }),
          "time",
        ),
        "time",
      ),
    ],
    [
      "Latest Changes",
      order(
        changes.filter((row) => row.isUpgrade || row.isDowngrade || row.kycCompleted).map((row) => ({
          eventTime: microText(row.eventTime),
          customerId: row.customerId,
          eventType: row.eventType,
          previousTier: row.previousTier,
          currentTier: row.currentTier,
          kycCompleted: row.kycCompleted,
          riskScore: row.riskScore,
          changes: row.tierChangeCount,
        })),
        "-eventTime",
        "customerId",
        "-changes",
        "eventType",
        "riskScore",
      ).slice(0, 50).map(({ changes: _, ...row }) => row),
    ],
    ["Results", [
      { results: "alerts", rows: allAlerts.length, newest_event: newest(allAlerts.map(({ detectionTime }) => detectionTime)) },
      { results: "customers", rows: allLifecycle.length, newest_event: newest(allLifecycle.map(({ eventTime }) => eventTime)) },
      { results: "merchants", rows: allMerchants.length, newest_event: newest(allMerchants.map(({ eventTime }) => eventTime)) },
      { results: "windows", rows: allMetrics.length, newest_event: newest(allMetrics.map(({ eventTime }) => eventTime)) },
    ]],
    [
      "Epochs Delivered",
      Object.entries(epochs).map(([name, delivered]) => ({
        pipeline: `${name}#new`,
        sink: "out",
        lane: 0,
        newest_epoch: delivered.length,
      })),
    ],
  ]);
}

/** In steps of 20 points. */
function scores(all: readonly number[]): ViewRow[] {
  const steps = new Map<number, number>();
  for (const score of all) steps.set(Math.floor(score / 20), (steps.get(Math.floor(score / 20)) ?? 0) + 1);
  return [...steps].toSorted(([a], [b]) => a - b).map(([step, alerts]) => ({ score: `${20 * step} to ${20 * step + 19}`, alerts }));
}
