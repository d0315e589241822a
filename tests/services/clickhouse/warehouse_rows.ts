/** Made results of the four processors, from one number: what the warehouse's views are asked about. Imports nothing of the product. */

export interface Alert {
  readonly transactionId: string;
  readonly customerId: string;
  readonly fraudTypes: readonly string[];
  readonly riskScore: number;
  /** µs since 1970, as all times here. */
  readonly detectionTime: number;
  readonly isFraudulent: boolean;
  readonly severity: string;
  readonly recommendation: string;
}
export interface MerchantRow {
  readonly merchantId: string;
  readonly transactionCount: number;
  /** Cents. */
  readonly total: number;
  readonly eventTime: number;
  readonly performanceLevel: string;
  readonly riskLevel: string;
  readonly merchantName: string | null;
  readonly businessType: string | null;
  readonly mccCode: string | null;
  readonly country: string;
  readonly isActive: boolean;
}
export interface LifecycleRow {
  readonly customerId: string;
  readonly eventType: string;
  readonly currentTier: string;
  readonly currentKycStatus: string;
  readonly eventTime: number;
  readonly tierChangeCount: number;
  readonly isUpgrade: boolean;
  readonly isDowngrade: boolean;
  readonly kycCompleted: boolean;
  readonly riskScore: number;
  readonly previousTier: string;
}
export interface MetricsRow {
  readonly customerId: string;
  readonly eventTime: number;
  /** Cents. */
  readonly total: number;
  readonly transactionCount: number;
  readonly preferredTransactionType: string;
  readonly riskScore: number;
  readonly locationCounts: ReadonlyMap<string, number>;
  readonly deviceCounts: ReadonlyMap<string, number>;
}
/** In the order of their arrival; rows of one epoch have one eventTime. */
export interface WarehouseRows {
  readonly alerts: readonly (readonly Alert[])[];
  readonly merchants: readonly (readonly MerchantRow[])[];
  readonly lifecycle: readonly (readonly LifecycleRow[])[];
  readonly metrics: readonly (readonly MetricsRow[])[];
}

const EPOCHS = 26;
const EPOCH_ROWS = 30;
const HOUR = 3_600_000_000;
/** 2025-01-14T20:00Z: pairs of epochs with one recorded time lie fifteen hours apart and reach over more than a week. */
const START = 1_736_884_800_000_000;
const TYPES = ["HIGH_AMOUNT", "DAILY_LIMIT_EXCEEDED", "FREQUENT_TRANSACTIONS", "RAPID_TRANSACTIONS", "UNUSUAL_PATTERN"];
const TIERS = ["basic", "standard", "premium", "vip"];
const KINDS = ["card_payment", "deposit", "wire_transfer"];
const COUNTRIES = ["US", "PE", "JP", "UNKNOWN"];

/** Linear congruence: enough for test data, and the same everywhere. */
class Draws {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  below(count: number): number {
    this.#state = (Math.imul(this.#state, 1_103_515_245) + 12_345) >>> 0;
    return (this.#state >>> 8) % count;
  }
  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }
}

export function makeRows(seed: number): WarehouseRows {
  const draws = new Draws(seed);
  const alerts: Alert[][] = [], merchants: MerchantRow[][] = [], lifecycle: LifecycleRow[][] = [], metrics: MetricsRow[][] = [];
  const totals = new Map<string, { count: number; total: number }>();
  const customers = new Map<string, { tier: number; kyc: string; changes: number }>();
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const time = START + Math.floor(epoch / 2) * 15 * HOUR + 123_456;
    const each = <T>(make: (row: number) => T): T[] => Array.from({ length: EPOCH_ROWS }, (_, row) => make(row));
    alerts.push(each((row) => alertOf(draws, epoch, row, time)));
    merchants.push(each(() => merchantOf(draws, totals, time)));
    lifecycle.push(each(() => lifecycleOf(draws, customers, time)));
    metrics.push(each(() => metricsOf(draws, time)));
  }
  return { alerts, merchants, lifecycle, metrics };
}

