/** The notation of section 8 of the specification: rows in arrival order, with its defaults. */
import { micros } from "./amounts.ts";
import type { Message, OutputRow, TableName } from "./rows.ts";

type Row = Readonly<Record<string, unknown>>;

/** Where the clock of a case stands unless it says otherwise. */
export const CLOCK = micros("2025-09-05T06:00:10Z")!;
/** "12:00" and "12:00:59" are times of 2025-01-16; whole times stand for themselves. */
export const at = (text: string): string => text.includes("T") ? text : `2025-01-16T${text.length === 5 ? `${text}:00` : text}Z`;

function message(table: TableName, row: Row, clock: string | undefined): Message {
  return { table, value: { __deleted: "false", ...row }, clock: clock === undefined ? CLOCK : micros(clock)! };
}
/** A transaction of customer c1. */
export const tx = (id: string, row: Row = {}, clock?: string): Message =>
  message("transactions", {
    transaction_type: "wire_transfer",
    status: "completed",
    currency: "USD",
    fee_amount: "0.00",
    customer_id: "c1",
    created_at: at("12:00"),
    ...row,
    id,
  }, clock);
export const cust = (id: string, row: Row = {}): Message => message("customers", { risk_score: "10.00", ...row, id }, undefined);
export const acct = (id: string, row: Row = {}): Message =>
  message("accounts", { customer_id: "c1", is_active: true, is_frozen: false, ...row, id }, undefined);
export const mer = (id: string, row: Row = {}): Message => message("merchants", { ...row, id }, undefined);
export const ses = (id: string, row: Row = {}): Message => message("customer_sessions", { customer_id: "c1", ...row, id }, undefined);

/** The columns that a case is about. */
export const pick = (rows: readonly OutputRow[], ...columns: readonly string[]): unknown[][] =>
  rows.map((row) => columns.map((column) => row[column]));
