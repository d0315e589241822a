/**
 * What every view of config/fintech/warehouse must show, computed from the rows by loops: written from the words of the specification
 * and the views' own comments, not from their SQL. Imports nothing of the product.
 */
import type { Alert, LifecycleRow, MerchantRow, MetricsRow, WarehouseRows } from "./warehouse_rows.ts";

export type ViewRow = Readonly<Record<string, unknown>>;

const DAY = 86_400_000_000;
const HOUR = 3_600_000_000;
export const dateOf = (micros: number): string => new Date(Math.floor(micros / DAY) * DAY / 1000).toISOString().slice(0, 10);
const hourOf = (micros: number): string => new Date(Math.floor(micros / HOUR) * HOUR / 1000).toISOString().slice(0, 19).replace("T", " ");
const cents = (total: number): number => total / 100;
const sum = <T>(rows: readonly T[], of: (row: T) => number): number => rows.reduce((total, row) => total + of(row), 0);
const mean = <T>(rows: readonly T[], of: (row: T) => number): number => sum(rows, of) / rows.length;
const distinct = <T>(rows: readonly T[], of: (row: T) => unknown): number => new Set(rows.map(of)).size;
const count = <T>(rows: readonly T[], that: (row: T) => boolean): number => rows.filter(that).length;
const greatest = <T>(rows: readonly T[], of: (row: T) => number): number => rows.reduce((most, row) => Math.max(most, of(row)), -Infinity);
const risk = (row: { readonly riskScore: number }): number => row.riskScore;

function groups<T>(rows: readonly T[], key: (row: T) => string): [string, T[]][] {
  const found = new Map<string, T[]>();
  for (const row of rows) {
    const group = found.get(key(row));
    if (group) group.push(row);
    else found.set(key(row), [row]);
  }
  return [...found];
}
/** Rows of the newest seven days among them. */
function lastWeek<T>(rows: readonly T[], time: (row: T) => number): T[] {
  const newestDay = Math.floor(greatest(rows, time) / DAY);
  return rows.filter((row) => Math.floor(time(row) / DAY) > newestDay - 7);
}
/** Of each entity the row that came last. */
function newest<T>(rows: readonly T[], key: (row: T) => string): T[] {
  return groups(rows, key).map(([, group]) => group[group.length - 1]);
}
const byText = (a: unknown, b: unknown): number => String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
/** Sorted by columns; "-x" is descending. */
function sorted(rows: ViewRow[], ...columns: string[]): ViewRow[] {
  return rows.toSorted((a, b) => {
    for (const column of columns) {
      const [name, sign] = column.startsWith("-") ? [column.slice(1), -1] : [column, 1];
      const [x, y] = [a[name], b[name]];
      const order = typeof x === "number" && typeof y === "number" ? x - y : byText(x, y);
      if (order !== 0) return sign * order;
    }
    return 0;
  });
}

/** By the name of the view; rows in the view's own order where it has one. */
export function modelOf(rows: WarehouseRows): ReadonlyMap<string, ViewRow[]> {
  const alerts = rows.alerts.flat(), merchants = rows.merchants.flat(), lifecycle = rows.lifecycle.flat(), metrics = rows.metrics.flat();
  return new Map([...alertViews(alerts), ...merchantViews(merchants), ...customerViews(lifecycle), ...metricsViews(metrics)]);
}

