/** What is given in each acceptance case of section 8 of the specification, by name: for the model and for the pipelines alike. */
import { acct, at, cust, mer, ses, tx } from "./cases.ts";
import type { Message } from "./rows.ts";

type Row = Readonly<Record<string, unknown>>;
export type Processor = "lifecycle" | "merchants" | "metrics" | "fraud";
/** One case; some consist of several inputs. */
export interface Case {
  readonly processor: Processor;
  readonly given: readonly Message[];
}

const amounts = (...list: readonly string[]): Message[] => list.map((amount, i) => tx(`t${i + 1}`, { amount }));
const times = <T>(count: number, value: T): T[] => Array(count).fill(value);
const two = (n: number): string => String(n).padStart(2, "0");

// ---- D: what stands before every processor; seen through the lifecycle ------------------------------------------------

/** Section 1.9's value. */
export const EXAMPLE = {
  id: "0b6a",
  transaction_type: "card_payment",
  status: "completed",
  from_account_id: "a-1",
  to_account_id: null,
  customer_id: "c-1",
  amount: "84.10",
  currency: "USD",
  exchange_rate: null,
  fee_amount: "0.00",
  description: "Acme - Hotel",
  merchant_id: "m-1",
  reference_number: "TXN-0123456789AB",
  authorization_code: "AUTH482913",
  transaction_location: '{"latitude": 1.5, "longitude": -70.2, "city": "Lima", "country": "US"}',
  device_fingerprint: "FP0123456789abcdef",
  ip_address: "203.0.113.9",
  user_agent: "browser",
  risk_score: "17.25",
  risk_level: "low",
  compliance_flags: "[]",
  processing_time_ms: 812,
  network: "Visa",
  card_last_four: "4242",
  tags: '["card_payment", "low"]',
  metadata: '{"channel": "web", "terminal_id": "T10001", "batch_id": "B1001"}',
  created_at: "2025-01-16T11:23:45.123456Z",
  updated_at: "2025-09-05T06:03:30.617384Z",
  version: 1,
  __deleted: "false",
};
const bare = tx("");
const D1: Message[] = [{ ...bare, value: EXAMPLE }];
const D1_ENVELOPE: Message[] = [{ ...bare, value: { op: "c", before: null, after: EXAMPLE } }];
const D3 = [tx("t1", { amount: "100.00" }), tx("t1", { amount: "100.00" }), tx("t2", { amount: "100.00", __deleted: "true" })];
const D4 = [
  tx("t1", { amount: "12x" }),
  tx("t2", { amount: "1.00", created_at: null }),
  tx("t3", { amount: "1.00", transaction_location: "{not json" }),
  tx("t4", { amount: "1.00", transaction_location: { country: "US" } }),
];

// ---- L --------------------------------------------------------------------------------------------------------------

const L6 = [
  ses("s1", { channel: "web", actions_count: 20 }),
  tx("t1", { amount: "300.00" }),
  ses("s2", { channel: "web", actions_count: 21 }),
  tx("t2", { amount: "5000.00" }),
  ses("s3", { channel: "mobile", actions_count: 10 }),
  tx("t3", { amount: "1.00" }),
  tx("t4", { amount: "1.00" }),
];
const L7 = [
  tx("t1", { amount: "10.00", created_at: at("12:00") }),
  cust("c1", { risk_score: "40.00" }),
  tx("t2", { amount: "10.00", created_at: at("12:00:05") }),
  cust("c1", { risk_score: "42.50" }),
  tx("t3", { amount: "10.00", created_at: at("11:00") }),
];

// ---- M --------------------------------------------------------------------------------------------------------------

export const ACME = { name: "Acme", business_type: "Hotel", mcc_code: "7011", address: '{"city":"X","country":"US"}', is_active: true };
const m1 = mer("m1", ACME);
const sale = (id: string, amount: string, row: Row = {}): Message => tx(id, { merchant_id: "m1", amount, ...row });
const sales = (count: number, amount: string): Message[] => Array.from({ length: count }, (_, i) => sale(`t${i}`, amount));

// ---- T --------------------------------------------------------------------------------------------------------------

