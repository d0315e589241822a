/**
 * Made-up inputs that fire every rule: bursts, many countries, reused devices, frozen and inactive accounts, unknown accounts and
 * merchants, repeated and deleted rows, event times up to a day out of order. A pure function of the seed.
 */
import type { Message, TableName } from "../oracle/fintech/rows.ts";

/** Uniform in [0, 1), from a seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export interface Inputs {
  /** Customers, accounts, merchants and sessions. */
  readonly references: readonly Message[];
  readonly transactions: readonly Message[];
  /** Both in one order of arrival, at the messages' clocks. */
  readonly mixed: readonly Message[];
}

const TYPES = ["card_payment", "wire_transfer", "atm_withdrawal", "deposit", "ach_transfer", "mobile_payment"];
const START = Date.UTC(2025, 0, 15, 12);
const CLOCK = Date.UTC(2025, 8, 5, 6);
const HOUR = 3_600_000;

/** So many transactions, and the references that they look up. */
export function makeInputs(count: number, seed: number): Inputs {
  const random = randomOf(seed);
  const below = (most: number): number => Math.floor(random() * most);
  const one = <T>(list: readonly T[]): T => list[below(list.length)];
  const money = (most: number): string => (Math.floor(random() * most * 100) / 100 + 0.01).toFixed(2);
  const customers = Math.max(12, Math.floor(count / 80));
  const references: Message[] = [];
  const transactions: Message[] = [];
  const mixed: Message[] = [];
  let clock = CLOCK;
  const put = (list: Message[], table: TableName, value: Readonly<Record<string, unknown>>): void => {
    const message = { table, value: { __deleted: "false", ...value }, clock: clock * 1000 };
    list.push(message);
    mixed.push(message);
  };
  const time = (ms: number): string => new Date(ms).toISOString();
  const customer = (n: number, deleted = "false") =>
    put(references, "customers", {
      id: `c${n}`,
      email: `c${n}@example.com`,
      tier: one(["basic", "premium", "vip"]),
      risk_score: money(60),
      kyc_status: one(["verified", "pending"]),
      created_at: time(START - below(400 * 24) * HOUR),
      __deleted: deleted,
    });
  const account = (n: number) =>
    put(references, "accounts", {
      id: `a${n}`,
      customer_id: `c${n % customers}`,
      balance: one(["0.00", money(5000)]),
      is_active: one([true, true, true, false]),
      is_frozen: one([true, false, false, false]),
      minimum_balance: one(["0.00", "100.00", null]),
    });
  const merchant = (n: number) =>
    put(references, "merchants", {
      id: `m${n}`,
      name: `Merchant ${n}`,
      business_type: one(["Hotel", "Bank"]),
      mcc_code: one(["7011", "6011"]),
      address: one([JSON.stringify({ city: "X", country: one(["US", "PE"]) }), null, '{"city":"Y"}']),
      is_active: random() < 0.9,
    });
  const session = (n: number, base: number) => {
    const started = base - below(8 * 60) * 60_000;
    put(references, "customer_sessions", {
      id: `s${references.length}`,
      customer_id: `c${n}`,
      channel: one(["web", "mobile", "atm", null]),
      device_type: one(["desktop", "mobile"]),
      actions_count: below(40),
      started_at: time(started),
      ended_at: time(started + below(3600) * 1000),
    });
  };
  // Half of everything is known before the first transaction; the rest comes late or never.
  for (let n = 0; n < customers; n++) if (random() < 0.7) customer(n);
  for (let n = 0; n < 2 * customers; n++) if (random() < 0.8) account(n);
  for (let n = 0; n < 4; n++) merchant(n);
  let previous: Readonly<Record<string, unknown>> | null = null;
  for (let i = 0; i < count; i++) {
    clock += below(200);
    // 40 s of event time for each: a day holds some two hundred transactions of a busy customer, a few of any other.
    const base = START + i * 40_000;
    if (random() < 0.05) customer(below(customers), random() < 0.1 ? "true" : "false");
    if (random() < 0.05) account(below(2 * customers));
    if (random() < 0.02) merchant(below(12));
    if (random() < 0.1) session(below(customers), base);
    if (previous !== null && random() < 0.02) put(transactions, "transactions", previous);
    // A few customers are busy.
    const who = random() < 0.3 ? below(3) : below(customers);
    const at = random() < 0.2 ? below(24 * 3600) * 1000 : below(900) * 1000;
    const type = one(TYPES);
    const hasMerchant = random() < 0.5;
    const row = {
      id: `t${i}`,
      transaction_type: type,
      status: one(["completed", "completed", "completed", "failed", "pending"]),
      customer_id: random() < 0.01 ? null : `c${who}`,
      from_account_id: type === "deposit" ? null : random() < 0.05 ? "unknown" : `a${who + customers * below(2)}`,
      amount: random() < 0.1 ? money(60_000) : money(1500),
      currency: "USD",
      fee_amount: one(["0.00", "3.50", "25.00"]),
      merchant_id: hasMerchant ? `m${random() < 0.7 ? 0 : below(14)}` : null,
      device_fingerprint: random() < 0.1 ? null : `d${who}-${below(6)}`,
      transaction_location: random() < 0.1 ? null : JSON.stringify({
        latitude: below(90),
        longitude: -below(90) - 0.5,
        city: `City ${below(20)}`,
        country: one(["US", "PE", "DE", "FR", "IN", "BR", "JP", "KE", null]),
      }),
      risk_score: random() < 0.05 ? null : money(100),
      created_at: time(base - at),
      __deleted: random() < 0.01 ? "true" : "false",
    };
    put(transactions, "transactions", row);
    previous = row;
  }
  return { references, transactions, mixed };
}
