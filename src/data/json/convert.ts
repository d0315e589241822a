/**
 * From JSON values to run-time values of a type: the rules of the slow path, and of everything nested. Invariant: a value comes
 * out only when it is exactly what the JSON said; otherwise a Refusal with the uniform code.
 */
import type { DecoderSpec } from "../codec.ts";
import { failureCode, parseDecimal, parseDecimalBytes, parseDoubleBytes } from "../decimal.ts";
import { type NumberReader, numberReader, timeTextOf } from "../field_text.ts";
import { type Field, isNumeric, type Type } from "../types.ts";
import { NOT_THIS_TYPE, Refusal } from "./refusal.ts";
import { DAYS_LEAST, DAYS_MOST, isDays, TEXT_TOO } from "./change_rows.ts";
import { type JsonNode, JsonNumber, readJson } from "./reader.ts";

/** Gives the run-time value, null for null, or a Refusal. */
export type Converter = (node: JsonNode, bytes: Uint8Array) => unknown;

const NOT_JSON = new Refusal("json");
const MISSING = new Refusal("missing");
const OVERFLOW = new Refusal("range");
const ONE_OF = new Refusal("one_of");
/** Names of unknown fields come from the input: reject codes stay short. */
const NAME_LENGTH_MAX = 100;

type Rules = Pick<DecoderSpec, "numericText" | "unknownFields" | "changes">;

/** How a field's JSON is read. */
export function converterOf(field: Field, rules: Rules): Converter {
  const { type } = field;
  const convert = withoutNullOf(field, rules);
  return (node, bytes) => {
    if (node === null) return type.nullable ? null : NOT_THIS_TYPE;
    if (node === "" && type.nullable && isNoneInText(type, rules)) return null;
    return convert(node, bytes);
  };
}

/** Where a value may stand in text, no text is no value. */
function isNoneInText(type: Type, { numericText, changes }: Rules): boolean {
  if (isNumeric(type)) return numericText === "accept";
  return type.kind === "json" ? changes !== undefined : type.kind !== "string";
}

/** The members of an object as values by field; a Refusal names the first field that is wrong, unknown ones first. */
export function membersConverter(
  fields: readonly Field[],
  rules: Rules,
): (members: ReadonlyMap<string, JsonNode>, bytes: Uint8Array) => unknown[] | Refusal {
  const converters = fields.map((field) => converterOf(field, rules));
  const names = new Set(fields.map((field) => field.name));
  return (members, bytes) => {
    if (rules.unknownFields === "reject") {
      for (const name of members.keys()) if (!names.has(name)) return new Refusal("unknown", "." + name.slice(0, NAME_LENGTH_MAX));
    }
    const values = new Array<unknown>(fields.length);
    for (let i = 0; i < fields.length; i++) {
      const node = members.get(fields[i].name);
      const missing = fields[i].type.nullable ? null : MISSING;
      const value = node === undefined ? missing : converters[i](node, bytes);
      if (value instanceof Refusal) return new Refusal(value.code, `.${fields[i].name}${value.path}`);
      values[i] = value;
    }
    return values;
  };
}

function withoutNullOf(field: Field, rules: Rules): Converter {
  const { type } = field;
  switch (type.kind) {
    case "string": {
      const allowed = field.oneOf && new Set(field.oneOf);
      return (node) => typeof node !== "string" ? NOT_THIS_TYPE : allowed?.has(node) === false ? ONE_OF : node;
    }
    case "bool":
      if (field.format !== TEXT_TOO) return (node) => typeof node === "boolean" ? node : NOT_THIS_TYPE;
      return (node) => typeof node === "boolean" ? node : node === "true" || node === "false" ? node === "true" : NOT_THIS_TYPE;
    case "int":
    case "decimal":
    case "double":
      return numberConverter(field, rules);
    case "date":
      return isDays(field, rules) ? daysConverter(field) : textConverter(field);
    case "timestamp":
    case "duration":
      return textConverter(field);
    case "json":
      return rules.changes === undefined ? jsonConverter : orInText(field, jsonConverter);
    case "null":
      return () => NOT_THIS_TYPE;
    case "list":
      return orInText(field, listConverter(itemField(field, type.item), rules));
    case "map":
      return orInText(field, mapConverter(type.key, itemField(field, type.value), rules));
    case "struct":
      return orInText(field, structConverter(type.fields, rules));
  }
}
/** The JSON, or text that holds it: how change data capture sends columns of JSON. */
function orInText({ type }: Field, convert: Converter): Converter {
  return (node, bytes) => {
    if (typeof node !== "string") return convert(node, bytes);
    const text = encoder.encode(node);
    const held = readJson(text, 0, text.length);
    if (held === undefined) return NOT_JSON;
    if (held === null) return type.nullable ? null : NOT_THIS_TYPE;
    return convert(held, text);
  };
}
/** Items are read like a field of their type: with the list's pattern and zone. */
function itemField(field: Field, type: Type): Field {
  return { ...field, type };
}

