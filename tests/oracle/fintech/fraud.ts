/** Section 3.4: ten rules with points over what is remembered of a customer. */
import {
  amountText,
  asDouble,
  DAY_MICROS,
  halfUp,
  HOUR_MICROS,
  hourNumber,
  hourOfDay,
  sum,
  timeText,
  wholeMilliseconds,
} from "./amounts.ts";
import { type Counters, intake } from "./intake.ts";
import { type Account, type Message, type OutputRow, type Profile, readAccount, type Transaction } from "./rows.ts";

export const FRAUD_TYPES = [
  "HIGH_AMOUNT",
  "DAILY_LIMIT_EXCEEDED",
  "FREQUENT_TRANSACTIONS",
  "MULTIPLE_LOCATIONS",
  "MULTIPLE_DEVICES",
  "RAPID_TRANSACTIONS",
  "UNUSUAL_PATTERN",
  "FROZEN_ACCOUNT",
  "INACTIVE_ACCOUNT",
  "EXCESSIVE_AMOUNT",
] as const;
export type FraudType = (typeof FRAUD_TYPES)[number];
const POINTS: Readonly<Record<FraudType, number>> = {
  HIGH_AMOUNT: 30,
  DAILY_LIMIT_EXCEEDED: 40,
  FREQUENT_TRANSACTIONS: 25,
  MULTIPLE_LOCATIONS: 20,
  MULTIPLE_DEVICES: 15,
  RAPID_TRANSACTIONS: 35,
  UNUSUAL_PATTERN: 20,
  FROZEN_ACCOUNT: 50,
  INACTIVE_ACCOUNT: 30,
  EXCESSIVE_AMOUNT: 25,
};
const MINUTE_MICROS = 60_000_000;
/** How long an entry is kept behind the customer's greatest time, beyond the day that the rules look at. */
const LATENESS_MICROS = 25 * HOUR_MICROS;

export interface FraudOptions {
  readonly threshold?: number;
  readonly alwaysAlert?: readonly string[];
  /** EXT: the amount above which modelScore counts one transaction as beyond the day's limit, in hundredths. */
  readonly dailyLimit?: bigint;
}
/** What a transaction that is screened came to, alert or not. */
export interface Evaluation {
  readonly transaction: string;
  readonly types: readonly FraudType[];
  readonly points: number;
}

interface Entry<T> {
  readonly at: number;
  readonly value: T;
}
interface State {
  recent: Transaction[];
  /** AS-RUN: pruned by each transaction's own time. */
  amounts: Entry<bigint>[];
  countries: Entry<string>[];
  devices: Entry<string>[];
  previous: number | null;
  /** FIXED: pruned by the greatest time. */
  day: Transaction[];
  greatest: number;
}

export function fraud(
  messages: Iterable<Message>,
  profile: Profile,
  options: FraudOptions = {},
): { rows: OutputRow[]; evaluations: Evaluation[]; scores: OutputRow[]; counters: Counters } {
  const { threshold = profile === "AS-RUN" ? 100 : 50, alwaysAlert = [], dailyLimit = 5000000n } = options;
  const accounts = new Map<string, Account>();
  const states = new Map<string, State>();
  const rows: OutputRow[] = [];
  const scores: OutputRow[] = [];
  const evaluations: Evaluation[] = [];
  const counters = intake(messages, profile, (transaction) => transaction.customer !== null, {
    transaction(transaction) {
      if (transaction.from === null) return;
      const account = accounts.get(transaction.from) ?? null;
      if (profile === "AS-RUN" && account === null) return;
      let state = states.get(transaction.customer!);
      if (state === undefined) {
        state = { recent: [], amounts: [], countries: [], devices: [], previous: null, day: [], greatest: -Infinity };
        states.set(transaction.customer!, state);
      }
      const now = profile === "AS-RUN" ? { ...transaction, created: wholeMilliseconds(transaction.created) } : transaction;
      const holds = profile === "AS-RUN" ? asRun(state, now, account!) : fixed(state, now, account);
      const types = FRAUD_TYPES.filter((type) => holds[type]);
      const points = types.reduce((total, type) => total + POINTS[type], 0);
      evaluations.push({ transaction: now.id, types, points });
      const row = output(now, types, points, profile);
      const whole = profile === "EXT" ? { ...row, ...extra(state, now, account, types, dailyLimit) } : row;
      scores.push(whole);
      if (points > threshold || types.some((type) => alwaysAlert.includes(type))) rows.push(whole);
    },
    reference(table, fields, deleted) {
      if (table !== "accounts") return;
      const account = readAccount(fields);
      if (deleted) accounts.delete(account.id);
      else accounts.set(account.id, account);
    },
  });
  return { rows, evaluations, scores, counters };
}

type Holds = Readonly<Record<FraudType, boolean>>;

function unusual(recent: readonly Transaction[], { created, amount }: Transaction): boolean {
  const mean = halfUp(sum(recent.map((other) => other.amount)), BigInt(recent.length));
  return recent.length >= 5 && (hourOfDay(created) < 6 || hourOfDay(created) > 22 || amount > 3n * mean);
}
const distinct = (values: readonly (string | null)[]): number => new Set(values.filter((value) => value !== null)).size;

