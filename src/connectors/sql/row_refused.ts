/**
 * A target that does not take a row for what the row holds. Invariant: it is thrown only where the row alone is at fault: taken without
 * it, the others may go in. Connections, permissions and missing tables are never told so; and no value of a row is in what is told.
 */
import { MillraceError } from "../../data/fault.ts";
import type { RefusedRow } from "../../engine/contracts.ts";

/** Why, in the words that rejects carry in their reason, and what that says to a person. */
export const REFUSALS = {
  missing: "null for a column that must not be null",
  range: "a number or a time is outside of its column's range",
  "too-long": "a text is longer than its column",
  type: "a value is none of its column's type",
  scale: "the column cannot keep the value exactly",
  duplicate: "a row has the key of another",
  check: "a row does not meet a check of the table",
  reference: "a row refers to one that is not there, or another one refers to it",
  encoding: "a text has a character that the database does not keep",
  trigger: "a trigger of the table refuses the row",
  value: "a value was refused",
} as const;
export type Refusal = keyof typeof REFUSALS;

export class RowRefused extends MillraceError {
  constructor(
    code: string,
    message: string,
    readonly refusal: Refusal,
    /** The column, key or constraint, where the target names one. */
    readonly place: string | null,
    hint?: string,
  ) {
    super(code, message, { hint });
  }

  /** "missing:amount". */
  get reason(): string {
    return this.place === null ? this.refusal : `${this.refusal}:${this.place}`;
  }
  /** For the reject: says nothing that the target's own words might quote. */
  get told(): string {
    return this.place === null ? REFUSALS[this.refusal] : `${REFUSALS[this.refusal]} (${this.place})`;
  }
}

/** Row `row` of an epoch, as it is recorded. */
export const refusedRow = (row: number, fault: RowRefused): RefusedRow => ({ row, code: fault.reason, message: fault.told });
