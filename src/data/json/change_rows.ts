/**
 * What a change of a table's row looks like in JSON. Debezium writes either the row alone, with "__deleted" behind its columns, or the
 * row before and after within an envelope, and either of them bare or as the payload behind its schema:
 *
 *   change   := row | envelope | {"schema": any, "payload": row | envelope | null} | null
 *   row      := {column: value, ..., "__deleted"?: "true" | "false" | bool}
 *   envelope := {"op": "c" | "r" | "u" | "d", "before": row | null, "after": row | null, ...}
 *
 * Which it is follows from the names of the members alone: those of a schema's own fields never make an envelope.
 */
import type { DecoderSpec } from "../codec.ts";
import { dateText } from "../time_text.ts";
import { type Field, type RecordType, type Type, withNull } from "../types.ts";
import { NOT_THIS_TYPE, Refusal } from "./refusal.ts";
import type { JsonNode } from "./reader.ts";

/** The column that tells deletes among unwrapped rows. */
export const DELETED = "__deleted";
/** The format of a bool that may stand in text: no schema can state it. */
export const TEXT_TOO = "text too";
const FLAG: Type = withNull({ kind: "bool", nullable: false });

/** The specification with a field that tells deletes: one more, the last one, where the schema has none of that name. */
export function asChanges(spec: DecoderSpec): DecoderSpec {
  const flag: Field = { name: DELETED, type: FLAG, format: TEXT_TOO };
  const own = spec.type.fields.some((field) => field.name === DELETED);
  const fields = own
    ? spec.type.fields.map((field) => field.name === DELETED && field.type.kind === "bool" ? { ...field, format: TEXT_TOO } : field)
    : [...spec.type.fields, flag];
  return { ...spec, type: { fields }, needed: new Set([...spec.needed, DELETED]) };
}

/** Dates of a table are numbers: days since 1970. One with a pattern of its own is text. */
export function isDays(field: Field, { changes }: Pick<DecoderSpec, "changes">): boolean {
  return field.type.kind === "date" && field.format === undefined && changes !== undefined;
}
/** The days that dates cover. */
export const DAYS_LEAST = dateText().parse("0001-01-01");
export const DAYS_MOST = dateText().parse("9999-12-31");

/** A row that was changed; `members` is null where nothing is known but the record's key. */
export interface Change {
  readonly members: ReadonlyMap<string, JsonNode> | null;
  readonly kind: "row" | "delete";
}
const NOTHING_LEFT: Change = { members: null, kind: "delete" };

/** Tells rows from envelopes and wrapped ones. */
export class ChangeForms {
  /** Members that make a record with `op` an envelope. */
  readonly #sides: readonly string[];
  readonly #wraps: boolean;

  constructor({ fields }: RecordType) {
    const own = new Set(fields.map((field) => field.name));
    this.#sides = ["before", "after"].filter((name) => !own.has(name));
    this.#wraps = !own.has("payload");
  }

  isEnvelope(has: (name: string) => boolean): boolean {
    return has("op") && this.#sides.some(has);
  }
  isWrapped(has: (name: string) => boolean): boolean {
    return this.#wraps && has("payload") && has("schema");
  }
  /** Whether a record of these keys is anything but a row. */
  isNoRow(keys: readonly string[]): boolean {
    const has = (name: string): boolean => keys.includes(name);
    return this.isEnvelope(has) || this.isWrapped(has);
  }

  /** The change that a record tells, by the rules; null where it is neither an object nor null. */
  changeOf(node: JsonNode): Change | Refusal | null {
    if (node === null) return NOTHING_LEFT;
    if (!(node instanceof Map)) return null;
    const members = node as ReadonlyMap<string, JsonNode>;
    const has = (name: string): boolean => members.has(name);
    if (!this.isWrapped(has)) return this.isEnvelope(has) ? opened(members) : { members, kind: "row" };
    const payload = members.get("payload")!;
    if (payload === null) return NOTHING_LEFT;
    if (!(payload instanceof Map)) return new Refusal(NOT_THIS_TYPE.code, ".payload");
    const held = payload as ReadonlyMap<string, JsonNode>;
    return this.isEnvelope((name) => held.has(name)) ? opened(held) : { members: held, kind: "row" };
  }
}

function opened(envelope: ReadonlyMap<string, JsonNode>): Change | Refusal {
  const op = envelope.get("op");
  if (typeof op !== "string") return new Refusal(NOT_THIS_TYPE.code, ".op");
  if (!["c", "r", "u", "d"].includes(op)) return new Refusal("one_of", ".op");
  const kind = op === "d" ? "delete" : "row";
  const side = kind === "delete" ? "before" : "after";
  const row = envelope.get(side) ?? null;
  if (row instanceof Map) return { members: row as ReadonlyMap<string, JsonNode>, kind };
  if (row !== null) return new Refusal(NOT_THIS_TYPE.code, `.${side}`);
  return kind === "delete" ? NOTHING_LEFT : new Refusal("missing", `.${side}`);
}

/** Whether the row says of itself that it is deleted. */
export function isFlagged(members: ReadonlyMap<string, JsonNode>): boolean {
  const flag = members.get(DELETED);
  return flag === true || flag === "true";
}
