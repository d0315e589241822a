/**
 * From the records of a topic between two stages back to rows (grammar: exchange_form.ts). A batch holds rows of one source and
 * partition, and behind them what lanes told about their time. Invariant: rows come out with the place, the time and the values with
 * which they went in; nothing that was told is passed on before the rows it was told behind.
 */
import type { Batch, Column } from "../../data/batch.ts";
import type { Decoder, Records } from "../../data/codec.ts";
import { makeMeta } from "../../data/columns.ts";
import { assert, MillraceError } from "../../data/fault.ts";
import { compileJsonDecoder } from "../../data/json/mod.ts";
import type { LaneTime } from "../../engine/contracts.ts";
import { type MadeRows, type PlacedRecords, type RowMaker, sourceBatch } from "../source_batch.ts";
import { type ExchangeForm, KIND_AT, PLACE_END, ROW_START, TOLD_KIND } from "./exchange_form.ts";

const PLACE_END_BYTES = new TextEncoder().encode(PLACE_END);
const decoder = new TextDecoder();

/** `node` names the source for whoever reads a fault. */
export function exchangeRows(form: ExchangeForm, node: string): RowMaker {
  return new ExchangeRows(form, node, compileJsonDecoder(form.decoding));
}

class ExchangeRows implements RowMaker {
  constructor(private readonly form: ExchangeForm, private readonly node: string, private readonly decode: Decoder) {}

  make(placed: PlacedRecords): MadeRows {
    const { records } = placed;
    const rows = this.#runOfRows(records);
    const told: LaneTime[] = [];
    let taken = rows;
    for (; taken < records.rows && isTold(records, taken); taken++) told.push(readTold(records, taken));
    const { batch, rejected } = this.#rows(first(placed, rows));
    return { batch, rejected, deletes: 0, taken, read: rows, told };
  }

  /** How many records from the first on are rows of one source and partition. */
  #runOfRows(records: Records): number {
    const { bytes, start, end, rows } = records;
    if (isTold(records, 0)) return 0;
    const from = start[0];
    const length = placeLength(bytes, from, end[0]);
    if (length < 0) throw this.#strange(records, 0);
    let row = 1;
    for (; row < rows && !isTold(records, row); row++) {
      const other = start[row];
      let at = ROW_START.length;
      while (at < length && bytes[other + at] === bytes[from + at]) at++;
      if (at < length) break;
    }
    return row;
  }

  #rows(placed: PlacedRecords) {
    const { form, node } = this;
    const { batch, rejected } = sourceBatch({ source: node, partition: 0, type: form.record }, placed, this.decode);
    const { source, partition, deleted } = placeOf(batch);
    const [, , position, origin] = batch.columns.map((column) => column?.kind === "number" ? column.values : NONE);
    const columns = new Array<Column | null>(form.type.fields.length).fill(null);
    form.carried.forEach((index, i) => columns[index] = batch.columns[form.fieldsAt + i]);
    const time = form.timed ? numbers(batch, form.fieldsAt - 1) : null;
    const meta = { ...makeMeta(source, partition, position, origin), time, deleted };
    return { batch: { rows: batch.rows, type: form.type, columns, meta } satisfies Batch, rejected };
  }

  #strange({ bytes, start, end }: Records, row: number): MillraceError {
    const text = decoder.decode(bytes.subarray(start[row], Math.min(end[row], start[row] + 60)));
    return new MillraceError(
      "exchange_damaged",
      `the topic behind "${this.node}" holds a record that no lane of the pipeline wrote: ${text}`,
      {
        hint: "the topic belongs to the pipeline alone; give it a topic of its own and start over with --rerun",
      },
    );
  }
}

const NONE = new Float64Array(0);

function numbers(batch: Batch, index: number): Float64Array {
  const column = batch.columns[index];
  assert(column?.kind === "number", "places and times are numbers");
  return column.values;
}

/** All rows have the same; of none it does not matter. */
function placeOf(batch: Batch): { source: string; partition: number; deleted: Uint8Array | null } {
  if (batch.rows === 0) return { source: "", partition: 0, deleted: null };
  const source = batch.columns[0];
  assert(source?.kind === "text", "a row says its source");
  const partition = numbers(batch, 1)[0];
  if (partition >= 0) return { source: source.at(0)!, partition, deleted: null };
  return { source: source.at(0)!, partition: -1 - partition, deleted: new Uint8Array(batch.rows).fill(1) };
}

/** Up to where a row says source and partition, counted from its start; -1 where it is none. */
function placeLength(bytes: Uint8Array, start: number, end: number): number {
  for (let at = ROW_START.length; start + at + PLACE_END_BYTES.length < end; at++) {
    let same = 0;
    while (same < PLACE_END_BYTES.length && bytes[start + at + same] === PLACE_END_BYTES[same]) same++;
    if (same === PLACE_END_BYTES.length) return at + same;
  }
  return -1;
}

const isTold = ({ bytes, start }: Records, row: number): boolean => bytes[start[row] + KIND_AT] === TOLD_KIND;

function readTold({ bytes, start, end }: Records, row: number): LaneTime {
  const told = JSON.parse(decoder.decode(bytes.subarray(start[row], end[row])));
  const state: unknown = told["@state"];
  const watermark = state === "ended" ? Infinity : told["@watermark"] ?? -Infinity;
  return { lane: told["@lane"], lanes: told["@lanes"], watermark, idle: state === "idle" };
}

/** The first `rows` of what was placed. None is too long: it was a record before, and what it gained here is ours. */
function first({ records, position, origin }: PlacedRecords, rows: number): PlacedRecords {
  const { bytes, start, end } = records;
  return {
    records: { bytes, start: start.subarray(0, rows), end: end.subarray(0, rows), rows },
    position: position.subarray(0, rows),
    origin: origin.subarray(0, rows),
    tooLong: [],
  };
}
