/** Rows into one partition, with keys that a test thinks of. */
import type { KeyedRows } from "../../../src/connectors/key_partitioner.ts";
import type { Batch } from "../../../src/data/batch.ts";
import { viewOf } from "../../../src/data/words.ts";

/** Appends all rows in their order, in several calls; row i has the key `keys[i]`, or none. Nothing stands behind the last key. */
export function appendRows(into: KeyedRows, batch: Batch, keys: readonly (Uint8Array | null)[] = []): void {
  const rows = Int32Array.from({ length: batch.rows }, (_, row) => row);
  const ends: number[] = [];
  let length = 0;
  for (const row of rows) ends.push(length += keys[row]?.length ?? 0);
  const bytes = new Uint8Array(length);
  const start = rows.map((row) => ends[row] - (keys[row]?.length ?? 0));
  for (const row of rows) bytes.set(keys[row] ?? [], start[row]);
  const valid = Uint8Array.from(rows, (row) => keys[row] ? 1 : 0);
  const rowKeys = { bytes: viewOf(bytes), start, end: Int32Array.from(ends), valid };
  for (let from = 0; from < batch.rows; from += 50) into.append(batch, rows, from, Math.min(from + 50, batch.rows), rowKeys);
}
