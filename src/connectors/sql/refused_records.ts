/**
 * The table `millrace_refused`: which rows of a lane's newest epoch with refusals the target did not take. It is written in the
 * transaction of the rows and the marker, so whoever finds the marker finds what was refused, and need not ask the target again, which
 * might answer otherwise by now (docs/decisions/dead-letters.md). Invariant: rows count only beside a marker of their own epoch.
 */
import type { RefusedRow } from "../../engine/contracts.ts";
import type { MarkerWriter } from "./epoch_marker.ts";
import { REFUSED_ROWS_PER_INSERT } from "./limits.ts";
import type { SqlSession } from "./session.ts";

export const REFUSED_TABLE = "millrace_refused";
const COLUMNS = "pipeline, sink, lane, epoch, ordinal, code, message";
const WIDTH = 7;

/** The statements over the table. `parameter`: number `at`, from 1, as the database writes it. */
export class RefusedRecords {
  constructor(private readonly parameter: (at: number) => string) {}

  /** In the rows' transaction, behind them. */
  async write(
    session: SqlSession,
    { name, sink }: MarkerWriter,
    { lane, epoch }: { readonly lane: number; readonly epoch: number },
    rows: readonly RefusedRow[],
  ): Promise<void> {
    if (rows.length === 0) return;
    // What older epochs refused lies in the checkpoint by now.
    await session.run(`DELETE FROM ${REFUSED_TABLE} WHERE ${this.#ofLane}`, [name, sink, lane]);
    for (let from = 0; from < rows.length; from += REFUSED_ROWS_PER_INSERT) {
      const some = rows.slice(from, from + REFUSED_ROWS_PER_INSERT);
      const list = some.map((_, i) => `(${Array.from({ length: WIDTH }, (_, j) => this.parameter(i * WIDTH + j + 1)).join(", ")})`);
      const values = some.flatMap(({ row, code, message }) => [name, sink, lane, epoch, row, code, message]);
      await session.run(`INSERT INTO ${REFUSED_TABLE} (${COLUMNS}) VALUES ${list.join(", ")}`, values);
    }
  }

  /** What was refused of the epoch that the lane's marker names. */
  async read(session: SqlSession, { name, sink }: MarkerWriter, lane: number, epoch: number): Promise<readonly RefusedRow[]> {
    const sql = `SELECT ordinal, code, message FROM ${REFUSED_TABLE} WHERE ${this.#ofLane} AND epoch = ${
      this.parameter(4)
    } ORDER BY ordinal`;
    const rows = await session.select(sql, [name, sink, lane, epoch]);
    return rows.map(([row, code, message]) => ({ row: Number(row), code: String(code), message: String(message) }));
  }

  /** With their markers. */
  async forgetOtherRuns(session: SqlSession, { name, prefix, sink }: MarkerWriter): Promise<void> {
    const at = this.parameter;
    const others = `sink = ${at(1)} AND LEFT(pipeline, CHAR_LENGTH(${at(2)})) = ${at(3)} AND pipeline <> ${at(4)}`;
    await session.run(`DELETE FROM ${REFUSED_TABLE} WHERE ${others}`, [sink, prefix, prefix, name]);
  }

  get #ofLane(): string {
    return `pipeline = ${this.parameter(1)} AND sink = ${this.parameter(2)} AND lane = ${this.parameter(3)}`;
  }
}