const US = '{"country":"US"}';
const T1 = [
  tx("t1", {
    transaction_type: "card_payment",
    amount: "10.00",
    created_at: at("11:00"),
    device_fingerprint: "dB",
    transaction_location: US,
  }),
  tx("t2", { transaction_type: "deposit", amount: "20.00", device_fingerprint: "dA", transaction_location: US }),
  tx("t3", { transaction_type: "card_payment", amount: "5.01", device_fingerprint: "dC" }),
];
const T2 = [
  tx("t1", { transaction_type: "card_payment", amount: "10.00", created_at: at("11:00") }),
  tx("t2", { transaction_type: "deposit", amount: "20.00" }),
  tx("t3", { transaction_type: "atm_withdrawal", amount: "120000.00" }),
];
const T4 = ["05:59:59.999", "06:00:00.000", "06:00:29.999", "06:00:30.000"].map((time, i) =>
  tx(`t${i}`, { amount: "1.00" }, `2025-09-05T${time}Z`)
);
const card = (id: string, amount: string, merchant: string, risk: string, created: string, row: Row = {}): Message =>
  tx(id, { transaction_type: "card_payment", amount, merchant_id: merchant, risk_score: risk, created_at: created, ...row });
const T5 = [
  card("t1", "100.00", "m1", "10", "2025-01-14T10:00:00Z"),
  card("t2", "50.00", "m2", "20", "2025-01-16T09:00:00Z", { status: "failed" }),
  tx("t3", { amount: "1000.00", fee_amount: "25.00", status: "pending", risk_score: "30", created_at: "2025-01-15T08:00:00Z" }),
  tx("t4", {
    transaction_type: "atm_withdrawal",
    amount: "40.00",
    fee_amount: "3.50",
    risk_score: "4",
    created_at: "2025-01-16T23:00:00Z",
  }),
];

// ---- F --------------------------------------------------------------------------------------------------------------

/** A payment of c1 from a1 with device d1 in the US. */
export const pay = (id: string, created: string, amount: string, row: Row = {}): Message =>
  tx(id, { from_account_id: "a1", amount, created_at: at(created), device_fingerprint: "d1", transaction_location: US, ...row });
const SAVINGS = acct("a1", { minimum_balance: "100.00" });
const CHECKING = acct("a1", { minimum_balance: "0.00" });
const F2 = [
  SAVINGS,
  pay("t1", "09:00", "20000.00"),
  pay("t2", "11:00", "20000.00"),
  pay("t3", "13:00", "10000.00"),
  pay("t4", "14:00", "0.01"),
];
const F5 = [SAVINGS, ...Array.from({ length: 12 }, (_, i) => pay(`t${i}`, `12:${two(5 * i)}`, "10.00")), pay("t12", "13:00", "10.00")];
const F6 = [SAVINGS, ...[1, 2, 3, 4, 5].map((n) => pay(`t${n}`, `${two(8 + n)}:00`, "10.00", { device_fingerprint: `d${n}` }))];
const F7 = [SAVINGS, ...["12:00:00", "10:00:00", "12:00:59", "12:01:59"].map((time, i) => pay(`t${i}`, time, "10.00"))];
const F8 = (amount: string) => [
  SAVINGS,
  ...["10:00", "11:00", "12:00", "13:00"].map((time, i) => pay(`t${i}`, time, "100.00")),
  pay("t5", "15:00", amount),
];
const F9_TIMES = ["15:00", "16:00", "17:00", "18:00", "22:59:59", "23:59:59", "2025-01-17T05:59:59Z", "2025-01-17T07:00:00Z"];
const F10 = [
  SAVINGS,
  pay("t1", "12:00", "60000.00", { from_account_id: null, to_account_id: "a1", transaction_type: "deposit" }),
  pay("t2", "14:00", "60.00"),
  pay("t3", "16:00", "20000.00", { from_account_id: "unknown" }),
];
const F11 = [
  CHECKING,
  pay("t1", "12:00", "50000.00"),
  pay("t2", "2025-01-17T12:00:00Z", "1.00"),
  pay("t3", "2025-01-18T12:00:00.001Z", "50000.00"),
];
const F12 = Array.from(
  { length: 7 },
  (_, i) => pay(`t${i}`, `${two(9 + i)}:00`, "10.00", { transaction_location: { country: `C${i + 1}` } }),
);
const F13 = Array.from({ length: 11 }, (_, i) => {
  const created = i < 10 ? `01:${two(3 * (i + 1))}` : "01:30:30";
  return pay(`t${i}`, created, i < 10 ? "15000.00" : "500000.00", {
    device_fingerprint: `d${i}`,
    transaction_location: { country: `C${i}` },
  });
});
const F14 = (balance: string, risk: string) => [
  acct("a1", { balance, minimum_balance: "0.00" }),
  pay("t1", "12:00", "1500.00", { risk_score: risk }),
];
const F15 = ["14", "15", "16"].flatMap((day, d) =>
  Array.from({ length: d === 0 ? 4 : 3 }, (_, i) => pay(`${day}-${i}`, `2025-01-${day}T09:0${i}:00Z`, "10.00"))
);

