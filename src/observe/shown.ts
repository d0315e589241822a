/**
 * Values as they may be shown to whoever looks on. Invariant: a field with a tag is never spelled out, at whatever depth it stands, and
 * neither is a number that could be an account's, whatever field it stands in.
 */
import type { Batch, Column } from "../data/batch.ts";
import { cell } from "../data/columns.ts";
import { jsonText } from "../data/json/mod.ts";
import type { Field, RecordType, Type } from "../data/types.ts";
import { SAMPLE_LENGTH_MAX, SHOWN_ITEMS_MAX, SHOWN_LENGTH_MAX } from "./limits.ts";

/** What stands for a value that must not be shown. */
export const HIDDEN = "••••";
/** 12 to 19 digits, with blanks or hyphens between them. */
const ACCOUNT_LIKE = /(?<![\d.])\d(?:[ -]?\d){11,18}(?![\d])/g;

/** The text with everything that passes for such a number hidden but for its last four digits. */
export function hideAccounts(text: string): string {
  return text.replace(ACCOUNT_LIKE, (found) => {
    const digits = found.replaceAll(/\D/g, "");
    return passesLuhn(digits) ? HIDDEN + digits.slice(-4) : found;
  });
}

/** The check digit that such numbers carry. */
function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    let digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    if (i % 2 === 1) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 === 0;
}

/** One value of a batch; "" for null. */
export function shownCell(field: Field, column: Column, row: number): string {
  return shownValue(field, cell(column, field.type, row));
}

/** A run-time value; "" for null. */
export function shownValue(field: Field, value: unknown): string {
  if (value === null || value === undefined) return "";
  if (field.tag !== undefined) return HIDDEN;
  const text = jsonText({ ...field, type: field.type }, withoutTagged(field.type, value), {});
  return clip(hideAccounts(text.startsWith('"') ? JSON.parse(text) as string : text), SHOWN_LENGTH_MAX);
}

/** The value with tagged fields inside it left out, and long lists cut. */
function withoutTagged(type: Type, value: unknown): unknown {
  if (value === null || value === undefined) return value;
  switch (type.kind) {
    case "list":
      return (value as unknown[]).slice(0, SHOWN_ITEMS_MAX).map((item) => withoutTagged(type.item, item));
    case "map":
      return new Map(
        [...value as Map<unknown, unknown>].slice(0, SHOWN_ITEMS_MAX).map(([key, item]) => [key, withoutTagged(type.value, item)]),
      );
    case "struct": {
      const struct = value as Readonly<Record<string, unknown>>;
      return Object.fromEntries(
        type.fields.map(({ name, tag, type: inner }) => [name, tag === undefined ? withoutTagged(inner, struct[name]) : null]),
      );
    }
    default:
      return value;
  }
}

/** Names of all tagged fields, at any depth. */
export function taggedNames(type: RecordType): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = ({ fields }: RecordType): void => {
    for (const { name, tag, type: inner } of fields) {
      if (tag !== undefined) names.add(name);
      for (let at: Type = inner;;) {
        if (at.kind === "struct") visit(at);
        if (at.kind === "list") at = at.item;
        else if (at.kind === "map") at = at.value;
        else break;
      }
    }
  };
  visit(type);
  return names;
}

/** One row of a batch as texts in the order of `fields`, which are places in its type; "" where a field was not read. */
export function shownRow(batch: Batch, fields: readonly number[], row: number): string[] {
  return fields.map((i) => {
    const column = batch.columns[i];
    return column ? shownCell(batch.type.fields[i], column, row) : "";
  });
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A refused record. Where its schema has tagged fields, only a record that can be taken apart is shown, without them: of a damaged one
 * nobody can say what stands where.
 */
export function shownRecord(raw: Uint8Array, tagged: ReadonlySet<string>): string {
  if (tagged.size === 0) return clip(hideAccounts(decoder.decode(raw.subarray(0, SAMPLE_LENGTH_MAX * 4))), SAMPLE_LENGTH_MAX);
  try {
    const record: unknown = JSON.parse(decoder.decode(raw));
    const text = JSON.stringify(record, (name, value) => tagged.has(name) ? HIDDEN : hiddenInside(value, tagged));
    return clip(hideAccounts(text), SAMPLE_LENGTH_MAX);
  } catch {
    return `(${raw.length} bytes, not shown: the schema has tagged fields, and the record cannot be taken apart)`;
  }
}

/** JSON within a text may hold a tagged field too. */
function hiddenInside(value: unknown, tagged: ReadonlySet<string>): unknown {
  if (typeof value !== "string" || ![...tagged].some((name) => value.includes(name))) return value;
  return HIDDEN;
}

function clip(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 1)}…`;
}