function alertViews(alerts: readonly Alert[]): [string, ViewRow[]][] {
  const date = (alert: Alert) => dateOf(alert.detectionTime);
  const newestTime = greatest(alerts, (alert) => alert.detectionTime);
  const day = alerts.filter((alert) => date(alert) === dateOf(newestTime));
  const severities = (group: readonly Alert[]) => ({
    critical: count(group, ({ severity }) => severity === "CRITICAL"),
    high: count(group, ({ severity }) => severity === "HIGH"),
    medium: count(group, ({ severity }) => severity === "MEDIUM"),
    low: count(group, ({ severity }) => severity === "LOW"),
  });
  const basics = (group: readonly Alert[]) => ({
    alerts: group.length,
    mean_risk_score: mean(group, risk),
    customers: distinct(group, ({ customerId }) => customerId),
  });
  const transactions = (group: readonly Alert[]) => distinct(group, ({ transactionId }) => transactionId);
  const critical = (group: readonly Alert[]) => ({ critical: severities(group).critical });
  const overview = { date: dateOf(newestTime), ...basics(day), ...severities(day) };
  const typed = day.flatMap((alert) => alert.fraudTypes.map((fraudType) => ({ ...alert, fraudType })));
  const twoDays = alerts.filter(({ detectionTime }) => Math.floor(detectionTime / DAY) > Math.floor(newestTime / DAY) - 2);
  return [
    [
      "fraud_alerts_summary",
      groups(alerts, (alert) => `${date(alert)} ${alert.severity}`).map(([key, group]) => ({
        date: key.split(" ")[0],
        severity: key.split(" ")[1],
        ...basics(group),
        risk_score_sum: sum(group, risk),
        transactions: transactions(group),
      })),
    ],
    ["fraud_security_dashboard", [overview]],
    ["fraud_alerts_overview", [{ ...overview, transactions: transactions(day), max_risk_score: greatest(day, risk) }]],
    [
      "fraud_alerts_by_severity",
      sorted(
        groups(day, ({ severity }) => severity).map(([severity, group]) => ({
          severity,
          ...basics(group),
          transactions: transactions(group),
          percentage: 100 * group.length / day.length,
        })),
        "-alerts",
        "severity",
      ),
    ],
    [
      "fraud_types_distribution",
      sorted(
        groups(typed, ({ fraudType }) => fraudType).map(([fraudType, group]) => ({
          fraudType,
          ...basics(group),
          percentage: 100 * group.length / day.length,
        })),
        "-alerts",
        "fraudType",
      ),
    ],
    [
      "high_risk_transactions",
      sorted(
        day.filter(({ severity }) => severity === "CRITICAL" || severity === "HIGH").map((alert) => ({
          transactionId: alert.transactionId,
          customerId: alert.customerId,
          fraudTypes: alert.fraudTypes,
          riskScore: alert.riskScore,
          severity: alert.severity,
          recommendation: alert.recommendation,
          at: alert.detectionTime,
        })),
        "-riskScore",
        "-at",
        "transactionId",
      ).slice(0, 50).map(({ at: _, ...row }) => row),
    ],
    [
      "fraud_alerts_timeline",
      sorted(
        groups(twoDays, (alert) => hourOf(alert.detectionTime)).map(([time, group]) => ({ time, ...basics(group), ...critical(group) })),
        "time",
      ),
    ],
    [
      "top_affected_customers",
      sorted(
        groups(day, ({ customerId }) => customerId).map(([customerId, group]) => ({
          customerId,
          alerts: group.length,
          mean_risk_score: mean(group, risk),
          max_risk_score: greatest(group, risk),
          transactions: transactions(group),
          severities: [...new Set(group.map(({ severity }) => severity))].sort(),
        })),
        "-alerts",
        "-max_risk_score",
        "customerId",
      ).slice(0, 20),
    ],
    [
      "realtime_fraud_monitoring",
      groups(alerts.filter((alert) => hourOf(alert.detectionTime) === hourOf(newestTime)), (alert) => hourOf(alert.detectionTime))
        .map(([time, group]) => ({ time, ...basics(group), ...critical(group) })),
    ],
    [
      "fraud_alerts_trend",
      sorted(
        groups(lastWeek(alerts, ({ detectionTime }) => detectionTime), date).map(([day, group]) => ({
          date: day,
          ...basics(group),
          ...critical(group),
        })),
        "date",
      ),
    ],
  ];
}