const of = (processor: Processor) => (given: readonly Message[]): Case => ({ processor, given });
const [L, M, T, F] = (["lifecycle", "merchants", "metrics", "fraud"] as const).map(of);

/** Every case with an input of its own, by name. */
export const CASES = {
  "D1": L(D1),
  "D1 in an envelope": L(D1_ENVELOPE),
  "D3": L(D3),
  "D4": L(D4),
  "L1": L([cust("c1", { risk_score: "23.45" }), tx("t1", { amount: "50.00" })]),
  "L2": L(amounts("199.99", "200.01", "2600.00", "17000.00", "0.01")),
  "L3": L(amounts("199.99", "200.00", "199.99")),
  "L4": L(amounts(...times(12, "1000.00"))),
  "L5": L(amounts(...times(20, "100.00"), "10000.00", ...times(20, "100.00"))),
  "L6": L(L6),
  "L7": L(L7),
  "L8": L(amounts(...times(52, "10.00"))),
  "M1": M([m1, sale("t1", "100.00"), sale("t2", "0.01")]),
  "M2": M([sale("t1", "10.00"), sale("t2", "30.00"), m1, sale("t3", "20.00"), tx("t4", { amount: "1.00" })]),
  "M3 by hundreds": M([m1, ...sales(1001, "100.00")]),
  "M3 by five hundreds": M([m1, ...sales(101, "500.00")]),
  "M3 many small ones": M([m1, ...sales(1001, "1.00"), sale("t", "99000.00")]),
  "M4 medium": M([m1, sale("t1", "5000.00"), sale("t2", "5000.00"), sale("t3", "5000.01")]),
  "M4 high": M([m1, sale("t1", "10000.00"), sale("t2", "10000.01")]),
  "M5": M([mer("m1", { ...ACME, address: null }), sale("t1", "1.00")]),
  "M6": M([...times(8, "completed"), "failed", "failed"].map((status, i) => sale(`t${i}`, "100.00", { status, risk_score: "50.00" }))),
  "M6 failure": M([sale("t1", "7.00", { status: "failed" })]),
  "T1": T(T1),
  "T2": T(T2),
  "T3 ten of ten thousand": T(amounts(...times(10, "10000.00"))),
  "T3 one of five thousand": T(amounts("5000.00")),
  "T3 fifty-one": T(amounts(...times(51, "1.00"))),
  "T3 fifty": T(amounts(...times(50, "1.00"))),
  "T4": T(T4),
  "T4 two customers": T([tx("t1", { amount: "1.00" }), tx("t2", { amount: "1.00", customer_id: "c2" })]),
  "T5": T(T5),
  "T6": T([tx("t1", { amount: "100.00" })]),
  "F1": F([CHECKING, pay("t1", "12:00", "12000.00")]),
  "F2": F(F2),
  "F3": F([acct("a1", { minimum_balance: "0.00", is_frozen: true }), pay("t1", "12:00:00", "10.00"), pay("t2", "12:00:30", "10.00")]),
  "F4": F([acct("a1", { minimum_balance: "100.00", is_active: false }), pay("t1", "12:00", "1000.00"), pay("t2", "14:00", "1000.01")]),
  "F5": F(F5),
  "F6": F(F6),
  "F7": F(F7),
  "F8 above": F(F8("600.01")),
  "F8 at": F(F8("600.00")),
  "F9": F([SAVINGS, ...F9_TIMES.map((time, i) => pay(`t${i}`, time, "100.00"))]),
  "F10": F(F10),
  "F11": F(F11),
  "F12": F([SAVINGS, ...F12]),
  "F13": F([acct("a1", { minimum_balance: "100.00", is_frozen: true, is_active: false }), ...F13]),
  "F14": F(F14("2000.00", "85")),
  "F14 without a balance": F(F14("0.00", "20")),
  "F15": F([SAVINGS, ...F15]),
} as const satisfies Readonly<Record<string, Case>>;

export type CaseName = keyof typeof CASES;
export const given = (name: CaseName): readonly Message[] => CASES[name].given;
