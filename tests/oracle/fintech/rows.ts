/**
 * What arrives, row by row: five tables' changes as they stand on the topics, unwrapped or in an envelope, with the clock at which each
 * arrived. Reading follows section 1.2 of the specification.
 */
import { hundredths, micros } from "./amounts.ts";

export type TableName = "transactions" | "customers" | "accounts" | "merchants" | "customer_sessions";
/** One message: `value` is the JSON value as parsed. */
export interface Message {
  readonly table: TableName;
  readonly value: Readonly<Record<string, unknown>>;
  /** When it arrived, µs. */
  readonly clock: number;
}
export type Profile = "AS-RUN" | "FIXED" | "EXT";

/** A row of an output: money is text with two decimals, times are text, scores are numbers. */
export type OutputRow = Readonly<Record<string, unknown>>;

export interface Place {
  readonly city: string | null;
  readonly country: string | null;
  readonly latitude: number | null;
  readonly longitude: number | null;
}
export interface Transaction {
  readonly id: string;
  readonly type: string;
  readonly status: string | null;
  readonly from: string | null;
  readonly customer: string | null;
  readonly merchant: string | null;
  readonly amount: bigint;
  readonly fee: bigint;
  readonly risk: bigint | null;
  readonly device: string | null;
  readonly place: Place | null;
  readonly created: number;
  readonly clock: number;
}
export interface Customer {
  readonly id: string;
  readonly risk: bigint | null;
  readonly email: string | null;
  readonly tier: string | null;
  readonly kyc: string | null;
  readonly created: number | null;
}
export interface Session {
  readonly customer: string | null;
  readonly channel: string | null;
  readonly device: string | null;
  readonly actions: number | null;
  readonly started: number | null;
  readonly ended: number | null;
}
export interface Account {
  readonly id: string;
  readonly active: boolean | null;
  readonly frozen: boolean | null;
  readonly minimum: bigint | null;
  readonly balance: bigint | null;
}
export interface Merchant {
  readonly id: string;
  readonly name: string | null;
  readonly businessType: string | null;
  readonly mcc: string | null;
  readonly country: string | null;
  readonly active: boolean | null;
}

type Fields = Readonly<Record<string, unknown>>;
const text = (value: unknown): string | null => typeof value === "string" ? value : null;
const flag = (value: unknown): boolean | null => typeof value === "boolean" ? value : null;

/** The row that a message carries, and whether it says that the row is no longer there. */
export function unwrap({ value }: Message): { readonly fields: Fields; readonly deleted: boolean } {
  if (typeof value.op === "string" && ("after" in value || "before" in value)) {
    const deleted = value.op === "d";
    return { fields: ((deleted ? value.before : value.after) ?? {}) as Fields, deleted };
  }
  return { fields: value, deleted: String(value.__deleted) === "true" };
}

/** The object that a JSONB column holds; undefined where it is text that is no JSON. */
function jsonb(value: unknown): Fields | null | undefined {
  if (value === null || value === undefined || value === "") return null;
  if (typeof value !== "string") return value as Fields;
  try {
    return JSON.parse(value) as Fields | null;
  } catch {
    return undefined;
  }
}

/** The transaction, or the code of why the row cannot be one. */
export function readTransaction(fields: Fields, clock: number): Transaction | string {
  if (typeof fields.id !== "string") return "missing:id";
  const amount = hundredths(fields.amount);
  if (amount === null) return "type:amount";
  const created = micros(fields.created_at);
  if (created === null) return "type:created_at";
  const place = jsonb(fields.transaction_location);
  if (place === undefined) return "json:transaction_location";
  const number = (value: unknown): number | null => typeof value === "number" ? value : null;
  return {
    id: fields.id,
    type: String(fields.transaction_type),
    status: text(fields.status),
    from: text(fields.from_account_id),
    customer: text(fields.customer_id),
    merchant: text(fields.merchant_id),
    amount,
    fee: hundredths(fields.fee_amount) ?? 0n,
    risk: hundredths(fields.risk_score),
    device: text(fields.device_fingerprint),
    place: place &&
      { city: text(place.city), country: text(place.country), latitude: number(place.latitude), longitude: number(place.longitude) },
    created,
    clock,
  };
}
export const readCustomer = (fields: Fields): Customer => ({
  id: String(fields.id),
  risk: hundredths(fields.risk_score),
  email: text(fields.email),
  tier: text(fields.tier),
  kyc: text(fields.kyc_status),
  created: micros(fields.created_at),
});
export const readSession = (fields: Fields): Session => ({
  customer: text(fields.customer_id),
  channel: text(fields.channel),
  device: text(fields.device_type),
  actions: typeof fields.actions_count === "number" ? fields.actions_count : null,
  started: micros(fields.started_at),
  ended: micros(fields.ended_at),
});
export const readAccount = (fields: Fields): Account => ({
  id: String(fields.id),
  active: flag(fields.is_active),
  frozen: flag(fields.is_frozen),
  minimum: hundredths(fields.minimum_balance),
  balance: hundredths(fields.balance),
});
export const readMerchant = (fields: Fields): Merchant => ({
  id: String(fields.id),
  name: text(fields.name),
  businessType: text(fields.business_type),
  mcc: text(fields.mcc_code),
  country: text(jsonb(fields.address)?.country),
  active: flag(fields.is_active),
});