function merchantViews(events: readonly MerchantRow[]): [string, ViewRow[]][] {
  const shown = events.map((row) => ({
    ...row,
    merchantName: row.merchantName ?? "UNKNOWN",
    businessType: row.businessType ?? "UNKNOWN",
    mccCode: row.mccCode ?? "",
  }));
  type Shown = typeof shown[number];
  const now = newest(shown, ({ merchantId }) => merchantId);
  const money = (group: readonly Shown[]) => {
    const [revenue, transactions] = [sum(group, ({ total }) => total), sum(group, (row) => row.transactionCount)];
    return { merchants: group.length, revenue: cents(revenue), transactions, mean_amount: cents(revenue) / transactions };
  };
  const high = (group: readonly Shown[]) => count(group, ({ performanceLevel }) => performanceLevel === "HIGH_PERFORMANCE");
  const figures = (group: readonly Shown[]) => ({
    ...money(group),
    high_performance_merchants: high(group),
    high_performance_percentage: 100 * high(group) / group.length,
  });
  const by = (names: readonly (keyof Shown)[], of: (group: readonly Shown[]) => ViewRow): ViewRow[] =>
    groups(now, (row) => names.map((name) => row[name]).join("|")).map(([, group]) => ({
      ...Object.fromEntries(names.map((name) => [name, group[0][name]])),
      ...of(group),
    }));
  const days = merchantDays(shown);
  const dates = [...new Set(lastWeek(shown, ({ eventTime }) => eventTime).map(({ eventTime }) => dateOf(eventTime)))].sort();
  const newestHour = hourOf(greatest(shown, ({ eventTime }) => eventTime));
  const before = newest(shown.filter((row) => hourOf(row.eventTime) < newestHour), ({ merchantId }) => merchantId);
  const gained = sum(now, ({ total }) => total) - sum(before, ({ total }) => total);
  const more = sum(now, (row) => row.transactionCount) - sum(before, (row) => row.transactionCount);
  const inHour = distinct(shown.filter((row) => hourOf(row.eventTime) === newestHour), ({ merchantId }) => merchantId);
  const sums = (group: readonly MerchantDay[]) => {
    const [revenue, transactions] = [sum(group, (row) => row.gained), sum(group, (row) => row.more)];
    return { revenue: cents(revenue), transactions, mean_amount: cents(revenue) / transactions };
  };
  return [
    [
      "merchant_performance_summary",
      groups(days, ({ date, row }) => `${date}|${row.country}|${row.businessType}`).map(([, group]) => ({
        date: group[0].date,
        country: group[0].row.country,
        businessType: group[0].row.businessType,
        ...sums(group),
        revenue_to_date: cents(sum(group, ({ row }) => row.total)),
        merchants: group.length,
        high_performance_merchants: count(group, ({ row }) => row.performanceLevel === "HIGH_PERFORMANCE"),
      })),
    ],
    ["merchant_performance_dashboard", sorted(by(["country", "businessType"], figures), "-revenue", "country", "businessType")],
    ["merchant_performance_overview", [figures(now)]],
    [
      "top_performing_merchants",
      sorted(
        now.map((row) => ({
          merchantId: row.merchantId,
          merchantName: row.merchantName,
          businessType: row.businessType,
          country: row.country,
          revenue: cents(row.total),
          transactions: row.transactionCount,
          averageAmount: Math.floor((2 * row.total + row.transactionCount) / (2 * row.transactionCount)) / 100,
          performanceLevel: row.performanceLevel,
          riskLevel: row.riskLevel,
        })),
        "-revenue",
        "merchantId",
      ).slice(0, 20),
    ],
    ["merchant_performance_by_country", sorted(by(["country"], figures), "-revenue", "country")],
    ["business_type_performance", sorted(by(["businessType"], figures), "-revenue", "businessType")],
    [
      "merchant_risk_analysis",
      sorted(
        by(["riskLevel"], (group) => ({
          merchants: group.length,
          mean_revenue: cents(sum(group, ({ total }) => total)) / group.length,
          mean_transactions: mean(group, (row) => row.transactionCount),
          mean_amount: money(group).mean_amount,
          percentage: 100 * group.length / now.length,
        })),
        "-merchants",
        "riskLevel",
      ),
    ],
    ["mcc_code_performance", sorted(by(["mccCode", "businessType"], money), "-revenue", "mccCode", "businessType").slice(0, 20)],
    ["realtime_merchant_monitoring", [{
      time: newestHour,
      merchants: inHour,
      revenue: cents(gained),
      transactions_in_hour: more,
      mean_amount: cents(gained) / more,
    }]],
    [
      "merchant_performance_trend",
      dates.map((date) => {
        const group = days.filter((day) => day.date === date);
        return { date, merchants: group.length, ...sums(group) };
      }),
    ],
  ];
}

