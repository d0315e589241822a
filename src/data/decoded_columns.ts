/**
 * Where decoders put what they read: one store per needed field, and an arena for text that does not stand in the input as it is
 * (escapes). Invariant: positions at or above `arenaBase` point into the arena, all others into the records' own bytes;
 * `finish` lays both out in one buffer only when the arena was used.
 */
import type { Column } from "./batch.ts";
import { createWriter, putText } from "./bytes.ts";
import { type ByteWriter, type Decoded, type DecoderSpec, type Records, spanOf } from "./codec.ts";
import { numberColumn, SharedText, textColumn, valueColumn } from "./columns.ts";
import { isNumeric, type Type } from "./types.ts";

/** Values of a numeric field. */
export interface NumberStore {
  readonly kind: "number";
  readonly values: Float64Array;
  /** null for a field that is never null; all 0 at first. */
  readonly valid: Uint8Array | null;
}
/** Slices of a string field. */
export interface TextStore {
  readonly kind: "text";
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly valid: Uint8Array | null;
}
/** Run-time values of any other field, null at first. */
export interface ValueStore {
  readonly kind: "value";
  readonly values: unknown[];
}
/** Where one field's values go. */
export type Store = NumberStore | TextStore | ValueStore;

/** The stores of one call of a decoder. */
export class DecodedColumns {
  readonly records: Records;
  /** By field; null where not needed. */
  readonly stores: readonly (Store | null)[];
  readonly arena: ByteWriter = createWriter(256);
  readonly arenaBase: number;
  /** The records' bytes. */
  readonly view: DataView;
  /** Per row, how its own bytes are spelled (Decoded.spelled), of decoders that can tell: all 0 at first. */
  readonly forms: Uint8Array | null;
  readonly #from: number;

  constructor(spec: DecoderSpec, records: Records, forms: Uint8Array | null = null) {
    const { rows, start, end } = records;
    this.forms = forms;
    // Not by `map`: the array that it makes where it is compiled is to V8 another kind than the one it makes before, and generated code
    // would be compiled anew for it.
    const stores: (Store | null)[] = [];
    for (const { name, type } of spec.type.fields) stores.push(spec.needed.has(name) ? storeOf(type, rows) : null);
    this.stores = stores;
    const { from, to } = spanOf(records);
    this.#from = from;
    this.arenaBase = to;
    // One byte behind the last record lets generated code look ahead without leaving the buffer: V8 compiles loads that ever did
    // to code of half the speed.
    const bytes = to < records.bytes.length ? records.bytes : padded(records.bytes, from, to);
    // An object of one form, whoever made the records: generated code that met another would be compiled anew.
    this.records = { bytes, start, end, rows, keyOf: records.keyOf };
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Stores a run-time value, null included; does nothing for a field that is not needed. For slow paths. */
  put(field: number, row: number, value: unknown): void {
    const store = this.stores[field];
    if (store === null) return;
    if (store.kind === "value") {
      store.values[row] = value;
      return;
    }
    if (store.valid !== null) store.valid[row] = value === null ? 0 : 1;
    if (value === null) return;
    if (store.kind === "number") store.values[row] = Number(value);
    else {
      const text = value as string;
      this.arena.reserve(3 * text.length);
      store.start[row] = this.arenaBase + this.arena.length;
      this.arena.length = putText(this.arena.bytes, this.arena.length, text);
      store.end[row] = this.arenaBase + this.arena.length;
    }
  }

  /** Stores nothing: null, or zero and no text where the type has no null. */
  clear(field: number, row: number): void {
    const store = this.stores[field];
    if (store === null) return;
    if (store.kind === "value") {
      store.values[row] = null;
      return;
    }
    if (store.valid !== null) store.valid[row] = 0;
    if (store.kind === "number") store.values[row] = 0;
    else store.start[row] = store.end[row] = this.arenaBase;
  }

  /** The result; the stores become its columns. */
  finish(bad: Decoded["bad"]): Decoded {
    let shared: SharedText | null = null;
    const columns = this.stores.map((store): Column | null => {
      if (store === null) return null;
      if (store.kind === "value") return valueColumn(store.values);
      const valid = dropFull(store.valid);
      if (store.kind === "number") return numberColumn(store.values, valid);
      shared ??= this.#text();
      return textColumn(shared.bytes, store.start, store.end, valid, shared);
    });
    return { columns, bad, spelled: this.forms?.some((form) => form !== 0) ? this.forms : null };
  }

  #text(): SharedText {
    if (this.arena.length === 0) return new SharedText(this.records.bytes, this.#from, this.arenaBase);
    const bytes = new Uint8Array(this.arenaBase + this.arena.length);
    bytes.set(this.records.bytes.subarray(this.#from, this.arenaBase), this.#from);
    bytes.set(this.arena.bytes.subarray(0, this.arena.length), this.arenaBase);
    return new SharedText(bytes, this.#from, bytes.length);
  }
}

function storeOf(type: Type, rows: number): Store {
  const valid = type.nullable ? new Uint8Array(rows) : null;
  if (isNumeric(type)) return { kind: "number", values: new Float64Array(rows), valid };
  if (type.kind === "string") return { kind: "text", start: new Int32Array(rows), end: new Int32Array(rows), valid };
  return { kind: "value", values: new Array(rows).fill(null) };
}

/** The span at its place, with a line end behind it. */
function padded(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const copy = new Uint8Array(to + 1);
  copy.set(bytes.subarray(from, to), from);
  copy[to] = 10;
  return copy;
}
/** A bitmap without a null says no more than no bitmap. */
function dropFull(valid: Uint8Array | null): Uint8Array | null {
  return valid === null || !valid.includes(0) ? null : valid;
}