function orRefusal(value: number): number | Refusal {
  return value - value === 0 ? value : new Refusal(failureCode(value));
}
const encoder = new TextEncoder();
function readText(reader: NumberReader, text: string): number | Refusal {
  const bytes = encoder.encode(text);
  return orRefusal(reader(bytes, 0, bytes.length));
}
function numberConverter(field: Field, rules: Rules): Converter {
  const json = numberReader(field, "json")!;
  const text = numberReader(field, "text")!;
  return (node, bytes) => {
    if (node instanceof JsonNumber) return orRefusal(json(bytes, node.from, node.to));
    return typeof node === "string" && rules.numericText === "accept" ? readText(text, node) : NOT_THIS_TYPE;
  };
}
function textConverter(field: Field): Converter {
  const reader = timeTextOf(field)?.parseBytes ?? numberReader(field, "text")!;
  return (node) => typeof node === "string" ? readText(reader, node) : NOT_THIS_TYPE;
}
const jsonConverter: Converter = (node, bytes) => isFinite(node, bytes) ? plainJson(node, bytes) : OVERFLOW;
function daysConverter(field: Field): Converter {
  const text = textConverter(field);
  return (node, bytes) => {
    if (!(node instanceof JsonNumber)) return text(node, bytes);
    const days = parseDecimalBytes(bytes, node.from, node.to, 0, "json");
    return days - days === 0 && (days < DAYS_LEAST || days > DAYS_MOST) ? OVERFLOW : orRefusal(days);
  };
}
function listConverter(item: Field, rules: Rules): Converter {
  const convert = converterOf(item, rules);
  return (node, bytes) => {
    if (!Array.isArray(node)) return NOT_THIS_TYPE;
    const items: unknown[] = [];
    for (const each of node as readonly JsonNode[]) {
      const value = convert(each, bytes);
      if (value instanceof Refusal) return value;
      items.push(value);
    }
    return items;
  };
}
function mapConverter(key: Type, item: Field, rules: Rules): Converter {
  const convert = converterOf(item, rules);
  return (node, bytes) => {
    if (!(node instanceof Map)) return NOT_THIS_TYPE;
    const map = new Map<unknown, unknown>();
    for (const [name, each] of node as ReadonlyMap<string, JsonNode>) {
      const mapKey = key.kind === "int" ? orRefusal(parseDecimal(name, 0)) : name;
      if (mapKey instanceof Refusal) return mapKey;
      const value = convert(each, bytes);
      if (value instanceof Refusal) return value;
      map.set(mapKey, value);
    }
    return map;
  };
}
function structConverter(fields: readonly Field[], rules: Rules): Converter {
  const convert = membersConverter(fields, rules);
  return (node, bytes) => {
    if (!(node instanceof Map)) return NOT_THIS_TYPE;
    const values = convert(node, bytes);
    return values instanceof Refusal ? values : objectOf(fields.map((field, i) => [field.name, values[i]]));
  };
}
/** What JSON.parse gives. */
function plainJson(node: JsonNode, bytes: Uint8Array): unknown {
  if (node instanceof JsonNumber) return doubleOf(node, bytes);
  if (Array.isArray(node)) return node.map((item) => plainJson(item, bytes));
  if (node instanceof Map) return objectOf([...node].map(([name, value]) => [name, plainJson(value, bytes)]));
  return node;
}
/** Whether every number fits a double: an infinity could not be written again. */
function isFinite(node: JsonNode, bytes: Uint8Array): boolean {
  if (node instanceof JsonNumber) return Number.isFinite(doubleOf(node, bytes));
  if (Array.isArray(node)) return node.every((item) => isFinite(item, bytes));
  return node instanceof Map ? [...node.values()].every((value) => isFinite(value, bytes)) : true;
}
function doubleOf(node: JsonNumber, bytes: Uint8Array): number {
  return parseDoubleBytes(bytes, node.from, node.to, "json");
}
/** Unlike assignment, fromEntries makes "__proto__" a field like any other. */
function objectOf(entries: [string, unknown][]): unknown {
  return Object.fromEntries(entries);
}