interface MerchantDay {
  readonly date: string;
  /** The last of the day. */
  readonly row: MerchantRow;
  /** What its totals have more than on the day before. */
  readonly gained: number;
  readonly more: number;
}
function merchantDays(events: readonly MerchantRow[]): MerchantDay[] {
  const days: MerchantDay[] = [];
  for (const [, ofMerchant] of groups(events, ({ merchantId }) => merchantId)) {
    let total = 0, transactions = 0;
    for (const row of newest(ofMerchant, ({ eventTime }) => dateOf(eventTime))) {
      days.push({ date: dateOf(row.eventTime), row, gained: row.total - total, more: row.transactionCount - transactions });
      total = row.total;
      transactions = row.transactionCount;
    }
  }
  return days;
}

function customerViews(events: readonly LifecycleRow[]): [string, ViewRow[]][] {
  const date = (row: LifecycleRow) => dateOf(row.eventTime);
  const newestTime = greatest(events, ({ eventTime }) => eventTime);
  const day = events.filter((row) => date(row) === dateOf(newestTime));
  const now = newest(events, ({ customerId }) => customerId);
  const changes = (rows: readonly LifecycleRow[]) => ({
    upgrades: count(rows, ({ isUpgrade }) => isUpgrade),
    downgrades: count(rows, ({ isDowngrade }) => isDowngrade),
  });
  const completions = (rows: readonly LifecycleRow[]) => count(rows, ({ kycCompleted }) => kycCompleted);
  const moved = (rows: readonly LifecycleRow[]) => count(rows, ({ isUpgrade, isDowngrade }) => isUpgrade || isDowngrade);
  const basics = (rows: readonly LifecycleRow[]) => ({
    customers: distinct(rows, ({ customerId }) => customerId),
    mean_risk_score: mean(rows, risk),
  });
  /** Today's events of the customers of a group. */
  const today = (group: readonly LifecycleRow[]) => day.filter((row) => group.some(({ customerId }) => customerId === row.customerId));
  const inState = (group: readonly LifecycleRow[]) => ({
    ...basics(group),
    tier_changes: sum(group, ({ tierChangeCount }) => tierChangeCount),
    ...changes(today(group)),
    percentage: 100 * group.length / now.length,
  });
  const tierAndKyc = (rows: readonly LifecycleRow[], of: (group: readonly LifecycleRow[]) => ViewRow): ViewRow[] =>
    groups(rows, (row) => `${row.currentTier}|${row.currentKycStatus}`).map(([, group]) => ({
      currentTier: group[0].currentTier,
      currentKycStatus: group[0].currentKycStatus,
      ...of(group),
    }));
  const hour = events.filter(({ eventTime }) => hourOf(eventTime) === hourOf(newestTime));
  return [
    [
      "customer_lifecycle_summary",
      groups(events, date).flatMap(([day, ofDay]) =>
        tierAndKyc(ofDay, (group) => ({
          date: day,
          ...basics(group),
          events: group.length,
          risk_score_sum: sum(group, risk),
          tier_changes: moved(group),
          ...changes(group),
          kyc_completions: completions(group),
        }))
      ),
    ],
    [
      "customer_analytics_dashboard",
      sorted(
        tierAndKyc(now, (group) => ({ ...inState(group), kyc_completions: completions(today(group)) })),
        "-customers",
        "currentTier",
        "currentKycStatus",
      ),
    ],
    ["customer_analytics_overview", [{
      ...basics(now),
      tier_changes: moved(day),
      ...changes(day),
      kyc_completions: completions(day),
    }]],
    [
      "customer_tier_distribution",
      sorted(
        groups(now, ({ currentTier }) => currentTier).map(([currentTier, group]) => ({ currentTier, ...inState(group) })),
        "-customers",
        "currentTier",
      ),
    ],
    [
      "kyc_status_overview",
      sorted(
        groups(now, ({ currentKycStatus }) => currentKycStatus).map(([currentKycStatus, group]) => ({
          currentKycStatus,
          ...basics(group),
          percentage: 100 * group.length / now.length,
        })),
        "-customers",
        "currentKycStatus",
      ),
    ],
    [
      "customer_lifecycle_events",
      sorted(
        groups(
          day.filter(({ isUpgrade, isDowngrade }) => isUpgrade || isDowngrade),
          (row) => `${row.eventType}|${row.currentTier}|${row.previousTier}`,
        )
          .map(([, group]) => ({
            eventType: group[0].eventType,
            currentTier: group[0].currentTier,
            previousTier: group[0].previousTier,
            events: group.length,
            ...basics(group),
          })),
        "-events",
        "eventType",
        "currentTier",
        "previousTier",
      ),
    ],
    [
      "customer_risk_distribution",
      sorted(
        tierAndKyc(now, (group) => ({
          ...basics(group),
          min_risk_score: -greatest(group, (row) => -row.riskScore),
          max_risk_score: greatest(group, risk),
        })),
        "-mean_risk_score",
        "currentTier",
        "currentKycStatus",
      ),
    ],
    ["realtime_customer_monitoring", [{ time: hourOf(newestTime), ...basics(hour), tier_changes: moved(hour) }]],
    [
      "customer_analytics_trend",
      sorted(
        groups(lastWeek(events, ({ eventTime }) => eventTime), date).map(([day, group]) => ({
          date: day,
          ...basics(group),
          ...changes(group),
          kyc_completions: completions(group),
        })),
        "date",
      ),
    ],
  ];
}

