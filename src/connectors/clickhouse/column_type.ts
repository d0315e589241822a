/**
 * The types of ClickHouse columns, from the text in which the server tells them.
 *
 *     type = name | name "(" argument ("," argument)* ")"
 *     argument = type | number | "'" text "'"
 *
 * Invariant: a type that this connector cannot write is `other`, never mistaken for one that it can.
 */
export type ColumnType =
  | { readonly kind: "int"; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean }
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number }
  | { readonly kind: "float64" | "bool" | "string" | "date" | "date32" | "datetime" }
  | { readonly kind: "datetime64"; readonly decimals: number }
  | { readonly kind: "nullable"; readonly of: ColumnType }
  | { readonly kind: "array"; readonly item: ColumnType }
  | { readonly kind: "map"; readonly key: ColumnType; readonly value: ColumnType }
  | { readonly kind: "other"; readonly text: string };

const PLAIN: Readonly<Record<string, ColumnType>> = {
  Float64: { kind: "float64" },
  Bool: { kind: "bool" },
  String: { kind: "string" },
  Date: { kind: "date" },
  Date32: { kind: "date32" },
  DateTime: { kind: "datetime" },
};
/** Digits beyond which a decimal no longer fits 16 bytes. */
const DECIMAL_DIGITS_MAX = 38;

/** The type that the server calls `text`. */
export function parseColumnType(text: string): ColumnType {
  const [, name, rest] = /^\s*(\w+)\s*(?:\((.*)\))?\s*$/s.exec(text) ?? [];
  const other: ColumnType = { kind: "other", text };
  if (name === undefined) return other;
  const parts = rest === undefined ? [] : splitArguments(rest);
  const number = (at: number) => Number(parts[at]);
  const integer = /^(U?)Int(8|16|32|64)$/.exec(name);
  if (integer && parts.length === 0) return { kind: "int", bits: Number(integer[2]) as 8 | 16 | 32 | 64, signed: integer[1] === "" };
  switch (name) {
    case "LowCardinality":
      // How a column is kept, not what is sent.
      return parseColumnType(parts[0] ?? "");
    case "Nullable":
      return { kind: "nullable", of: parseColumnType(parts[0] ?? "") };
    case "Array":
      return { kind: "array", item: parseColumnType(parts[0] ?? "") };
    case "Map":
      return { kind: "map", key: parseColumnType(parts[0] ?? ""), value: parseColumnType(parts[1] ?? "") };
    case "Decimal":
      return number(0) <= DECIMAL_DIGITS_MAX ? { kind: "decimal", precision: number(0), scale: number(1) } : other;
    case "DateTime64":
      return { kind: "datetime64", decimals: number(0) };
    default:
      return name === "DateTime" || parts.length === 0 ? PLAIN[name] ?? other : other;
  }
}

/** Splits at commas that stand in no parentheses and no quotes. */
function splitArguments(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === "'" && text[at - 1] !== "\\") quoted = !quoted;
    if (quoted) continue;
    if (letter === "(") depth++;
    if (letter === ")") depth--;
    if (letter === "," && depth === 0) {
      parts.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  return [...parts, text.slice(from).trim()];
}
