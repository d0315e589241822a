/**
 * Shows a generated decoder the forms that values may take, before the rows of a large file. V8 compiles a loop for what it has seen,
 * and throws that away to compile it anew each time that a row takes a branch for the first time: the first null of a column, say, or
 * the first doubled quote, which may stand anywhere in a file. Invariant: nothing of it is seen by anybody.
 */
import type { DecoderSpec } from "../codec.ts";
import { DecodedColumns } from "../decoded_columns.ts";
import { timeTextOf } from "../field_text.ts";
import type { Field } from "../types.ts";
import type { FastCsv } from "./fast.ts";

/** V8 takes note of what it sees from about the eighth call on. */
const ROUNDS = 16;
/** By record: a form of text, and one of numbers. */
const FORMS = ["plain", "negative", "quoted", "doubled", "empty"] as const;
type Form = typeof FORMS[number];

/** Reads a made-up record of each form again and again. */
export function rehearse(fast: FastCsv, spec: DecoderSpec, header: readonly string[]): void {
  const fields = header.map((name) => spec.type.fields.find((field) => field.name === name) ?? null);
  const lines = FORMS.map((form) => new TextEncoder().encode(`${fields.map((field) => sampleOf(field, form)).join(",")}\n`));
  const bytes = new Uint8Array(lines.reduce((sum, line) => sum + line.length, 0));
  const start = new Int32Array(FORMS.length);
  const end = new Int32Array(FORMS.length);
  for (let i = 0, at = 0; i < lines.length; i++) {
    bytes.set(lines[i], at);
    start[i] = at;
    at += lines[i].length;
    end[i] = at - 1;
  }
  const columns = new DecodedColumns(spec, { bytes, start, end, rows: FORMS.length });
  // One after the other: which of them the decoder leaves to the slow path does not matter.
  for (let i = 0; i < ROUNDS * FORMS.length; i++) fast(columns, i % FORMS.length, i % FORMS.length + 1);
}

function sampleOf(field: Field | null, form: Form): string {
  if (form === "empty" && field?.type.nullable) return "";
  if (field === null || field.type.kind === "string") {
    if (field?.oneOf) return form === "quoted" ? `"${field.oneOf[0]}"` : field.oneOf[0];
    return { plain: "a", negative: "é", quoted: '"a"', doubled: '"a""b"', empty: "" }[form];
  }
  const value = plainOf(field);
  if (form === "quoted") return `"${value.replaceAll('"', '""')}"`;
  return form === "negative" && value === "1" ? "-1" : value;
}

function plainOf(field: Field): string {
  switch (field.type.kind) {
    case "int":
    case "decimal":
    case "double":
      return "1";
    case "bool":
      return "true";
    case "duration":
      return "1s";
    default:
      return timeTextOf(field)?.format(0) ?? "null";
  }
}
