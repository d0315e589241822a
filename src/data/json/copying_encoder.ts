/**
 * Writes a row whose own bytes say exactly its first fields by copying them, and only encodes the fields behind them; other rows
 * field by field. Invariant: both ways give the same bytes, because the decoder marks a row only where they do (spelling.ts).
 */
import type { Batch } from "../batch.ts";
import type { Encoder, RecordsEncoder, RowsEncoder } from "../codec.ts";
import { type Copying, RawRows } from "../encoder_code.ts";
import { type Field, type RecordType, typeText, withoutNull } from "../types.ts";

/**
 * An encoder of `type` that takes `whole` for rows that are not spelled in `form`, and for the others what `copying` gives for the number
 * of fields that are copied.
 */
export function copyingEncoder(type: RecordType, form: number, whole: Encoder, copying: (fields: number) => Copying<Encoder>): Encoder {
  const choice = new CopyChoice(type, copying);
  return (batch, row, into) => {
    const forms = choice.formsOf(batch);
    if (forms !== null && (forms[row] & form) !== 0) choice.copy!(batch, row, into, choice.raw!);
    else whole(batch, row, into);
  };
}

/** The same for many rows in one call: runs of rows of one kind together. */
export function copyingRowsEncoder(
  type: RecordType,
  form: number,
  whole: RowsEncoder,
  copying: (fields: number) => Copying<RowsEncoder>,
): RowsEncoder {
  const choice = new CopyChoice(type, copying);
  return (batch, from, to, into, ends, at) => {
    const forms = choice.formsOf(batch);
    if (forms === null) return whole(batch, from, to, into, ends, at);
    for (let row = from, next = from; row < to; row = next) {
      const kind = forms[row] & form;
      while (next < to && (forms[next] & form) === kind) next++;
      if (kind === 0) whole(batch, row, next, into, ends, at + row - from);
      else choice.copy!(batch, row, next, into, ends, at + row - from, choice.raw!);
    }
  };
}

/** The same for chosen rows, each wrapped. */
export function copyingRecordsEncoder(
  type: RecordType,
  form: number,
  whole: RecordsEncoder,
  copying: (fields: number) => Copying<RecordsEncoder>,
): RecordsEncoder {
  const choice = new CopyChoice(type, copying);
  return (batch, rows, from, to, into, wrapper, bytesMax) => {
    const forms = choice.formsOf(batch);
    if (forms === null) return whole(batch, rows, from, to, into, wrapper, bytesMax);
    let i = from;
    while (i < to && into.length <= bytesMax) {
      // The encoder that copies finds by itself how far it can: a loop here would be compiled with all of it once more.
      i = choice.copy!(batch, rows, i, to, into, wrapper, bytesMax, choice.raw!);
      let next = i;
      while (next < to && (forms[rows[next]] & form) === 0) next++;
      if (next > i && into.length <= bytesMax) i = whole(batch, rows, i, next, into, wrapper, bytesMax);
    }
    return i;
  };
}

/** Which rows of a batch can be copied, and by what. */
class CopyChoice<E> {
  readonly #type: RecordType;
  readonly #copying: (fields: number) => E;
  /** The fields that raw bytes spelled last, for which `copy` was made. */
  #known: readonly Field[] | null = null;
  /** null where the type does not begin with those fields. */
  copy: E | null = null;
  /** What `copy` copies of the batch that was asked about. */
  raw: RawRows | null = null;
  /** The last batch that was asked about, and what was said of it. */
  #batch: Batch | null = null;
  #forms: Uint8Array | null = null;

  constructor(type: RecordType, copying: (fields: number) => E) {
    this.#type = type;
    this.#copying = copying;
  }

  /** null where all rows are to be written field by field. Asked for each row, or for each few hundred. */
  formsOf(batch: Batch): Uint8Array | null {
    if (batch !== this.#batch) {
      this.#batch = batch;
      this.#forms = this.#look(batch);
    }
    return this.#forms;
  }

  #look(batch: Batch): Uint8Array | null {
    const { spelled, raw } = batch.meta;
    if (spelled === null || raw === null) return null;
    if (!spelled.columns.every((column, i) => column !== null && column === batch.columns[i])) return null;
    if (this.#known !== spelled.fields) {
      this.#known = spelled.fields;
      this.copy = beginsWith(this.#type.fields, spelled.fields) ? this.#copying(spelled.fields.length) : null;
    }
    if (this.copy === null) return null;
    this.raw = new RawRows(raw.bytes, raw.start, raw.end, spelled.forms);
    return spelled.forms;
  }
}

/** Whether the first fields of a type are written as these are: a field that lost its null is the same to an encoder. */
function beginsWith(fields: readonly Field[], first: readonly Field[]): boolean {
  return first.length > 0 && first.length <= fields.length && first.every((field, i) => {
    const own = fields[i];
    const isSameType = typeText(withoutNull(field.type)) === typeText(withoutNull(own.type));
    return isSameType && field.name === own.name && field.format === own.format && field.zone === own.zone;
  });
}
