/**
 * The compiled code of a decoder: templates for the layouts that records have, and code that is lenient about blanks and missing
 * members for the orders of keys behind them. Invariant: what is compiled follows from the records read so far, and is bounded: by how
 * much is kept, and by how many records there are for each compilation.
 */
import type { BadRow } from "../codec.ts";
import type { DecodedColumns } from "../decoded_columns.ts";
import type { CompiledLayouts } from "./compiled_layouts.ts";
import type { FastJson } from "./fast.ts";
import { compactLayout, type Layout, layoutOf, layoutText } from "./layout.ts";
import { ROWS_PER_CALL } from "../limits.ts";
import { LACKING } from "./spelling.ts";

/** Layouts kept compiled at once. */
const LAYOUTS_MAX = 4;
/** Records that no template fitted before the layout of one is learned; one alone may be an exception. */
const MISSES_BEFORE_LEARNING = 16;
/** Compilations that may be made one soon after the other, and the records to be read for one more. */
const COMPILATIONS_MAX = 16;
const RECORDS_PER_COMPILATION = 100_000;
/** Characters between the values of a record: the input chooses them, and longer ones are not worth their code. */
const LAYOUT_LENGTH_MAX = 8192;
/** What a reason begins with that no value of the record can change, as long as all others are right. */
const MISSING = "missing:";

interface Known {
  readonly text: string;
  readonly read: FastJson;
}

export class LearnedLayouts {
  readonly #compiled: CompiledLayouts;
  /** Most recently useful first. */
  readonly #templates: Known[];
  readonly #orders: Known[];
  #misses = 0;
  #refusals = 0;
  #compilations = COMPILATIONS_MAX;
  #records = 0;

  /** `isForeign` says of the keys of a record that it must not be taken for one that this code reads. */
  constructor(compiled: CompiledLayouts, private readonly isForeign: (keys: readonly string[]) => boolean = () => false) {
    this.#compiled = compiled;
    const expected = compactLayout(compiled.spec.type.fields.map((field) => field.name));
    this.#templates = [{ text: layoutText(expected), read: compiled.template(expected) }];
    this.#orders = [{ text: orderText(expected), read: compiled.order(expected.keys) }];
  }

  /** Reads rows as long as anything compiled fits, those that it refuses into `bad`; gives the first row that nothing could read, or `to`. */
  read(columns: DecodedColumns, from: number, to: number, bad: BadRow[]): number {
    if (from === 0) this.#earn(to);
    let row = from;
    while (row < to) {
      const until = Math.min(row + ROWS_PER_CALL, to);
      row = readOn(this.#templates, columns, row, until);
      if (row === until) continue;
      const reason = this.#takeReason(columns, row);
      if (reason !== null) {
        bad.push({ row: row++, reason });
        continue;
      }
      const next = readOn(this.#orders, columns, row, row + 1);
      if (next === row) return row;
      this.missed(columns, row);
      row = next;
    }
    return to;
  }

  /** The row holds a good record of a layout that is not known. */
  missed(columns: DecodedColumns, row: number): void {
    if (++this.#misses < MISSES_BEFORE_LEARNING || this.#compilations === 0) return;
    this.#misses = 0;
    const layout = this.#layoutToLearn(columns, row);
    if (layout === null || !this.#learnTemplate(layout)) return;
    learn(this.#orders, { text: orderText(layout), read: this.#compiled.order(layout.keys) });
  }

  /** The row holds a record that the rules refuse: where they do because of its layout, the next ones like it are refused by its template. */
  refused(columns: DecodedColumns, row: number, reason: string): void {
    if (!reason.startsWith(MISSING) || ++this.#refusals < MISSES_BEFORE_LEARNING || this.#compilations === 0) return;
    this.#refusals = 0;
    const layout = this.#layoutToLearn(columns, row);
    // What is missing may also be missing within a value.
    if (layout !== null && reason === MISSING + this.#firstLacking(layout)) this.#learnTemplate(layout);
  }

  /** Whether it was not known yet. */
  #learnTemplate(layout: Layout): boolean {
    const text = layoutText(layout);
    if (this.#templates.some((one) => one.text === text)) return false;
    this.#compilations--;
    learn(this.#templates, { text, read: this.#compiled.template(layout) });
    return true;
  }

  /** Why the row is refused, where a template told it. */
  #takeReason({ forms }: DecodedColumns, row: number): string | null {
    const form = forms![row];
    if (form < LACKING) return null;
    forms![row] = 0;
    return MISSING + this.#compiled.spec.type.fields[form - LACKING].name;
  }

  #firstLacking({ keys }: Layout): string | undefined {
    return this.#compiled.spec.type.fields.find(({ name, type }) => !type.nullable && !keys.includes(name))?.name;
  }

  #layoutToLearn({ records: { bytes, start, end } }: DecodedColumns, row: number): Layout | null {
    const layout = layoutOf(bytes, start[row], end[row]);
    // A known layout that was missed had something else uncommon: an exponent, the end of the buffer behind it.
    return layout === null || layoutText(layout).length > LAYOUT_LENGTH_MAX || this.isForeign(layout.keys) ? null : layout;
  }

  #earn(records: number): void {
    this.#records += records;
    while (this.#records >= RECORDS_PER_COMPILATION) {
      this.#records -= RECORDS_PER_COMPILATION;
      if (this.#compilations < COMPILATIONS_MAX) this.#compilations++;
    }
  }
}

function learn<K extends Known>(known: K[], learned: K): void {
  if (known.some((one) => one.text === learned.text)) return;
  known.unshift(learned);
  if (known.length > LAYOUTS_MAX) known.pop();
}

/** Reads rows as long as one of them fits, and puts that one first; gives the first row that none could read, or `to`. */
function readOn(known: Known[], columns: DecodedColumns, from: number, to: number): number {
  let row = known[0].read(columns, from, to);
  for (let i = 1; i < known.length && row < to; i++) {
    const further = known[i].read(columns, row, to);
    if (further === row) continue;
    row = further;
    const [useful] = known.splice(i, 1);
    known.unshift(useful);
    i = 0;
  }
  return row;
}

function orderText({ keys }: Layout): string {
  return JSON.stringify(keys);
}
