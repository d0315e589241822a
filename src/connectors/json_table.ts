/** JSON objects as rows of texts. Invariant: a number is the text that stands there, never a double made of it. */

/** One object per text; a text that is none stands in the column `value` as it is. Absent members are empty. */
export function jsonTable(
  texts: readonly string[],
): { readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] } {
  const records = texts.map(membersOf);
  const columns = [...new Set(records.flatMap((record) => [...record.keys()]))];
  return { columns, rows: records.map((record) => columns.map((column) => record.get(column) ?? "")) };
}

/** A parsed number as it was written. */
class Written {
  constructor(readonly text: string) {}
}

function membersOf(text: string): ReadonlyMap<string, string> {
  let value: unknown;
  try {
    const reviver = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
      typeof value === "number" ? new Written(context?.source ?? String(value)) : value;
    value = JSON.parse(text, reviver);
  } catch {
    value = null; // Raw bytes are not always JSON; they stand as they are.
  }
  if (value === null || typeof value !== "object" || Array.isArray(value) || value instanceof Written) return new Map([["value", text]]);
  return new Map(Object.entries(value).map(([name, member]) => [name, textOf(member)]));
}

function textOf(value: unknown): string {
  if (value instanceof Written) return value.text;
  if (Array.isArray(value)) return `[${value.map(textOf).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${textOf(member)}`).join(",")}}`;
}
