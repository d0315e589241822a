/** From rows to the records of a topic between two stages (grammar: exchange_form.ts). Invariant: a row keeps its place and its time. */
import type { Batch, Column } from "../../data/batch.ts";
import type { RecordsEncoder } from "../../data/codec.ts";
import { columnOf, makeMeta, numberColumn } from "../../data/columns.ts";
import { assert } from "../../data/fault.ts";
import { compileJsonRecordsEncoder } from "../../data/json/mod.ts";
import { STRING } from "../../data/types.ts";
import type { EpochStamp } from "../../engine/contracts.ts";
import type { KeyedRows } from "../key_partitioner.ts";
import { noKeys } from "../row_keys.ts";
import { type ExchangeForm, TOLD_TYPE } from "./exchange_form.ts";

/** Encodes rows of the form, and batches of `toldBatch`. */
export function exchangeEncoder(form: ExchangeForm): RecordsEncoder {
  const encodeRows = compileJsonRecordsEncoder(form.record, { decimals: "number" });
  const encodeTold = compileJsonRecordsEncoder(TOLD_TYPE);
  // Rows of one batch come one after the other.
  let from: Batch | null = null;
  let record: Batch | null = null;
  return (batch, rows, first, to, into, wrapper, bytesMax) => {
    if (batch.type === TOLD_TYPE) return encodeTold(batch, rows, first, to, into, wrapper, bytesMax);
    if (batch !== from) {
      from = batch;
      record = recordsOf(batch, form);
    }
    return encodeRows(record!, rows, first, to, into, wrapper, bytesMax);
  };
}

function recordsOf(batch: Batch, { record, timed, carried }: ExchangeForm): Batch {
  const { rows, meta } = batch;
  const { source, partition, position, origin, time, deleted } = meta;
  const partitions = new Float64Array(rows).fill(partition);
  if (deleted) { for (let row = 0; row < rows; row++) if (deleted[row] === 1) partitions[row] = -1 - partition; }
  const place: Column[] = [
    columnOf(STRING, new Array(rows).fill(source)),
    numberColumn(partitions),
    numberColumn(position),
    numberColumn(origin),
  ];
  if (timed) {
    assert(time !== null, `rows of "${source}" have event time`);
    place.push(numberColumn(time));
  }
  const columns = [...place, ...carried.map((index) => batch.columns[index])];
  assert(columns.every((column) => column !== null), "what is carried was decoded");
  return { rows, type: record, columns, meta: makeMeta(source, partition, position) };
}

const FIRST_ROW = Int32Array.of(0);
const NO_KEY = noKeys(1);

/** Tells every partition how far the event time of a lane has come, behind the epoch's rows. */
export function tellTime(
  { watermark, idle }: NonNullable<EpochStamp["time"]>,
  { lane, lanes }: { readonly lane: number; readonly lanes: number },
  partitions: readonly KeyedRows[],
): void {
  const values = [lane, lanes, Number.isFinite(watermark) ? watermark : null, watermark === Infinity ? "ended" : idle ? "idle" : "active"];
  const columns = TOLD_TYPE.fields.map(({ type }, i) => columnOf(type, [values[i]]));
  const batch: Batch = { rows: 1, type: TOLD_TYPE, columns, meta: makeMeta("", lane, Float64Array.of(0)) };
  for (const partition of partitions) partition.append(batch, FIRST_ROW, 0, 1, NO_KEY);
}
