/** Rows of the ledger as lines that compare, wherever they were read: the table's values, texts of files, records of a topic. */
import { LEDGER_TYPE } from "./operators.ts";

export const [ID, ACCOUNT, AMOUNT, BALANCE, DECIDED_AT] = ["id", "account", "amount", "balance", "decided_at"].map((name) =>
  LEDGER_TYPE.fields.findIndex((field) => field.name === name)
) as [number, number, number, number, number];

/** Of run-time values. */
export function tableLine(values: readonly unknown[]): string {
  return values.map((value, index) => index === AMOUNT || index === BALANCE ? (value as number / 100).toFixed(2) : String(value)).join("|");
}

/** Of the texts of a file. */
export function fileLine(row: readonly string[]): string {
  return row.map((text, index) => index === DECIDED_AT ? String(microsOf(text)) : text).join("|");
}

/** The texts of a JSON row. */
export function jsonRow(json: string): string[] {
  const row = JSON.parse(json);
  return LEDGER_TYPE.fields.map(({ name }, index) => index === AMOUNT || index === BALANCE ? row[name].toFixed(2) : String(row[name]));
}

/** Microseconds of an RFC 3339 time in UTC. */
function microsOf(text: string): number {
  const [, seconds, fraction] = /^(.{19})(?:\.(\d+))?(?:Z|\+00:00)$/.exec(text) ?? [];
  return Date.parse(`${seconds}Z`) * 1000 + Number((fraction ?? "").padEnd(6, "0"));
}

/** Where two lists part, in words; null when they are equal. */
export function firstDifference(actual: readonly string[], wished: readonly string[]): string | null {
  for (let index = 0; index < Math.max(actual.length, wished.length); index++) {
    if (actual[index] === wished[index]) continue;
    return `row ${index + 1} of ${actual.length} is ${actual[index] ?? "missing"}, wished (of ${wished.length}) ${
      wished[index] ?? "nothing"
    }`;
  }
  return null;
}