function metricsViews(windows: readonly MetricsRow[]): [string, ViewRow[]][] {
  const date = (row: MetricsRow) => dateOf(row.eventTime);
  const newestDate = dateOf(greatest(windows, ({ eventTime }) => eventTime));
  const day = windows.filter((row) => date(row) === newestDate);
  const basics = (group: readonly MetricsRow[]) => ({
    windows: group.length,
    customers: distinct(group, ({ customerId }) => customerId),
    mean_risk_score: mean(group, risk),
  });
  const amounts = (group: readonly MetricsRow[]) => {
    const [amount, transactions] = [cents(sum(group, ({ total }) => total)), sum(group, (row) => row.transactionCount)];
    return { amount, transactions, mean_amount: amount / transactions };
  };
  const within = (name: string, of: (row: MetricsRow) => ReadonlyMap<string, number>): ViewRow[] => {
    const parts = day.flatMap((row) => [...of(row)].map(([key, counted]) => ({ ...row, key, counted })));
    const found = groups(parts, ({ key }) => key).map(([key, group]) => ({
      [name]: key,
      ...basics(group),
      transactions: sum(group, ({ counted }) => counted),
    }));
    return sorted(found, "-transactions", name).slice(0, 20);
  };
  return [
    [
      "customer_transaction_summary",
      groups(windows, (row) => `${date(row)}|${row.preferredTransactionType}`).map(([, group]) => ({
        date: date(group[0]),
        preferredTransactionType: group[0].preferredTransactionType,
        ...amounts(group),
        ...basics(group),
        risk_score_sum: sum(group, risk),
      })),
    ],
    [
      "transaction_patterns",
      sorted(
        groups(day, (row) => row.preferredTransactionType).map(([preferredTransactionType, group]) => ({
          preferredTransactionType,
          ...basics(group),
          ...amounts(group),
        })),
        "-transactions",
        "preferredTransactionType",
      ),
    ],
    ["customer_geographic_distribution", within("location", ({ locationCounts }) => locationCounts)],
    ["device_usage_patterns", within("device", ({ deviceCounts }) => deviceCounts)],
  ];
}
