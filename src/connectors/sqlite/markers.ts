/** The table `millrace_epochs` in SQLite; what its rows mean stands in sql/epoch_marker.ts. One writer at a time: rows need no locks. */
import type { EpochStamp, HeldRun, Marker, RefusedRow } from "../../engine/contracts.ts";
import { FINISHED_LANE, heldRun, judgeUnchanged, type MarkerRow, type MarkerWriter, NO_EPOCH, takenMarker } from "../sql/epoch_marker.ts";
import { REFUSED_TABLE } from "../sql/refused_records.ts";
import type { RefusedSetting } from "../sql/table_target.ts";
import type { Database } from "./database.ts";

/** The runs that have put rows in through this sink, or published them; empty where there is no table of markers. */
export function heldRuns(database: Database, { prefix, sink }: Pick<MarkerWriter, "prefix" | "sink">): HeldRun[] {
  if (!database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'millrace_epochs'").get()) return [];
  const rows = database.prepare(
    `SELECT pipeline, MAX(epoch) AS epoch FROM millrace_epochs WHERE sink = ? AND substr(pipeline, 1, length(?)) = ? AND epoch > ${NO_EPOCH}
     GROUP BY pipeline ORDER BY pipeline`,
  ).all(sink, prefix, prefix);
  return rows.map((row) => heldRun({ prefix }, String(row.pipeline), Number(row.epoch)));
}

export class Markers {
  /** `refused`: whether rows may be refused, and the table `millrace_refused` is kept beside (sql/refused_records.ts says what for). */
  constructor(private readonly database: Database, private readonly writer: MarkerWriter, private readonly refused: RefusedSetting) {
    database.exec(`CREATE TABLE IF NOT EXISTS millrace_epochs (
      pipeline TEXT NOT NULL, sink TEXT NOT NULL, lane INTEGER NOT NULL,
      epoch INTEGER NOT NULL, owner INTEGER NOT NULL, digest TEXT NOT NULL,
      PRIMARY KEY (pipeline, sink, lane)) WITHOUT ROWID`);
    if (refused === "stop") return;
    database.exec(`CREATE TABLE IF NOT EXISTS ${REFUSED_TABLE} (
      pipeline TEXT NOT NULL, sink TEXT NOT NULL, lane INTEGER NOT NULL, epoch INTEGER NOT NULL, ordinal INTEGER NOT NULL,
      code TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY (pipeline, sink, lane, epoch, ordinal)) WITHOUT ROWID`);
  }

  /** Whether another run of the pipeline has put rows in through this sink. */
  otherRunWrote(): boolean {
    const { where, values } = this.#otherRuns();
    return this.database.prepare(`SELECT 1 FROM millrace_epochs WHERE ${where} AND epoch > ${NO_EPOCH} LIMIT 1`).get(...values) !==
      undefined;
  }

  /** Forgets other runs: their owners can no longer write. */
  forgetOtherRuns(): void {
    const { where, values } = this.#otherRuns();
    this.database.prepare(`DELETE FROM millrace_epochs WHERE ${where}`).run(...values);
    if (this.refused === "reject") this.database.prepare(`DELETE FROM ${REFUSED_TABLE} WHERE ${where}`).run(...values);
  }

  /** Takes the lane for `owner` where no newer one has it. */
  take(lane: number, owner: number): Marker | null {
    this.database.prepare(
      `INSERT INTO millrace_epochs (pipeline, sink, lane, epoch, owner, digest) VALUES (?, ?, ?, ${NO_EPOCH}, ?, '')
       ON CONFLICT (pipeline, sink, lane) DO UPDATE SET owner = excluded.owner WHERE owner < excluded.owner`,
    ).run(this.writer.name, this.writer.sink, lane, owner);
    const marker = takenMarker(this.writer, lane, owner, this.#row(lane)!);
    return marker === null || this.refused === "stop" ? marker : { ...marker, refused: this.refusedRows(lane, marker.epoch) };
  }

  /** Inside the rows' transaction, behind them: what was refused of the epoch. */
  recordRefused({ lane, epoch }: EpochStamp, rows: readonly RefusedRow[]): void {
    if (rows.length === 0) return;
    const { name, sink } = this.writer;
    this.database.prepare(`DELETE FROM ${REFUSED_TABLE} WHERE pipeline = ? AND sink = ? AND lane = ?`).run(name, sink, lane);
    const insert = this.database.prepare(`INSERT INTO ${REFUSED_TABLE} VALUES (?, ?, ?, ?, ?, ?, ?)`);
    for (const { row, code, message } of rows) insert.run(name, sink, lane, epoch, row, code, message);
  }

  /** What was refused of the epoch that the lane's marker names. */
  refusedRows(lane: number, epoch: number): readonly RefusedRow[] {
    if (this.refused === "stop") return [];
    const sql =
      `SELECT ordinal, code, message FROM ${REFUSED_TABLE} WHERE pipeline = ? AND sink = ? AND lane = ? AND epoch = ? ORDER BY ordinal`;
    const rows = this.database.prepare(sql).all(this.writer.name, this.writer.sink, lane, epoch);
    return rows.map(({ ordinal, code, message }) => ({ row: Number(ordinal), code: String(code), message: String(message) }));
  }

  /** Inside the rows' transaction: "write" says go on, "done" that this very epoch is there already. */
  advance(stamp: EpochStamp): "write" | "done" {
    const { lane, epoch, owner, digest } = stamp;
    const { changes } = this.database.prepare(
      "UPDATE millrace_epochs SET epoch = ?, digest = ? WHERE pipeline = ? AND sink = ? AND lane = ? AND epoch < ? AND owner = ?",
    ).run(epoch, digest, this.writer.name, this.writer.sink, lane, epoch, owner);
    return Number(changes) === 1 ? "write" : judgeUnchanged(this.writer, stamp, this.#row(lane));
  }

  isFinished(): boolean {
    return this.#row(FINISHED_LANE) !== null;
  }
  markFinished(): void {
    this.database.prepare("INSERT INTO millrace_epochs (pipeline, sink, lane, epoch, owner, digest) VALUES (?, ?, ?, 0, 0, '')")
      .run(this.writer.name, this.writer.sink, FINISHED_LANE);
  }

  #row(lane: number): MarkerRow | null {
    const row = this.database.prepare("SELECT epoch, owner, digest FROM millrace_epochs WHERE pipeline = ? AND sink = ? AND lane = ?")
      .get(this.writer.name, this.writer.sink, lane);
    return row ? { epoch: Number(row.epoch), owner: Number(row.owner), digest: String(row.digest) } : null;
  }

  #otherRuns(): { where: string; values: string[] } {
    const { sink, prefix, name } = this.writer;
    return { where: "sink = ? AND substr(pipeline, 1, length(?)) = ? AND pipeline <> ?", values: [sink, prefix, prefix, name] };
  }
}
