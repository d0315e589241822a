/**
 * Field types. DESIGN.md section 3: money is an integer count of 10^-scale, time is integer microseconds, and nothing
 * is null unless its type says so.
 */
interface Nullable {
  readonly nullable: boolean;
}
export type Type =
  & Nullable
  & (
    | { readonly kind: "int" | "double" | "string" | "bool" | "timestamp" | "date" | "duration" | "json" | "null" }
    | { readonly kind: "decimal"; readonly scale: number }
    | {
      readonly kind: "list";
      readonly item: Type;
      /** It has an element at least: known of some computed lists, never declared. */
      readonly filled?: true;
    }
    | { readonly kind: "map"; readonly key: Type; readonly value: Type }
    | { readonly kind: "struct"; readonly fields: readonly Field[] }
  );

/** A named field with what is needed to read and write its text. */
export interface Field {
  readonly name: string;
  readonly type: Type;
  /**
   * timestamp, date: the text pattern (yyyy MM dd HH mm ss SSS SSSSSS XXX xxx 'quoted'); or, for a
   * timestamp, epoch_s, epoch_ms or epoch_us: a number since 1970. Absent: RFC 3339.
   */
  readonly format?: string;
  /** timestamp: the IANA zone of text without one. Absent: such text is rejected (`type:F`). */
  readonly zone?: string;
  readonly oneOf?: readonly string[];
  /** For example "pan": masked wherever people look (logs, rejects listing, dashboard); sinks get it whole. */
  readonly tag?: string;
}

/** The shape of a record: its fields in column order. */
export interface RecordType {
  readonly fields: readonly Field[];
}

/*
 * How a value of each type looks at run time, in columns and in compiled expressions:
 *   int, decimal, timestamp (µs), date (days since 1970), duration (µs)   number, an exact integer within ±(2^53-1)
 *   double  number      bool  boolean in expressions, 0 or 1 in columns      string  string
 *   list  array      map  Map      struct, json  plain object (json: anything JSON.parse gives)      null  null
 */
export const INT: Type = { kind: "int", nullable: false };
export const DOUBLE: Type = { kind: "double", nullable: false };
export const STRING: Type = { kind: "string", nullable: false };
export const BOOL: Type = { kind: "bool", nullable: false };
export const TIMESTAMP: Type = { kind: "timestamp", nullable: false };
export const DATE: Type = { kind: "date", nullable: false };
export const DURATION: Type = { kind: "duration", nullable: false };
export const NULL: Type = { kind: "null", nullable: true };
export const decimalOf = (scale: number): Type => ({ kind: "decimal", scale, nullable: false });
export const listOf = (item: Type): Type => ({ kind: "list", item, nullable: false });

export function withNull(type: Type): Type {
  return type.nullable ? type : { ...type, nullable: true };
}
export function withoutNull(type: Type): Type {
  return type.nullable ? { ...type, nullable: false } : type;
}
/** "int", "decimal(2)?", "list<string>": the notation of configuration files. */
export function typeText(type: Type): string {
  const mark = type.nullable && type.kind !== "null" ? "?" : "";
  switch (type.kind) {
    case "decimal":
      return `decimal(${type.scale})${mark}`;
    case "list":
      return `list<${typeText(type.item)}>${mark}`;
    case "map":
      return `map<${typeText(type.key)}, ${typeText(type.value)}>${mark}`;
    case "struct":
      return `struct{${type.fields.map((f) => `${f.name}: ${typeText(f.type)}`).join(", ")}}${mark}`;
    default:
      return type.kind + mark;
  }
}
/** True where a column holds the values as numbers (bool: 0 and 1). */
export function isNumeric(type: Type): boolean {
  return type.kind === "int" || type.kind === "decimal" || type.kind === "double" || type.kind === "timestamp" ||
    type.kind === "date" || type.kind === "duration" || type.kind === "bool";
}
