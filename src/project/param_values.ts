/**
 * Values of parameters: from TOML (typed as written) and from text (--set, environment), both into the run-time form of
 * data/types.ts. Invariant: money never passes through a double.
 */
import { failureCode, formatDecimal, parseDecimal } from "../data/decimal.ts";
import { INTEGER_MAX } from "../data/limits.ts";
import { dateText, parseDuration, timestampText } from "../data/time.ts";
import type { Type } from "../data/types.ts";
import { typeText } from "../data/types.ts";
import type { TomlNode } from "./toml.ts";
import { DURATION_FORMS } from "./units.ts";

/** A value in its run-time form and as text; `text` is null for what cannot stand in a text (lists). */
export interface ParamValue {
  readonly value: unknown;
  readonly text: string | null;
  readonly shown: string;
}
/** Why a value does not fit its type. */
export interface ValueError {
  readonly error: string;
  readonly hint?: string;
}

const NULL_VALUE: ParamValue = { value: null, text: null, shown: "" };

/** Reads text by the declared type. Empty text is null where the type allows it; lists are "a, b" or ["a", "b"]. */
export function valueFromText(type: Type, text: string): ParamValue | ValueError {
  if (text === "" && type.nullable) return NULL_VALUE;
  switch (type.kind) {
    case "string":
      return scalar(text, text);
    case "bool":
      return text === "true" || text === "false" ? scalar(text === "true", text) : wrong(type, text, "write true or false");
    case "int":
      return number(type, text, 0);
    case "decimal":
      return number(type, text, type.scale);
    case "double": {
      const value = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : NaN;
      return Number.isFinite(value) ? scalar(value, text) : wrong(type, text);
    }
    case "duration":
      return time(type, text, parseDuration(text), DURATION_FORMS);
    case "timestamp":
      return time(type, text, timestampText().parse(text), "write it as in 2025-01-31T10:00:00Z");
    case "date":
      return time(type, text, dateText().parse(text), "write it as in 2025-01-31");
    case "list":
      return listFromText(type.item, text);
    default:
      return { error: `a parameter cannot have the type ${typeText(type)}` };
  }
}

/** Reads a TOML value whose strings are filled in already: `filled` says that this one came from a placeholder. */
export function valueFromToml(type: Type, node: TomlNode, textOf: (node: TomlNode) => FilledText | null): ParamValue | ValueError | null {
  if (node.kind === "string") {
    const filled = textOf(node);
    if (!filled) return null;
    if (!filled.filled && (type.kind === "int" || type.kind === "decimal" || type.kind === "double" || type.kind === "bool")) {
      return wrong(type, `"${filled.text}"`, "write it without quotes");
    }
    if (type.kind === "list") return wrong(type, `"${filled.text}"`, 'write a list: ["a", "b"]');
    return filled.text === "" && type.kind === "string" ? scalar("", "") : valueFromText(type, filled.text);
  }
  if (node.kind === "array") return type.kind === "list" ? listFromToml(type.item, node.items, textOf) : wrong(type, "a list");
  if (node.kind === "table") return wrong(type, "a table");
  const fits = node.kind === "integer"
    ? type.kind === "int" || type.kind === "decimal" || type.kind === "double"
    : node.kind === "float"
    ? type.kind === "decimal" || type.kind === "double"
    : node.kind === "boolean"
    ? type.kind === "bool"
    : type.kind === "timestamp" || type.kind === "date";
  return fits ? valueFromText(type, node.text) : wrong(type, node.text, type.kind === "string" ? "texts stand in quotes" : undefined);
}
interface FilledText {
  readonly text: string;
  readonly filled: boolean;
}

/** True when the value is one of the listed ones, compared in run-time form. */
export function isSameValue(a: unknown, b: unknown): boolean {
  return a === b || (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => isSameValue(item, b[i])));
}

const scalar = (value: unknown, text: string): ParamValue => ({ value, text, shown: text });

function wrong(type: Type, found: string, hint?: string): ValueError {
  return hint === undefined
    ? { error: `${found} is not of type ${typeText(type)}` }
    : { error: `${found} is not of type ${typeText(type)}`, hint };
}

function number(type: Type, text: string, scale: number): ParamValue | ValueError {
  const value = parseDecimal(text, scale);
  if (Number.isFinite(value)) return scalar(value, formatDecimal(value, scale));
  const code = failureCode(value);
  if (code === "scale") return { error: `${text} has more decimals than ${typeText(type)}`, hint: "numbers are never rounded silently" };
  if (code === "range") {
    return { error: `${text} is too large for ${typeText(type)}`, hint: `the largest is ${formatDecimal(INTEGER_MAX, scale)}` };
  }
  return wrong(type, text);
}

function time(type: Type, text: string, value: number, hint: string): ParamValue | ValueError {
  return Number.isFinite(value) ? scalar(value, text) : wrong(type, text, hint);
}

function listFromText(item: Type, text: string): ParamValue | ValueError {
  const parts = text.trim().startsWith("[") ? bracketed(text) : text === "" ? [] : text.split(",").map((part) => part.trim());
  if (!parts) return { error: `${text} is not a list`, hint: 'write a, b or ["a", "b"]' };
  return collect(parts.map((part) => valueFromText(item, part)));
}

/** A JSON list's items as text; numbers keep their written form only as far as JSON's own printing does, so they are re-read. */
function bracketed(text: string): string[] | null {
  const inner = /^\s*\[(.*)\]\s*$/s.exec(text)?.[1];
  if (inner === undefined) return null;
  const items: string[] = [];
  const pattern = /\s*("(?:[^"\\]|\\.)*"|[^",\s\][]+)\s*(,|$)/y;
  while (pattern.lastIndex < inner.length) {
    const parts = pattern.exec(inner);
    if (!parts) return inner.trim() === "" ? [] : null;
    try {
      items.push(parts[1].startsWith('"') ? String(JSON.parse(parts[1])) : parts[1]);
    } catch {
      return null;
    }
  }
  return items;
}

function listFromToml(
  item: Type,
  nodes: readonly TomlNode[],
  textOf: (node: TomlNode) => FilledText | null,
): ParamValue | ValueError | null {
  const values: (ParamValue | ValueError)[] = [];
  for (const node of nodes) {
    const value = valueFromToml(item, node, textOf);
    if (!value) return null;
    values.push(value);
  }
  return collect(values);
}

function collect(items: readonly (ParamValue | ValueError)[]): ParamValue | ValueError {
  const values: ParamValue[] = [];
  for (const item of items) {
    if ("error" in item) return item;
    values.push(item);
  }
  return { value: values.map(({ value }) => value), text: null, shown: `[${values.map(({ shown }) => shown).join(", ")}]` };
}