function asRun(state: State, now: Transaction, account: Account): Holds {
  const cutoff = now.created - DAY_MICROS;
  const pruned = <T>(entries: Entry<T>[], value: T | null): Entry<T>[] =>
    value === null ? entries : [...entries, { at: now.created, value }].filter(({ at }) => at >= cutoff);
  const within = <T>(entries: readonly Entry<T>[]): T[] => entries.filter(({ at }) => at >= cutoff).map(({ value }) => value);
  state.recent = [...state.recent, now].slice(-100);
  state.countries = pruned(state.countries, now.place?.country ?? null);
  state.devices = pruned(state.devices, now.device);
  state.amounts = pruned(state.amounts, now.amount);
  const since = now.created - (state.previous ?? now.created);
  state.previous = now.created;
  return {
    HIGH_AMOUNT: now.amount > 1000000n,
    DAILY_LIMIT_EXCEEDED: sum(within(state.amounts)) > 5000000n,
    FREQUENT_TRANSACTIONS: state.recent.filter(({ created }) => created > now.created - HOUR_MICROS).length > 10,
    MULTIPLE_LOCATIONS: distinct(within(state.countries)) > 5,
    MULTIPLE_DEVICES: distinct(within(state.devices)) > 3,
    RAPID_TRANSACTIONS: since < MINUTE_MICROS,
    UNUSUAL_PATTERN: unusual(state.recent, now),
    FROZEN_ACCOUNT: false,
    INACTIVE_ACCOUNT: true,
    EXCESSIVE_AMOUNT: account.minimum !== null && now.amount > 10n * account.minimum,
  };
}

function fixed(state: State, now: Transaction, account: Account | null): Holds {
  state.recent = [...state.recent, now].slice(-100);
  state.greatest = Math.max(state.greatest, now.created);
  state.day = [...state.day, now].filter(({ created }) => created >= state.greatest - DAY_MICROS - LATENESS_MICROS);
  const today = state.day.filter(({ created }) => created >= now.created - DAY_MICROS && created <= now.created);
  const hour = state.recent.filter(({ created }) => created > now.created - HOUR_MICROS && created <= now.created);
  return {
    HIGH_AMOUNT: now.amount > 1000000n,
    DAILY_LIMIT_EXCEEDED: sum(today.map(({ amount }) => amount)) > 5000000n,
    FREQUENT_TRANSACTIONS: hour.length > 10,
    MULTIPLE_LOCATIONS: distinct(today.map(({ place }) => place?.country ?? null)) > 5,
    MULTIPLE_DEVICES: distinct(today.map(({ device }) => device)) > 3,
    RAPID_TRANSACTIONS: state.recent.some(({ id, created }) =>
      id !== now.id && created <= now.created && now.created - created < MINUTE_MICROS
    ),
    UNUSUAL_PATTERN: unusual(state.recent, now),
    FROZEN_ACCOUNT: account?.frozen ?? false,
    INACTIVE_ACCOUNT: !(account?.active ?? true),
    EXCESSIVE_AMOUNT: account?.minimum != null && account.minimum > 0n && now.amount > 10n * account.minimum,
  };
}

function output(now: Transaction, types: readonly FraudType[], points: number, profile: Profile): OutputRow {
  const band = points >= 80 ? 3 : points >= 60 ? 2 : points >= 40 ? 1 : 0;
  return {
    transactionId: now.id,
    customerId: now.customer,
    fraudTypes: types,
    riskScore: points,
    detectionTime: timeText(now.created),
    alertType: "FRAUD_DETECTED",
    fraudDetails: {
      fraudTypes: types,
      riskScore: points,
      transactionAmount: amountText(now.amount),
      transactionType: now.type,
      location: now.place,
      deviceFingerprint: now.device,
      timestamp: timeText(now.created),
    },
    ...(profile === "AS-RUN" ? { fraudulent: points > 50 } : { isFraudulent: points > 50 }),
    severity: ["LOW", "MEDIUM", "HIGH", "CRITICAL"][band],
    recommendation: ["CONTINUE_MONITORING", "MONITOR_CLOSELY", "REQUIRE_ADDITIONAL_VERIFICATION", "BLOCK_TRANSACTION"][band],
  };
}

function extra(state: State, now: Transaction, account: Account | null, types: readonly FraudType[], dailyLimit: bigint): OutputRow {
  const balance = account?.balance ?? 0n;
  const inHour = state.day.filter(({ created }) => hourNumber(created) === hourNumber(now.created));
  const hourAmount = sum(inHour.map(({ amount }) => amount));
  const today = state.day.filter(({ created }) => created >= now.created - DAY_MICROS && created <= now.created);
  const countries = distinct(today.map(({ place }) => place?.country ?? null));
  const cities = distinct(today.map(({ place }) => place?.city ?? null));
  // In hundred-thousandths: 0.4 × risk / 100 has five decimals at most.
  const score = 4n * (now.risk ?? 0n) + (now.amount >= 100000n ? 30000n : 0n) + (balance > 0n && 2n * now.amount >= balance ? 20000n : 0n) +
    (now.amount > dailyLimit ? 10000n : 0n);
  return {
    accountKnown: account !== null,
    ruleScores: Object.fromEntries(types.map((type) => [type, POINTS[type]])),
    transactionAmount: amountText(now.amount),
    transactionType: now.type,
    processedTime: timeText(now.clock),
    amountToBalanceRatio: balance > 0n ? asDouble(now.amount) / asDouble(balance) : null,
    modelScore: Number(score) / 100000,
    modelFraudulent: score >= 60000n,
    hourTransactionCount: inHour.length,
    hourAmount: amountText(hourAmount),
    isVelocityAnomaly: inHour.length >= 10 || hourAmount >= 500000n,
    distinctCountries24h: countries,
    distinctCities24h: cities,
    isGeoAnomaly: countries >= 3 || cities >= 10,
  };
}
