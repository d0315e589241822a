/**
 * The table `millrace_epochs` on a server; what its rows mean stands in epoch_marker.ts. Rows are read with a lock: a transaction of
 * an older owner that is still under way is waited for, so that what is read stays true.
 */
import type { EpochStamp, HeldRun, Marker } from "../../engine/contracts.ts";
import { FINISHED_LANE, heldRun, judgeUnchanged, type MarkerRow, type MarkerWriter, NO_EPOCH, takenMarker } from "./epoch_marker.ts";
import type { SqlSession } from "./session.ts";

export const MARKER_TABLE = "millrace_epochs";

/** What differs between databases. */
export interface MarkerDialect {
  /** Parameter number `at`, from 1. */
  parameter(at: number): string;
  /** What goes behind the INSERT of a lane: an existing row gets `owner` where its own is lower. */
  readonly raiseOwner: string;
}

/** The statements over the table, for one database. */
export class Markers {
  readonly #ofLane: string;
  readonly #ofOtherRuns: string;
  readonly #insert: string;
  constructor(private readonly dialect: MarkerDialect) {
    const at = (place: number) => dialect.parameter(place);
    this.#ofLane = `pipeline = ${at(1)} AND sink = ${at(2)} AND lane = ${at(3)}`;
    this.#ofOtherRuns = `sink = ${at(1)} AND LEFT(pipeline, CHAR_LENGTH(${at(2)})) = ${at(3)} AND pipeline <> ${at(4)}`;
    this.#insert = `INSERT INTO ${MARKER_TABLE} (pipeline, sink, lane, epoch, owner, digest) VALUES (${at(1)}, ${at(2)}, ${at(3)}`;
  }

  /** The runs that have put rows in through this sink, or published them. */
  async heldRuns(session: SqlSession, { prefix, sink }: Pick<MarkerWriter, "prefix" | "sink">): Promise<HeldRun[]> {
    const [one, two, three] = [1, 2, 3].map((place) => this.dialect.parameter(place));
    const rows = await session.select(
      `SELECT pipeline, MAX(epoch) FROM ${MARKER_TABLE} WHERE sink = ${one} AND LEFT(pipeline, CHAR_LENGTH(${two})) = ${three}
       AND epoch > ${NO_EPOCH} GROUP BY pipeline ORDER BY pipeline`,
      [sink, prefix, prefix],
    );
    return rows.map(([name, epoch]) => heldRun({ prefix }, String(name), Number(epoch)));
  }
  /** Whether another run of the pipeline has put rows in through this sink. */
  async otherRunWrote(session: SqlSession, writer: MarkerWriter): Promise<boolean> {
    const sql = `SELECT 1 FROM ${MARKER_TABLE} WHERE ${this.#ofOtherRuns} AND epoch > ${NO_EPOCH} LIMIT 1 FOR UPDATE`;
    return (await session.select(sql, otherRuns(writer))).length > 0;
  }
  /** Forgets other runs: their owners can no longer write. */
  async forgetOtherRuns(session: SqlSession, writer: MarkerWriter): Promise<void> {
    await session.run(`DELETE FROM ${MARKER_TABLE} WHERE ${this.#ofOtherRuns}`, otherRuns(writer));
  }

  /** Read without a lock: nobody is waited for, and what is read may change. */
  async hasNewerOwner(session: SqlSession, { name, sink }: MarkerWriter, lane: number, owner: number): Promise<boolean> {
    const [row] = await session.select(`SELECT owner FROM ${MARKER_TABLE} WHERE ${this.#ofLane}`, [name, sink, lane]);
    return row !== undefined && Number(row[0]) > owner;
  }

  /** In a transaction: takes the lane for `owner` where no newer one has it. */
  async takeLane(session: SqlSession, writer: MarkerWriter, lane: number, owner: number): Promise<Marker | null> {
    const sql = `${this.#insert}, ${NO_EPOCH}, ${this.dialect.parameter(4)}, '') ${this.dialect.raiseOwner}`;
    await session.run(sql, [writer.name, writer.sink, lane, owner]);
    return takenMarker(writer, lane, owner, (await this.#row(session, writer, lane))!);
  }

  /** In the rows' transaction: "write" says go on, "done" that this very epoch is there already. */
  async advanceLane(session: SqlSession, writer: MarkerWriter, stamp: EpochStamp): Promise<"write" | "done"> {
    const { lane, epoch, owner, digest } = stamp;
    const at = (place: number) => this.dialect.parameter(place);
    const { rows } = await session.run(
      `UPDATE ${MARKER_TABLE} SET epoch = ${at(1)}, digest = ${at(2)}
       WHERE pipeline = ${at(3)} AND sink = ${at(4)} AND lane = ${at(5)} AND epoch < ${at(6)} AND owner = ${at(7)}`,
      [epoch, digest, writer.name, writer.sink, lane, epoch, owner],
    );
    return rows === 1 ? "write" : judgeUnchanged(writer, stamp, await this.#row(session, writer, lane));
  }

  /** Whether an epoch is there, once whoever may be writing it has come to an end. */
  async holdsEpoch(session: SqlSession, writer: MarkerWriter, { lane, epoch, digest }: EpochStamp): Promise<boolean> {
    const row = await this.#row(session, writer, lane);
    return row !== null && row.epoch === epoch && row.digest === digest;
  }

  /** Whether the run's staged rows were published. */
  async isFinished(session: SqlSession, writer: MarkerWriter): Promise<boolean> {
    return await this.#row(session, writer, FINISHED_LANE) !== null;
  }
  /** In the transaction that publishes. */
  async markFinished(session: SqlSession, writer: MarkerWriter): Promise<void> {
    await session.run(`${this.#insert}, 0, 0, '')`, [writer.name, writer.sink, FINISHED_LANE]);
  }

  async #row(session: SqlSession, { name, sink }: MarkerWriter, lane: number): Promise<MarkerRow | null> {
    const sql = `SELECT epoch, owner, digest FROM ${MARKER_TABLE} WHERE ${this.#ofLane} FOR UPDATE`;
    const [row] = await session.select(sql, [name, sink, lane]);
    return row ? { epoch: Number(row[0]), owner: Number(row[1]), digest: String(row[2]) } : null;
  }
}

const otherRuns = ({ name, prefix, sink }: MarkerWriter): string[] => [sink, prefix, prefix, name];
