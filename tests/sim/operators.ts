/** The simulated pipeline's operators, written by hand: `once`, `ledger` and `totals` as model.ts describes them. */
import type { Batch } from "../../src/data/batch.ts";
import { columnOf, makeMeta, select } from "../../src/data/columns.ts";
import { decimalOf, INT, type RecordType, STRING, TIMESTAMP } from "../../src/data/types.ts";
import type { Operator, OperatorContext, Output } from "../../src/engine/contracts.ts";
import { CEILING_CENTS, SHARE_REASON } from "./model.ts";

export const RECORD_TYPE: RecordType = {
  fields: [
    { name: "id", type: INT },
    { name: "account", type: INT },
    { name: "amount", type: decimalOf(2) },
    { name: "parts", type: INT },
    { name: "note", type: STRING },
    { name: "made_at", type: TIMESTAMP },
  ],
};
export const LEDGER_TYPE: RecordType = {
  fields: [
    { name: "id", type: INT },
    { name: "account", type: INT },
    { name: "amount", type: decimalOf(2) },
    { name: "note", type: STRING },
    { name: "status", type: STRING },
    { name: "balance", type: decimalOf(2) },
    { name: "share", type: INT },
    { name: "decided_at", type: TIMESTAMP },
  ],
};
export const TOTALS_TYPE: RecordType = {
  fields: [
    { name: "account", type: INT },
    { name: "count", type: INT },
    { name: "total", type: decimalOf(2) },
  ],
};

function numbersOf(batch: Batch, field: string): Float64Array {
  const column = batch.columns[batch.type.fields.findIndex((candidate) => candidate.name === field)];
  if (column?.kind !== "number") throw new Error(`${field} is no column of numbers`);
  return column.values;
}

function textOf(batch: Batch, field: string, row: number): string {
  const column = batch.columns[batch.type.fields.findIndex((candidate) => candidate.name === field)];
  if (column?.kind !== "text") throw new Error(`${field} is no column of text`);
  return column.at(row)!;
}

/**
 * Lets the first record of an (account, id) pass, and remembers a text of that length with it: long ones make an epoch's changes more than
 * fits one commit.
 */
export const createOnce = (remembered: number) => (context: OperatorContext): Operator => {
  const seen = context.state.table({ name: "seen", key: ["number", "number"], columns: [{ name: "text", kind: "text" }], version: 1 });
  return {
    process(_input: number, batch: Batch, out: Output): void {
      const ids = numbersOf(batch, "id");
      const accounts = numbersOf(batch, "account");
      const passed = new Int32Array(batch.rows);
      let count = 0;
      for (let row = 0; row < batch.rows; row++) {
        if (seen.find(accounts[row]!, ids[row]!) >= 0) continue;
        const slot = seen.insert(accounts[row]!, ids[row]!);
        seen.text("text").values[slot] = "x".repeat(remembered);
        passed[count++] = row;
      }
      out.count("duplicates", batch.rows - count);
      if (count > 0) out.emit("out", select(batch, passed, count));
    },
  };
};

/** Decides against the account's balance. A record that is skipped or rejected changes nothing. */
export function createLedger(context: OperatorContext): Operator {
  const balances = context.state.table({ name: "balances", key: ["number"], columns: [{ name: "balance", kind: "number" }], version: 1 });
  return {
    process(_input: number, batch: Batch, out: Output): void {
      const [ids, accounts, amounts, parts] = ["id", "account", "amount", "parts"].map((field) => numbersOf(batch, field)) as [
        Float64Array,
        Float64Array,
        Float64Array,
        Float64Array,
      ];
      const rows: unknown[][] = [];
      const kept: number[] = [];
      let skipped = 0;
      for (let row = 0; row < batch.rows; row++) {
        const amount = amounts[row]!;
        if (amount === 0) {
          skipped++;
          continue;
        }
        if (parts[row] === 0) {
          out.reject(batch, row, SHARE_REASON);
          continue;
        }
        const slot = balances.insert(accounts[row]!);
        const balance = balances.number("balance");
        const isAccepted = balance.values[slot]! + amount <= CEILING_CENTS;
        if (isAccepted) balance.values[slot]! += amount;
        balance.valid[slot] = 1;
        balances.touch(slot);
        const status = isAccepted ? "accepted" : "declined";
        const share = Math.trunc(1000 / parts[row]!);
        rows.push([ids[row], accounts[row], amount, textOf(batch, "note", row), status, balance.values[slot], share, out.epochTimeMicros]);
        kept.push(row);
      }
      out.count("filtered", skipped);
      if (rows.length > 0) out.emit("out", made(batch, kept, rows));
    },
  };
}

function made(batch: Batch, kept: readonly number[], rows: readonly (readonly unknown[])[]): Batch {
  const columns = LEDGER_TYPE.fields.map((field, index) => columnOf(field.type, rows.map((row) => row[index])));
  const { meta } = select({ ...batch, columns: [] }, Int32Array.from(kept), kept.length);
  return { rows: rows.length, type: LEDGER_TYPE, columns, meta };
}

/** Sums what was accepted, and gives one row per account when the input has ended. */
export function createTotals(context: OperatorContext): Operator {
  const columns = [{ name: "count", kind: "number" }, { name: "total", kind: "wide" }] as const;
  const totals = context.state.table({ name: "totals", key: ["number"], columns, version: 1 });
  let hasEnded = false;
  return {
    process(_input: number, batch: Batch, out: Output): void {
      const accounts = numbersOf(batch, "account");
      const amounts = numbersOf(batch, "amount");
      for (let row = 0; row < batch.rows; row++) {
        const slot = totals.insert(accounts[row]!);
        totals.number("count").values[slot]! += 1;
        totals.number("count").valid[slot] = 1;
        if (textOf(batch, "status", row) === "accepted") totals.wide("total").lo[slot]! += amounts[row]!;
        totals.touch(slot);
      }
      out.count("folded", batch.rows);
    },
    inputEnded: () => {
      hasEnded = true;
    },
    backlog: (at) => hasEnded ? totals.size - at : 0,
    drain(at: number, rowsMax: number, out: Output): number {
      const end = Math.min(totals.size, at + rowsMax);
      const rows: unknown[][] = [];
      for (let slot = at; slot < end; slot++) {
        rows.push([totals.keyOf(slot)[0], totals.number("count").values[slot], totals.wide("total").lo[slot]]);
      }
      out.emit("out", {
        rows: rows.length,
        type: TOTALS_TYPE,
        columns: TOTALS_TYPE.fields.map((field, index) => columnOf(field.type, rows.map((row) => row[index]))),
        meta: makeMeta("totals", 0, Float64Array.from(rows, (_, index) => at + index + 1)),
      });
      return end;
    },
  };
}
