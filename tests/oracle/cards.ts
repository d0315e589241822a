/**
 * The oracle: the whole card workload as a slow model straight from its specification (C-1 to C-31). It imports nothing
 * from `src/`; golden cases, the kill tests and the simulation compare the product with it.
 */
import { centsText, isTimestamp, readCents, type ReadField, type ReadRecord } from "./text.ts";
import type { Switches } from "./switches.ts";

/** What goes in: records as read, bad ones included. */
export interface Inputs {
  readonly customers: readonly ReadRecord[];
  readonly cards: readonly ReadRecord[];
  readonly transactions: readonly ReadRecord[];
}
/** A refused record: the input it came from, its number there, and the uniform code. */
export interface OracleReject {
  readonly input: keyof Inputs;
  readonly row: number;
  readonly code: string;
}
/** Rows of the four files as text, in file order, without headers. */
export interface Expected {
  readonly stream: readonly (readonly string[])[];
  readonly batch: readonly (readonly string[])[];
  readonly cards: readonly (readonly string[])[];
  readonly customers: readonly (readonly string[])[];
  /** decline_reason of each stream row; "" for a payment that passed. */
  readonly reasons: readonly string[];
  readonly rejects: readonly OracleReject[];
  readonly counts: { readonly read: number; readonly rejected: number; readonly duplicates: number; readonly accepted: number };
  readonly totals: { readonly opening: bigint; readonly approved: bigint; readonly closing: bigint };
}

interface Card {
  readonly id: bigint;
  readonly customer: bigint;
  readonly row: number;
  readonly text: ReadonlyMap<string, string>;
  readonly limit: bigint;
  readonly opening: bigint;
}
interface Customer {
  readonly id: bigint;
  readonly row: number;
  readonly text: ReadonlyMap<string, string>;
  readonly score: bigint;
}
interface Payment {
  readonly id: bigint;
  readonly card: bigint;
  readonly row: number;
  readonly text: ReadonlyMap<string, string>;
  readonly amount: bigint;
}

type FieldKind = "int" | "int?" | "money" | "text" | "timestamp";
/** The four published files' columns, in order. */
export const COLUMNS = {
  stream: [
    "transaction_id",
    "card_id",
    "merchant_name",
    "timestamp",
    "amount",
    "location",
    "transaction_type",
    "related_transaction_id",
    "status",
    "pending_balance",
  ],
  cards: ["card_id", "customer_id", "card_type_id", "card_number", "expiration_date", "credit_limit", "current_balance", "issue_date"],
  customers: ["customer_id", "name", "phone_number", "address", "email", "credit_score", "annual_income"],
} as const;

const PAYMENT_FIELDS: Readonly<Record<string, FieldKind>> = {
  transaction_id: "int",
  card_id: "int",
  merchant_name: "text",
  timestamp: "timestamp",
  amount: "money",
  location: "text",
  transaction_type: "text",
  related_transaction_id: "int?",
};
const CARD_FIELDS: Readonly<Record<string, FieldKind>> = {
  card_id: "int",
  customer_id: "int",
  card_type_id: "int",
  card_number: "text",
  expiration_date: "text",
  credit_limit: "money",
  current_balance: "money",
  issue_date: "text",
};
const CUSTOMER_FIELDS: Readonly<Record<string, FieldKind>> = {
  customer_id: "int",
  name: "text",
  phone_number: "text",
  address: "text",
  email: "text",
  credit_score: "int",
  annual_income: "text",
};

/** The single comparisons, apart from the rest so that tests can bend one at a time and see whether a data set notices. */
export interface Rules {
  half(amount: bigint, limit: bigint): boolean;
  zipsDiffer(here: string, home: string): boolean;
  overLimit(pending: bigint, amount: bigint, limit: bigint): boolean;
  usageWithin(balance: bigint, percent: bigint, limit: bigint): boolean;
  /** Whether a rest of exactly half a hundred goes up, given the hundreds below it. */
  tieGoesUp(hundredsBelow: bigint): boolean;
}
/** The rules as specified (section 4, C-18, C-21). */
export const RULES: Rules = {
  half: (amount, limit) => 2n * (amount < 0n ? -amount : amount) >= limit,
  zipsDiffer: (here, home) => [...here][0] !== [...home][0],
  overLimit: (pending, amount, limit) => pending + amount > limit,
  usageWithin: (balance, percent, limit) => 100n * balance <= percent * limit,
  tieGoesUp: (hundredsBelow) => hundredsBelow % 2n === 1n,
};

