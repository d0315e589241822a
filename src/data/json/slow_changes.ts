/** Changes one record at a time, by the rules alone: what the compiled way must agree with, and where it sends what it does not know. */
import { type ChangeRules, type DecoderSpec, DELETE_DROPPED, DELETE_PASSED } from "../codec.ts";
import type { DecodedColumns } from "../decoded_columns.ts";
import { isUtf8 } from "../utf8.ts";
import { type Change, type ChangeForms, isFlagged } from "./change_rows.ts";
import { converterOf, membersConverter } from "./convert.ts";
import { type JsonNode, readJson } from "./reader.ts";
import { Refusal } from "./refusal.ts";

/** What becomes of the records of one call. */
export interface ChangeMarks {
  /** Per record, as Decoded.deleted. */
  readonly deleted: Uint8Array;
  /** Per record: 0 as it was read, 1 and 2 a row that was found in an envelope (2: of a delete). */
  readonly opened: Uint8Array;
  /** Whether `deleted` says anything. */
  any: boolean;
}
/** `opened` of a row that was found in an envelope. */
export const OPENED = 1;
export const OPENED_DELETE = 2;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Reads a record into the columns and marks it, or tells its reject code; null when it was good. */
export function compileSlowChanges(
  spec: DecoderSpec,
  rules: ChangeRules,
  forms: ChangeForms,
): (columns: DecodedColumns, row: number, marks: ChangeMarks) => string | null {
  const { fields } = spec.type;
  const convert = membersConverter(fields, spec);
  const converters = fields.map((field) => converterOf(field, spec));
  const key = fields.findIndex((field) => field.name === rules.key);

  function mark(marks: ChangeMarks, row: number, value: number): null {
    marks.deleted[row] = value;
    marks.any = true;
    return null;
  }
  /** Puts what can be read of a row of which only the key must be there; a Refusal where the key cannot be read. */
  function putKeyed(columns: DecodedColumns, row: number, members: ReadonlyMap<string, JsonNode>, bytes: Uint8Array): Refusal | null {
    for (let field = 0; field < fields.length; field++) {
      const node = members.get(fields[field].name);
      const value = node === undefined ? new Refusal("missing") : converters[field](node, bytes);
      if (!(value instanceof Refusal)) columns.put(field, row, value);
      else if (field === key) return new Refusal(value.code, `.${fields[field].name}${value.path}`);
      else columns.clear(field, row);
    }
    return null;
  }
  /** A record of which nothing is left but its key. */
  function putKey(columns: DecodedColumns, row: number, marks: ChangeMarks): null {
    const bytes = rules.deletes === "pass" ? columns.records.keyOf?.(row) ?? null : null;
    const members = bytes && keyMembers(bytes, rules.key);
    if (!members) return mark(marks, row, DELETE_DROPPED);
    const values = convert(members, bytes);
    if (!(values instanceof Refusal)) values.forEach((value, field) => columns.put(field, row, value));
    else if (key < 0 || putKeyed(columns, row, members, bytes) !== null) return mark(marks, row, DELETE_DROPPED);
    return mark(marks, row, DELETE_PASSED);
  }

  return (columns, row, marks) => {
    const { bytes, start, end } = columns.records;
    if (start[row] === end[row]) return putKey(columns, row, marks);
    const node = isUtf8(bytes, start[row], end[row]) ? readJson(bytes, start[row], end[row]) : undefined;
    if (node === undefined) return "json";
    const opened = marks.opened[row];
    const change: Change | Refusal | null = opened === 0
      ? forms.changeOf(node)
      : { members: node as ReadonlyMap<string, JsonNode>, kind: opened === OPENED_DELETE ? "delete" : "row" };
    if (change === null) return "json";
    if (change instanceof Refusal) return codeOf(change);
    const { members, kind } = change;
    if (members === null) return putKey(columns, row, marks);
    const isDelete = kind === "delete" || isFlagged(members);
    if (isDelete && rules.deletes === "drop") return mark(marks, row, DELETE_DROPPED);
    const values = convert(members, bytes);
    if (!(values instanceof Refusal)) values.forEach((value, field) => columns.put(field, row, value));
    else {
      const refusal = isDelete && key >= 0 ? putKeyed(columns, row, members, bytes) : values;
      if (refusal !== null) return codeOf(refusal);
    }
    return isDelete ? mark(marks, row, DELETE_PASSED) : null;
  };
}

const codeOf = ({ code, path }: Refusal): string => `${code}:${path.slice(1)}`;

/**
 * The columns that a record's key names: an object, bare or behind its schema, or, where one field is the key, its value or its text.
 * null where it names none.
 */
function keyMembers(bytes: Uint8Array, key: string | null): ReadonlyMap<string, JsonNode> | null {
  if (!isUtf8(bytes, 0, bytes.length)) return null;
  const node = readJson(bytes, 0, bytes.length);
  const held = node instanceof Map && node.has("payload") && node.has("schema") ? node.get("payload") : node;
  if (held instanceof Map) return held;
  if (key === null || bytes.length === 0) return null;
  return new Map([[key, typeof held === "string" ? held : decoder.decode(bytes)]]);
}
