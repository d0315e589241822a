/**
 * Structs of plain values, standing in a record as an object or as text that holds one (how change data capture sends columns of JSON),
 * by generated code: for layouts that were met often, and for any. Invariant: a value that it takes is what convert.ts would give; it may
 * refuse any. What was learned and remembered changes no result.
 */
import type { DecoderSpec } from "../codec.ts";
import { createWriter } from "../bytes.ts";
import type { Field, Type } from "../types.ts";
import { unescape } from "./escape.ts";
import { layoutOf, layoutText } from "./layout.ts";
import { ShortTexts } from "./short_texts.ts";
import { met, skipString, skipValue } from "./skip.ts";
import { compileStructTemplate } from "./struct_template.ts";
import { compileStructCode } from "./struct_code.ts";

/** Reads the value at `at` into `into[row]`, where that is wished, and gives the place behind it, or -1. Sets `met`. */
export type ValueReader = (bytes: Uint8Array, view: DataView, at: number, to: number, into: unknown[] | null, row: number) => number;

const READABLE: ReadonlySet<Type["kind"]> = new Set(["string", "int", "decimal", "double", "bool"]);
const FIELDS_MAX = 30;

/** Values that no template fitted before the layout of one is learned, the templates kept, and those that are ever made. */
const MISSES_BEFORE_LEARNING = 16;
const TEMPLATES_MAX = 2;
const COMPILATIONS_MAX = 8;
const LAYOUT_LENGTH_MAX = 2048;

/** A reader of this field; null where its type holds more than plain values, or names must be known. */
export function compileStructReader(field: Field, spec: DecoderSpec): ValueReader | null {
  const { type } = field;
  if (type.kind !== "struct" || spec.unknownFields === "reject") return null;
  const { fields } = type;
  const isPlain = fields.every((each) => READABLE.has(each.type.kind) && each.oneOf === undefined && each.name !== "__proto__");
  if (!isPlain || fields.length === 0 || fields.length > FIELDS_MAX) return null;
  const reader = new StructReader(fields, type.nullable);
  return (bytes, view, at, to, into, row) => reader.read(bytes, view, at, to, into, row);
}

interface Template {
  readonly text: string;
  readonly read: ValueReader;
}

class StructReader {
  readonly #texts = new ShortTexts();
  readonly #any: ValueReader;
  /** Of objects, and of texts that hold them. */
  readonly #objects: Template[] = [];
  readonly #held: Template[] = [];
  readonly #text = createWriter(256);
  #misses = 0;
  #compilations = COMPILATIONS_MAX;

  constructor(private readonly fields: readonly Field[], private readonly isNullable: boolean) {
    this.#any = compileStructCode(fields, this.#texts);
  }

  read(bytes: Uint8Array, view: DataView, at: number, to: number, into: unknown[] | null, row: number): number {
    met.high = 0;
    const byte = bytes[at];
    if (byte === 34) {
      const end = tryAll(this.#held, bytes, view, at, to, into, row);
      return end >= 0 ? end : this.#readText(bytes, view, at, to, into, row);
    }
    if (byte === 123) {
      const end = tryAll(this.#objects, bytes, view, at, to, into, row);
      return end >= 0 ? end : this.#readObject(bytes, view, at, to, into, row);
    }
    if (byte !== 110 || !this.isNullable) return -1;
    const end = skipValue(bytes, view, at, to);
    if (end >= 0 && into !== null) into[row] = null;
    return end;
  }

  #readObject(bytes: Uint8Array, view: DataView, at: number, to: number, into: unknown[] | null, row: number): number {
    met.high = 0;
    const end = this.#any(bytes, view, at, to, into, row);
    if (end >= 0) this.#missed(this.#objects, bytes, at, end, "object");
    return end;
  }

  #readText(bytes: Uint8Array, view: DataView, at: number, to: number, into: unknown[] | null, row: number): number {
    met.high = 0;
    const end = skipString(bytes, view, at + 1, to);
    if (end < 0) return -1;
    if (end === at + 2) {
      if (!this.isNullable) return -1;
      if (into !== null) into[row] = null;
      return end;
    }
    const text = this.#text;
    text.length = 0;
    if (!unescape(bytes, at + 1, end - 1, text)) return -1;
    const { high } = met;
    // Behind it a byte may be looked at that ends whatever there is.
    text.reserve(1);
    text.bytes[text.length] = 0;
    const { length } = text;
    if (this.#any(text.bytes, text.view, 0, length, into, row) !== length) return -1;
    met.high = high;
    this.#missed(this.#held, text.bytes, 0, length, "text");
    return end;
  }

  #missed(templates: Template[], bytes: Uint8Array, from: number, to: number, form: "object" | "text"): void {
    if (++this.#misses < MISSES_BEFORE_LEARNING || this.#compilations === 0) return;
    this.#misses = 0;
    const layout = layoutOf(bytes, from, to);
    if (layout === null) return;
    const text = layoutText(layout);
    if (text.length > LAYOUT_LENGTH_MAX || templates.some((known) => known.text === text)) return;
    this.#compilations--;
    templates.unshift({ text, read: compileStructTemplate(this.fields, layout, form, this.#texts) });
    if (templates.length > TEMPLATES_MAX) templates.pop();
  }
}

function tryAll(
  templates: readonly Template[],
  bytes: Uint8Array,
  view: DataView,
  at: number,
  to: number,
  into: unknown[] | null,
  row: number,
): number {
  for (let i = 0; i < templates.length; i++) {
    const end = templates[i].read(bytes, view, at, to, into, row);
    if (end >= 0) return end;
  }
  return -1;
}