/** Computes all outputs of the workload. */
export function oracle(inputs: Inputs, switches: Switches, rules: Rules = RULES): Expected {
  const rejects: OracleReject[] = [];
  const cards = keyed("cards", accept("cards", inputs.cards, CARD_FIELDS, rejects), "card_id", rejects).map(({ row, text, id }): Card => ({
    id,
    row,
    text,
    customer: BigInt(text.get("customer_id")!),
    limit: cents(text.get("credit_limit")!),
    opening: cents(text.get("current_balance")!),
  }));
  const customers = keyed("customers", accept("customers", inputs.customers, CUSTOMER_FIELDS, rejects), "customer_id", rejects)
    .map(({ row, text, id }): Customer => ({ id, row, text, score: BigInt(text.get("credit_score")!) }));
  const accepted = accept("transactions", inputs.transactions, PAYMENT_FIELDS, rejects);
  const { payments, duplicates } = arrivals(accepted, switches);
  const decided = decide(payments, cards, customers, switches, rules);
  const settled = settle(decided, cards, customers, switches, rules);
  return {
    stream: decided.map((row) => streamRow(row, row.reason === "" ? "pending" : "declined")),
    batch: decided.map((row) => streamRow(row, row.reason === "" ? "approved" : "declined")),
    cards: settled.cards,
    customers: settled.customers,
    reasons: decided.map((row) => row.reason),
    rejects,
    counts: {
      read: inputs.transactions.length,
      rejected: inputs.transactions.length - accepted.length,
      duplicates,
      accepted: payments.length,
    },
    totals: settled.totals,
  };
}

// ---- reading ------------------------------------------------------------------------------------------------------------

interface AcceptedRecord {
  readonly row: number;
  readonly text: ReadonlyMap<string, string>;
}

function accept(
  input: keyof Inputs,
  records: readonly ReadRecord[],
  fields: Readonly<Record<string, FieldKind>>,
  rejects: OracleReject[],
): AcceptedRecord[] {
  const accepted: AcceptedRecord[] = [];
  for (const record of records) {
    const code = "code" in record ? record.code : fieldFault(record.fields, fields);
    if (code !== null) rejects.push({ input, row: record.row, code });
    else if ("fields" in record) {
      accepted.push({ row: record.row, text: new Map(Object.keys(fields).map((name) => [name, textOf(record.fields.get(name))])) });
    }
  }
  return accepted;
}

/** The code of the first field that is wrong, in column order; null when all are right. */
function fieldFault(record: ReadonlyMap<string, ReadField>, fields: Readonly<Record<string, FieldKind>>): string | null {
  for (const [name, kind] of Object.entries(fields)) {
    const given = record.get(name);
    if (kind === "int?" && (given === undefined || given === null || given === "")) continue;
    if (given === undefined) return `missing:${name}`;
    const isText = typeof given === "string";
    const isNumber = typeof given === "object" && given !== null && "number" in given;
    // A number may come as text (C-2), text never as a number.
    if (kind === "text" || kind === "timestamp" ? !isText : !isText && !isNumber) return `type:${name}`;
    const value = textOf(given);
    if (kind === "money") {
      const cents = readCents(value);
      if (typeof cents === "string") return `${cents}:${name}`;
    } else if (kind === "timestamp" && !isTimestamp(value)) return `type:${name}`;
    else if ((kind === "int" || kind === "int?") && !/^-?\d+$/.test(value)) return `type:${name}`;
  }
  return null;
}

function textOf(field: ReadField | undefined): string {
  return typeof field === "string" ? field : field?.number ?? "";
}

/** The first row of each key; later ones are refused. */
function keyed(input: keyof Inputs, records: readonly AcceptedRecord[], key: string, rejects: OracleReject[]) {
  const seen = new Set<bigint>();
  const kept: (AcceptedRecord & { readonly id: bigint })[] = [];
  for (const record of records) {
    const id = BigInt(record.text.get(key)!);
    if (seen.has(id)) rejects.push({ input, row: record.row, code: `duplicate:${key}` });
    else kept.push({ ...record, id });
    seen.add(id);
  }
  return kept;
}

