/**
 * Finds the rows in everyday envelopes without making anything of the rest. Invariant: a record that it opens is one that the rules
 * (change_rows.ts) take for the same row; it may leave any record as it is.
 */
import type { DecodedColumns } from "../decoded_columns.ts";
import { equalBytes } from "../hash_bytes.ts";
import { isUtf8 } from "../utf8.ts";
import { viewOf } from "../words.ts";
import type { ChangeForms } from "./change_rows.ts";
import { findMembers, met, type Wanted } from "./skip.ts";
import { type ChangeMarks, OPENED, OPENED_DELETE } from "./slow_changes.ts";

const encoder = new TextEncoder();
const NAMES = ["op", "before", "after", "payload", "schema"] as const;
const [OP, BEFORE, AFTER, PAYLOAD] = NAMES.keys();
const OPEN = 123;
const CLOSE = 125;

export class EnvelopeOpener {
  readonly #wanted: Wanted = {
    names: NAMES.map((name) => encoder.encode(name)),
    starts: new Int32Array(NAMES.length),
    ends: new Int32Array(NAMES.length),
  };
  /** What stood in front of the last payload that ended its record: a producer writes the same schema each time, ten times the row's size. */
  #front: DataView | null = null;
  constructor(private readonly forms: ChangeForms) {}

  /** Puts the rows of envelopes in their records' place, from `row` on; gives the first record that it leaves as it is. */
  open({ records, view }: DecodedColumns, row: number, { opened }: ChangeMarks): number {
    const { bytes, start, end } = records;
    const { starts, ends } = this.#wanted;
    for (; row < records.rows; row++) {
      const isWrapped = this.#findWrapped(bytes, view, start[row], end[row]);
      if (isWrapped === null) return row;
      if (!this.forms.isEnvelope(this.#has)) {
        if (!isWrapped) return row;
        start[row] = this.#payloadStart;
        end[row] = this.#payloadEnd;
        opened[row] = OPENED;
        continue;
      }
      const op = starts[OP];
      const letter = bytes[op] === 34 && ends[OP] - op === 3 ? bytes[op + 1] : 0;
      const isDelete = letter === 100;
      if (!isDelete && letter !== 99 && letter !== 114 && letter !== 117) return row;
      const side = isDelete ? BEFORE : AFTER;
      if (starts[side] < 0 || bytes[starts[side]] !== OPEN) return row;
      opened[row] = isDelete ? OPENED_DELETE : OPENED;
      start[row] = starts[side];
      end[row] = ends[side];
    }
    return row;
  }

  #payloadStart = 0;
  #payloadEnd = 0;

  /**
   * Looks at the members of the record, or of its payload where it is wrapped; null where it is to be left as it is, else whether it is
   * wrapped.
   */
  #findWrapped(bytes: Uint8Array, view: DataView, from: number, to: number): boolean | null {
    if (this.#findBehindFront(bytes, view, from, to)) return true;
    if (findMembers(bytes, view, from, to, this.#wanted) !== to) return null;
    if (met.high !== 0 && !isUtf8(bytes, from, to)) return null;
    if (!this.forms.isWrapped(this.#has)) return false;
    const at = this.#payloadStart = this.#wanted.starts[PAYLOAD];
    const end = this.#payloadEnd = this.#wanted.ends[PAYLOAD];
    if (bytes[at] !== OPEN) return null;
    if (end === to - 1) this.#front = viewOf(bytes.slice(from, at));
    findMembers(bytes, view, at, end, this.#wanted);
    return true;
  }

  /** Where a record begins as the last one did, only its payload has to be looked at. */
  #findBehindFront(bytes: Uint8Array, view: DataView, from: number, to: number): boolean {
    const front = this.#front;
    if (front === null || to - from <= front.byteLength || !equalBytes(view, from, front, 0, front.byteLength)) return false;
    const at = from + front.byteLength;
    const end = bytes[at] === OPEN ? findMembers(bytes, view, at, to, this.#wanted, 1) : -1;
    if (end !== to - 1 || bytes[end] !== CLOSE || (met.high !== 0 && !isUtf8(bytes, at, end))) return false;
    this.#payloadStart = at;
    this.#payloadEnd = end;
    return true;
  }

  readonly #has = (name: string): boolean => this.#wanted.starts[NAMES.indexOf(name as typeof NAMES[number])] >= 0;
}
