/** The suite's types and values in ours. What has no counterpart throws, and the case has to be excluded. */
import { parseDuration, timestampText } from "../../src/data/time.ts";
import type { Type } from "../../src/data/types.ts";

const PRIMITIVES: Readonly<Record<string, Type["kind"]>> = { INT64: "int", STRING: "string", BOOL: "bool", DOUBLE: "double" };

/** A type of a type environment. */
export function typeFromSuite(type: Record<string, unknown>): Type {
  if (typeof type.primitive === "string" && type.primitive in PRIMITIVES) {
    return { kind: PRIMITIVES[type.primitive], nullable: false } as Type;
  }
  if ("null" in type) return { kind: "null", nullable: true };
  if (type.wellKnown === "TIMESTAMP") return { kind: "timestamp", nullable: false };
  if (type.wellKnown === "DURATION") return { kind: "duration", nullable: false };
  if (type.listType !== undefined) {
    return { kind: "list", item: typeFromSuite((type.listType as { elemType: Record<string, unknown> }).elemType), nullable: false };
  }
  if (type.mapType !== undefined) {
    const { keyType, valueType } = type.mapType as { keyType: Record<string, unknown>; valueType: Record<string, unknown> };
    return { kind: "map", key: typeFromSuite(keyType), value: typeFromSuite(valueType), nullable: false };
  }
  throw new Error(`no type for ${JSON.stringify(type)}`);
}

/** A value with the type it would have here. Doubles come as doubles, to be compared with what a literal gives. */
export function valueFromSuite(value: Record<string, unknown>): { readonly type: Type; readonly value: unknown } {
  const [[kind, content]] = Object.entries(value);
  switch (kind) {
    case "int64Value":
      return { type: { kind: "int", nullable: false }, value: Number(content) };
    case "boolValue":
      return { type: { kind: "bool", nullable: false }, value: content };
    case "stringValue":
      return { type: { kind: "string", nullable: false }, value: content };
    case "doubleValue":
      return { type: { kind: "double", nullable: false }, value: Number(content) };
    case "nullValue":
      return { type: { kind: "null", nullable: true }, value: null };
    case "listValue": {
      const items = ((content as { values?: Record<string, unknown>[] }).values ?? []).map(valueFromSuite);
      const item: Type = items[0]?.type ?? { kind: "null", nullable: false };
      return { type: { kind: "list", item, nullable: false }, value: items.map((one) => one.value) };
    }
    case "mapValue": {
      const entries = ((content as { entries?: { key: Record<string, unknown>; value: Record<string, unknown> }[] }).entries ?? [])
        .map((entry) => [valueFromSuite(entry.key), valueFromSuite(entry.value)] as const);
      const nothing: Type = { kind: "null", nullable: false };
      const type: Type = { kind: "map", key: entries[0]?.[0].type ?? nothing, value: entries[0]?.[1].type ?? nothing, nullable: false };
      return { type, value: new Map(entries.map(([key, one]) => [key.value, one.value])) };
    }
    case "objectValue": {
      const object = content as { "@type": string; value: string };
      if (object["@type"].endsWith(".Timestamp")) {
        return { type: { kind: "timestamp", nullable: false }, value: timestampText().parse(object.value) };
      }
      if (object["@type"].endsWith(".Duration")) return { type: { kind: "duration", nullable: false }, value: parseDuration(object.value) };
      throw new Error(`no value for ${object["@type"]}`);
    }
    default:
      throw new Error(`no value for ${kind}`);
  }
}
