/** Times for columns that keep fewer decimals of seconds than a field may have: a database would round them without a word. */
import type { TimeText } from "../../data/time_text.ts";
import type { Field } from "../../data/types.ts";
import { RowRefused } from "./row_refused.ts";

/** A time column as far as it matters here. */
export interface TimeColumn {
  readonly name: string;
  readonly declared: string;
  readonly secondDecimals: number;
}

/** `text`, but a time that is finer than its column throws `code`. */
export function exactTime(field: Field, column: TimeColumn, text: TimeText, code: string): TimeText {
  const unitMicros = 10 ** (6 - column.secondDecimals);
  if (unitMicros === 1) return text;
  return {
    ...text,
    write(value, bytes, at) {
      if (value % unitMicros === 0) return text.write(value, bytes, at);
      const message = `a time of field "${field.name}" is finer than its column ${column.name} ${column.declared}`;
      const hint = "declare the column with six decimals of seconds, or round the field in a `map`";
      throw new RowRefused(code, message, "scale", column.name, hint);
    },
  };
}
