/**
 * JSON records to columns. Predicts the order of keys (at first the schema's), reads by code generated for it, and learns another
 * order when records keep coming in one. Invariant: which path read a record cannot be told from the result.
 */
import type { Decoder, DecoderSpec } from "../codec.ts";
import { DecodedColumns } from "../decoded_columns.ts";
import { compileFastJson, type FastJson } from "./fast.ts";
import { compileSlowJson } from "./slow.ts";

/** Orders of keys kept compiled at once. */
const ORDERS_MAX = 4;
/** Compilations in a decoder's life: input without any order stays on the slow path. */
const COMPILATIONS_MAX = 16;
/** Records of an order not predicted before it is compiled; one alone may be an exception. */
const MISSES_BEFORE_LEARNING = 16;
/** Characters of a list of keys: the input chooses them, and longer ones are not worth their code. */
const ORDER_LENGTH_MAX = 8192;

/**
 * Compiles a decoder of JSON objects, one per record. Reject codes by priority: `json` (no JSON object, not UTF-8, a key twice),
 * `unknown:F`, then by field in schema order `missing:F`, `type:F`, `scale:F`, `range:F`, `one_of:F`.
 */
export function compileJsonDecoder(spec: DecoderSpec): Decoder {
  const slow = compileSlowJson(spec);
  const orders = new LearnedOrders(spec);
  return (records) => {
    const columns = new DecodedColumns(spec, records);
    const bad: { row: number; reason: string }[] = [];
    let row = 0;
    while ((row = orders.read(columns, row, records.rows)) < records.rows) {
      const result = slow(columns, row);
      if (result.reason !== null) bad.push({ row, reason: result.reason });
      else orders.missed(result.keys);
      row++;
    }
    return columns.finish(bad);
  };
}

/** The compiled orders of keys, most recently useful first. */
class LearnedOrders {
  readonly #spec: DecoderSpec;
  readonly #known: { readonly order: string; readonly read: FastJson }[];
  #misses = 0;
  #compilations = 1;

  constructor(spec: DecoderSpec) {
    this.#spec = spec;
    this.#known = [compileOrder(spec, spec.type.fields.map((field) => field.name))];
  }

  /** Reads rows as long as any known order fits; gives the first row that none could read, or `to`. */
  read(columns: DecodedColumns, from: number, to: number): number {
    let row = this.#known[0].read(columns, from, to);
    for (let i = 1; i < this.#known.length && row < to; i++) {
      const further = this.#known[i].read(columns, row, to);
      if (further === row) continue;
      row = further;
      const [useful] = this.#known.splice(i, 1);
      this.#known.unshift(useful);
      i = 0;
    }
    return row;
  }

  /** A good record came in an order that is not known. */
  missed(keys: readonly string[]): void {
    if (++this.#misses < MISSES_BEFORE_LEARNING || this.#compilations >= COMPILATIONS_MAX) return;
    this.#misses = 0;
    const wanted = orderOf(keys);
    // A known order that was missed had something else uncommon: an exponent, blanks, an escaped key.
    if (wanted.length > ORDER_LENGTH_MAX || this.#known.some(({ order }) => order === wanted)) return;
    this.#compilations++;
    this.#known.unshift(compileOrder(this.#spec, keys));
    if (this.#known.length > ORDERS_MAX) this.#known.pop();
  }
}
function compileOrder(spec: DecoderSpec, keys: readonly string[]): { readonly order: string; readonly read: FastJson } {
  return { order: orderOf(keys), read: compileFastJson(spec, keys) };
}
function orderOf(keys: readonly string[]): string {
  return JSON.stringify(keys);
}
