/** Reads a source to its end, partition after partition. */
import { cell } from "../../src/data/columns.ts";
import type { Source } from "../../src/engine/contracts.ts";
import type { Clock } from "../../src/ports/mod.ts";

/** Run-time values in the order of the type. Throws where the source rejects a record. */
export async function readAll(source: Source, clock: Clock): Promise<unknown[][]> {
  const rows: unknown[][] = [];
  const partitions = await source.partitions();
  for (let partition = 0; partition < partitions; partition++) {
    const reader = await source.reader(partition);
    let position = reader.start;
    while (true) {
      const polled = await reader.poll(position, { rowsMax: 50, bytesMax: 1 << 16 });
      if (polled.kind === "end") break;
      if (polled.kind === "idle") {
        await clock.sleep(polled.retryAfterMs);
        continue;
      }
      const { batch, rejected } = polled;
      if (rejected.length > 0) throw new Error(`${rejected[0]!.reason} in partition ${partition}`);
      for (let row = 0; row < batch.rows; row++) {
        rows.push(batch.type.fields.map(({ type }, column) => cell(batch.columns[column]!, type, row)));
      }
      position = polled.next;
    }
    reader.close();
  }
  return rows;
}