/** Payments in the order of processing, each id once (C-12, C-14). */
function arrivals(accepted: readonly AcceptedRecord[], switches: Switches): { payments: Payment[]; duplicates: number } {
  const ordered = [...accepted];
  if (switches.order === "timestamp") {
    const moment = (record: AcceptedRecord) => record.text.get("timestamp")!;
    ordered.sort((a, b) => moment(a) < moment(b) ? -1 : moment(a) > moment(b) ? 1 : a.row - b.row);
  }
  const seen = new Set<bigint>();
  const payments: Payment[] = [];
  for (const { row, text } of ordered) {
    const id = BigInt(text.get("transaction_id")!);
    if (!seen.has(id)) payments.push({ id, row, text, card: BigInt(text.get("card_id")!), amount: cents(text.get("amount")!) });
    seen.add(id);
  }
  return { payments, duplicates: ordered.length - payments.length };
}

// ---- the stream rules (section 4) -----------------------------------------------------------------------------------------

interface Decided extends Payment {
  readonly reason: string;
  /** null for an unknown card. */
  readonly pending: bigint | null;
}

function decide(
  payments: readonly Payment[],
  cards: readonly Card[],
  customers: readonly Customer[],
  switches: Switches,
  rules: Rules,
): Decided[] {
  const cardById = new Map(cards.map((card) => [card.id, card]));
  const customerById = new Map(customers.map((customer) => [customer.id, customer]));
  const pending = new Map(cards.map((card) => [card.id, card.opening]));
  return payments.map((payment) => {
    const card = cardById.get(payment.card);
    if (card === undefined) return { ...payment, reason: "unknown_card", pending: null };
    const reason = firstReason(payment, card, customerById.get(card.customer), pending.get(card.id)!, switches, rules);
    if (reason === "") pending.set(card.id, pending.get(card.id)! + payment.amount);
    return { ...payment, reason, pending: pending.get(card.id)! };
  });
}

function firstReason(
  payment: Payment,
  card: Card,
  customer: Customer | undefined,
  pending: bigint,
  switches: Switches,
  rules: Rules,
): string {
  const { amount } = payment;
  if (customer === undefined && switches.unknown_customer === "decline") return "unknown_customer";
  if (switches.sign_rule && amount < 0n && !switches.credit_types.includes(payment.text.get("transaction_type")!)) return "sign";
  if (rules.half(amount, card.limit)) return "half";
  if (customer !== undefined) {
    const here = zipOf(payment.text.get("location")!, switches);
    const home = zipOf(customer.text.get("address")!, switches);
    if (here === null || home === null) {
      if (switches.zip_missing === "decline") return "zip";
    } else if (rules.zipsDiffer(here, home)) return "zip";
  }
  if (rules.overLimit(pending, amount, card.limit) && !(switches.credits_bypass_limit && amount < 0n)) return "limit";
  return "";
}

/** The ZIP code of an address, or null where there is none of five characters. */
function zipOf(address: string, switches: Switches): string | null {
  if (switches.zip_extract === "last_word") {
    const last = address.split(/\s+/).filter((word) => word !== "").at(-1);
    return last !== undefined && [...last].length >= 5 ? last : null;
  }
  const words = address.split(/[^A-Za-z0-9_]+/).filter((word) => /^[0-9]{5}$/.test(word));
  return words.at(switches.zip_extract === "first_five" ? 0 : -1) ?? null;
}

function streamRow(row: Decided, status: string): string[] {
  return COLUMNS.stream.map((name) => {
    if (name === "status") return status;
    if (name === "pending_balance") return row.pending === null ? "" : centsText(row.pending);
    return name === "amount" ? centsText(row.amount) : row.text.get(name)!;
  });
}

// ---- the batch rules (section 5) ------------------------------------------------------------------------------------------