function alertOf(draws: Draws, epoch: number, row: number, time: number): Alert {
  const fraudTypes = TYPES.filter(() => draws.below(3) === 0);
  if (fraudTypes.length === 0) fraudTypes.push(TYPES[0]);
  const riskScore = 40 + 5 * draws.below(30);
  return {
    transactionId: `t${epoch}-${row}`,
    customerId: `c${draws.below(25)}`,
    fraudTypes,
    riskScore,
    detectionTime: time - draws.below(24) * HOUR,
    isFraudulent: riskScore > 50,
    severity: riskScore >= 80 ? "CRITICAL" : riskScore >= 60 ? "HIGH" : riskScore >= 40 ? "MEDIUM" : "LOW",
    recommendation: "MONITOR_CLOSELY",
  };
}

function merchantOf(draws: Draws, totals: Map<string, { count: number; total: number }>, eventTime: number): MerchantRow {
  const number = draws.below(12);
  const merchantId = `m${number}`;
  const state = totals.get(merchantId) ?? { count: 0, total: 0 };
  totals.set(merchantId, state);
  state.count++;
  state.total += 1 + draws.below(5_000_00);
  // Number 11 never becomes known; number 10 has no code.
  const isKnown = number !== 11;
  return {
    merchantId,
    transactionCount: state.count,
    total: state.total,
    eventTime,
    performanceLevel: state.count > 65 && state.total > 10_000_00 ? "HIGH_PERFORMANCE" : "MINIMAL_ACTIVITY",
    riskLevel: state.total > 2_500_00 * state.count ? "MEDIUM_RISK" : "LOW_RISK",
    merchantName: isKnown ? `Shop ${number}` : null,
    businessType: isKnown ? (number % 3 === 0 ? "Hotel" : "Airline") : null,
    mccCode: isKnown && number !== 10 ? String(5000 + (number % 4)) : null,
    country: isKnown ? COUNTRIES[number % 3] : "UNKNOWN",
    isActive: isKnown,
  };
}

function lifecycleOf(
  draws: Draws,
  customers: Map<string, { tier: number; kyc: string; changes: number }>,
  eventTime: number,
): LifecycleRow {
  const customerId = `c${draws.below(30)}`;
  const state = customers.get(customerId) ?? { tier: 0, kyc: "pending", changes: 0 };
  customers.set(customerId, state);
  const previous = state.tier;
  state.tier = Math.max(0, Math.min(3, previous + draws.of([-1, 0, 0, 0, 1])));
  const isUpgrade = state.tier > previous, isDowngrade = state.tier < previous;
  if (isUpgrade || isDowngrade) state.changes++;
  const kycCompleted = state.kyc === "pending" && draws.below(20) === 0;
  if (kycCompleted) state.kyc = "completed";
  return {
    customerId,
    eventType: kycCompleted ? "KYC_COMPLETED" : isUpgrade ? "TIER_UPGRADE" : isDowngrade ? "TIER_DOWNGRADE" : "TRANSACTION_UPDATE",
    currentTier: TIERS[state.tier],
    currentKycStatus: state.kyc,
    eventTime,
    tierChangeCount: state.changes,
    isUpgrade,
    isDowngrade,
    kycCompleted,
    riskScore: draws.below(6_000) / 100,
    previousTier: TIERS[previous],
  };
}

function metricsOf(draws: Draws, eventTime: number): MetricsRow {
  const transactionCount = 1 + draws.below(5);
  const locationCounts = new Map<string, number>(), deviceCounts = new Map<string, number>();
  for (let transaction = 0; transaction < transactionCount; transaction++) {
    for (const [counts, name] of [[locationCounts, draws.of(COUNTRIES)], [deviceCounts, `d${draws.below(40)}`]] as const) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return {
    customerId: `c${draws.below(20)}`,
    eventTime,
    total: transactionCount * (100 + draws.below(90_000)),
    transactionCount,
    preferredTransactionType: draws.of(KINDS),
    riskScore: 5 * draws.below(15),
    locationCounts,
    deviceCounts,
  };
}
