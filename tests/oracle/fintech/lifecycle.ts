/** Section 3.1: one row per transaction of a customer, with what became of the customer. */
import { amountText, asDouble, DAY_MICROS, halfUp, sum, timeText, wholeMilliseconds } from "./amounts.ts";
import { type Counters, intake } from "./intake.ts";
import {
  type Customer,
  type Message,
  type OutputRow,
  type Profile,
  readCustomer,
  readSession,
  type Session,
  type Transaction,
} from "./rows.ts";

const TIERS = ["basic", "standard", "premium", "vip"];
const tierOf = (average: bigint): string =>
  average >= 500000n ? "vip" : average >= 100000n ? "premium" : average >= 20000n ? "standard" : "basic";

interface State {
  count: number;
  total: bigint;
  readonly last: bigint[];
  tier: string;
  kyc: string;
  channel: string;
  changes: number;
  greatest: number | null;
  risk: bigint | null;
  readonly times: number[];
}
const begin = (): State => ({
  count: 0,
  total: 0n,
  last: [],
  tier: "basic",
  kyc: "pending",
  channel: "unknown",
  changes: 0,
  greatest: null,
  risk: null,
  times: [],
});

export function lifecycle(messages: Iterable<Message>, profile: Profile): { rows: OutputRow[]; counters: Counters } {
  const customers = new Map<string, Customer>();
  const sessions = new Map<string, Session>();
  const states = new Map<string, State>();
  const rows: OutputRow[] = [];
  const counters = intake(messages, profile, (transaction) => transaction.customer !== null, {
    transaction(transaction) {
      const id = transaction.customer!;
      let state = states.get(id);
      if (state === undefined) states.set(id, state = begin());
      rows.push(step(state, transaction, customers.get(id) ?? null, sessions.get(id) ?? null, profile));
    },
    reference(table, fields, deleted) {
      if (table === "customers") {
        const customer = readCustomer(fields);
        if (deleted) customers.delete(customer.id);
        else customers.set(customer.id, customer);
      } else if (table === "customer_sessions") {
        const session = readSession(fields);
        if (session.customer === null) return;
        if (deleted) sessions.delete(session.customer);
        else sessions.set(session.customer, session);
      }
    },
  });
  return { rows, counters };
}

function step(state: State, now: Transaction, customer: Customer | null, session: Session | null, profile: Profile): OutputRow {
  const before = { tier: state.tier, kyc: state.kyc, channel: state.channel, greatest: state.greatest, risk: state.risk };
  state.count++;
  state.total += now.amount;
  state.last.push(now.amount);
  if (state.last.length > 20) state.last.shift();
  const average = halfUp(sum(state.last), BigInt(state.last.length));

  const events: string[] = [];
  const rise = TIERS.indexOf(tierOf(average)) - TIERS.indexOf(state.tier);
  if (rise > 0) events.push("TIER_UPGRADE");
  if (rise < 0) events.push("TIER_DOWNGRADE");
  if (rise !== 0) state.changes++;
  state.tier = tierOf(average);
  const completes = state.kyc === "pending" && state.count > 10 && state.total > 1000000n;
  if (completes) {
    events.push("KYC_COMPLETED");
    state.kyc = "completed";
  }
  if (state.count === 1) events.push("FIRST_TRANSACTION");
  else if (state.count > 50) events.push("HIGH_ACTIVITY_CUSTOMER");
  if (session !== null) {
    if ((session.actions ?? 0) > 20) events.push("HIGH_ENGAGEMENT_SESSION");
    if (session.channel !== null) {
      const differs = profile !== "AS-RUN" && before.channel !== "unknown" && before.channel !== session.channel;
      if (differs) events.push("MULTI_CHANNEL_CUSTOMER");
      state.channel = session.channel;
    }
  }
  const eventType = events.at(-1) ?? "TRANSACTION_UPDATE";
  const risk = customer?.risk ?? 0n;
  const activity = lastActivity(state.times, session, now.created);
  state.times.push(now.created);
  state.greatest = state.greatest === null ? now.created : Math.max(state.greatest, now.created);
  state.risk = risk;
  const common = {
    customerId: now.customer,
    eventType,
    currentTier: state.tier,
    currentKycStatus: state.kyc,
    eventTime: timeText(now.clock),
  };
  if (profile === "AS-RUN") {
    return {
      ...common,
      tierChangeCount: state.count,
      upgrade: rise > 0,
      downgrade: rise < 0,
      kycCompleted: completes,
      riskScore: asDouble(risk),
      timeSinceLastUpdate: 0,
      previousTier: null,
      previousKycStatus: null,
      riskScoreChange: 0,
    };
  }
  const passed = before.greatest === null ? 0 : wholeMilliseconds(now.created) - wholeMilliseconds(before.greatest);
  const fixed = {
    ...common,
    tierChangeCount: state.changes,
    isUpgrade: rise > 0,
    isDowngrade: rise < 0,
    kycCompleted: completes,
    riskScore: asDouble(risk),
    timeSinceLastUpdate: Math.max(0, passed / 1000),
    previousTier: before.tier,
    previousKycStatus: before.kyc,
    riskScoreChange: before.risk === null ? 0 : asDouble(risk - before.risk),
  };
  return profile === "FIXED" ? fixed : { ...fixed, ...extra(state, now, customer, session, { average, events, activity }) };
}

/** The greatest of these times and the session's end that is not after `created`. */
function lastActivity(times: readonly number[], session: Session | null, created: number): number | null {
  let last: number | null = null;
  const consider = (at: number | null | undefined): void => {
    if (at != null && at <= created && (last === null || at > last)) last = at;
  };
  for (const at of times) consider(at);
  consider(session?.ended);
  return last;
}

function extra(
  state: State,
  now: Transaction,
  customer: Customer | null,
  session: Session | null,
  { average, events, activity }: { average: bigint; events: readonly string[]; activity: number | null },
): OutputRow {
  const idleDays = activity === null ? null : Math.floor((now.created - activity) / DAY_MICROS);
  const active = idleDays === null || idleDays <= 30;
  const lasted = session?.started == null || session.ended == null ? null : Math.trunc((session.ended - session.started) / 1_000_000);
  return {
    transactionId: now.id,
    transactionTime: timeText(now.created),
    events: events.length === 0 ? ["TRANSACTION_UPDATE"] : events,
    totalTransactions: state.count,
    totalAmount: amountText(state.total),
    averageLast20: amountText(average),
    customerEmail: customer?.email ?? null,
    declaredTier: customer?.tier ?? null,
    declaredKycStatus: customer?.kyc ?? null,
    customerSegment: state.total >= 1000000n ? "High Value" : state.total >= 100000n ? "Medium Value" : "Low Value",
    transactionFrequency: state.count >= 100 ? "High" : state.count >= 20 ? "Medium" : "Low",
    daysSinceLastActivity: idleDays,
    isActiveCustomer: active,
    daysSinceRegistration: customer?.created == null ? null : Math.max(0, Math.floor((now.created - customer.created) / DAY_MICROS)),
    primaryChannel: session?.channel ?? null,
    primaryDevice: session?.device ?? null,
    lastSessionSeconds: lasted,
    lastSessionActions: session?.actions ?? null,
    lifecycleStage: state.count === 1
      ? "First Transaction"
      : state.count >= 100
      ? "Power User"
      : !active
      ? "Churned Customer"
      : state.total >= 500000n
      ? "High Value Customer"
      : "Regular Customer",
  };
}