function settle(decided: readonly Decided[], cards: readonly Card[], customers: readonly Customer[], switches: Switches, rules: Rules) {
  const posted = new Map<bigint, bigint>();
  for (const row of decided) if (row.reason === "") posted.set(row.card, (posted.get(row.card) ?? 0n) + row.amount);
  const times = switches.posting === "twice" ? 2n : 1n;
  const closingOf = (card: Card) => card.opening + times * (posted.get(card.id) ?? 0n);
  const cardsOf = Map.groupBy(cards, (card) => card.customer);
  const changeOf = new Map<bigint, { score: bigint; keepPercent: bigint; cardless: boolean }>();
  for (const customer of customers) {
    const own = cardsOf.get(customer.id) ?? [];
    const balance = own.reduce((sum, card) => sum + closingOf(card), 0n);
    const limit = own.reduce((sum, card) => sum + card.limit, 0n);
    changeOf.set(customer.id, { ...scoreChange(own.length, balance, limit, switches, rules), cardless: own.length === 0 });
  }
  const sum = (values: readonly bigint[]) => values.reduce((a, b) => a + b, 0n);
  const rowOrder = <T extends Card | Customer>(rows: readonly T[]) =>
    switches.row_order === "input" ? rows : rows.toSorted((a, b) => a.id < b.id ? -1 : 1);
  return {
    cards: rowOrder(cards).map((card) => cardRow(card, closingOf(card), changeOf.get(card.customer)?.keepPercent ?? 100n, switches, rules)),
    customers: rowOrder(customers).flatMap((customer) => {
      const change = changeOf.get(customer.id)!;
      if (change.cardless && switches.cardless_customers === "drop") return [];
      const score = String(clamp(customer.score + change.score, switches.score_min, switches.score_max));
      return [COLUMNS.customers.map((name) => name === "credit_score" ? score : customer.text.get(name)!)];
    }),
    totals: {
      opening: sum(cards.map((card) => card.opening)),
      approved: sum([...posted.values()]),
      closing: sum(cards.map(closingOf)),
    },
  };
}

/** C-18, C-20 and C-23. `keepPercent` is the part of the limit that stays, before rounding. */
function scoreChange(
  cardCount: number,
  balance: bigint,
  limit: bigint,
  switches: Switches,
  rules: Rules,
): { score: bigint; keepPercent: bigint } {
  const unchanged = { score: 0n, keepPercent: 100n };
  if (cardCount === 0) return unchanged;
  if (limit === 0n) return balance <= 0n ? { score: 15n, keepPercent: 100n } : { score: -25n, keepPercent: 85n };
  if (balance < 0n && switches.negative_usage === "keep") return unchanged;
  const within = (percent: bigint) => rules.usageWithin(balance, percent, limit);
  if (within(10n)) return { score: 15n, keepPercent: 100n };
  if (within(20n)) return { score: 10n, keepPercent: 100n };
  if (within(30n)) return { score: 5n, keepPercent: 100n };
  if (within(50n)) return { score: -5n, keepPercent: 95n };
  if (within(70n)) return { score: -15n, keepPercent: 90n };
  return { score: -25n, keepPercent: 85n };
}

function cardRow(card: Card, closing: bigint, keepPercent: bigint, switches: Switches, rules: Rules): string[] {
  const reduced = keepPercent === 100n ? card.limit : roundToHundreds(card.limit * keepPercent, rules);
  const least = switches.limit_min_cents;
  const limit = keepPercent !== 100n && least !== null && reduced < least ? least : reduced;
  return COLUMNS.cards.map((name) => {
    if (name === "credit_limit") return centsText(limit);
    return name === "current_balance" ? centsText(closing) : card.text.get(name)!;
  });
}

/** Cents × 100 (a limit times a percentage) to whole hundreds of currency units, ties to the even hundred (C-21); gives cents. */
function roundToHundreds(centPercents: bigint, rules: Rules): bigint {
  const unit = 100n * 100n * 100n;
  const below = centPercents / unit;
  const rest = centPercents % unit;
  const up = rest * 2n > unit || (rest * 2n === unit && rules.tieGoesUp(below));
  return (up ? below + 1n : below) * 10000n;
}

function clamp(value: bigint, least: bigint | null, most: bigint | null): bigint {
  if (least !== null && value < least) return least;
  return most !== null && value > most ? most : value;
}

function cents(text: string): bigint {
  const value = readCents(text);
  if (typeof value === "string") throw new Error(`not money: ${text}`);
  return value;
}
