/**
 * The table `millrace_epochs` in MySQL; what its rows mean stands in sql/epoch_marker.ts. Rows are read with a lock: a transaction of
 * an older owner that is still under way is waited for, so that what is read stays true.
 */
import type { EpochStamp, Marker } from "../../engine/contracts.ts";
import { FINISHED_LANE, judgeUnchanged, type MarkerRow, type MarkerWriter, NO_EPOCH, takenMarker } from "../sql/epoch_marker.ts";
import type { Session } from "./driver.ts";
import { createMarkersSql, MARKER_TABLE } from "./table_ddl.ts";
import { tableInfo } from "./table_info.ts";

const OF_LANE = "pipeline = ? AND sink = ? AND lane = ?";
const OF_OTHER_RUNS = "sink = ? AND LEFT(pipeline, CHAR_LENGTH(?)) = ? AND pipeline <> ?";

/** Makes the table where it is missing. Outside of transactions: MySQL commits before it changes tables. */
export async function makeMarkerTable(session: Session): Promise<void> {
  // Looked for first: whoever may write to it need not be allowed to make it.
  if (!(await tableInfo(session, MARKER_TABLE))) await session.run(createMarkersSql(session.facts));
}

/** Whether another run of the pipeline has put rows in through this sink. */
export async function otherRunWrote(session: Session, writer: MarkerWriter): Promise<boolean> {
  const sql = `SELECT 1 FROM ${MARKER_TABLE} WHERE ${OF_OTHER_RUNS} AND epoch > ${NO_EPOCH} LIMIT 1 FOR UPDATE`;
  return (await session.select(sql, otherRuns(writer))).length > 0;
}
/** Forgets other runs: their owners can no longer write. */
export async function forgetOtherRuns(session: Session, writer: MarkerWriter): Promise<void> {
  await session.run(`DELETE FROM ${MARKER_TABLE} WHERE ${OF_OTHER_RUNS}`, otherRuns(writer));
}

/** In a transaction: takes the lane for `owner` where no newer one has it. */
export async function takeLane(session: Session, writer: MarkerWriter, lane: number, owner: number): Promise<Marker | null> {
  await session.run(
    `INSERT INTO ${MARKER_TABLE} (pipeline, sink, lane, epoch, owner, digest) VALUES (?, ?, ?, ${NO_EPOCH}, ?, '')
     ON DUPLICATE KEY UPDATE owner = GREATEST(owner, ?)`,
    [writer.name, writer.sink, lane, owner, owner],
  );
  return takenMarker(writer, lane, owner, (await markerRow(session, writer, lane))!);
}

/** In the rows' transaction: "write" says go on, "done" that this very epoch is there already. */
export async function advanceLane(session: Session, writer: MarkerWriter, stamp: EpochStamp): Promise<"write" | "done"> {
  const { lane, epoch, owner, digest } = stamp;
  const { rows } = await session.run(
    `UPDATE ${MARKER_TABLE} SET epoch = ?, digest = ? WHERE ${OF_LANE} AND epoch < ? AND owner = ?`,
    [epoch, digest, writer.name, writer.sink, lane, epoch, owner],
  );
  return rows === 1 ? "write" : judgeUnchanged(writer, stamp, await markerRow(session, writer, lane));
}

/** Whether an epoch is there, once whoever may be writing it has come to an end. */
export async function holdsEpoch(session: Session, writer: MarkerWriter, { lane, epoch, digest }: EpochStamp): Promise<boolean> {
  const row = await markerRow(session, writer, lane);
  return row !== null && row.epoch === epoch && row.digest === digest;
}

/** Whether the run's staged rows were published. */
export async function isFinished(session: Session, writer: MarkerWriter): Promise<boolean> {
  return await markerRow(session, writer, FINISHED_LANE) !== null;
}
/** In the transaction that publishes. */
export async function markFinished(session: Session, writer: MarkerWriter): Promise<void> {
  const sql = `INSERT INTO ${MARKER_TABLE} (pipeline, sink, lane, epoch, owner, digest) VALUES (?, ?, ?, 0, 0, '')`;
  await session.run(sql, [writer.name, writer.sink, FINISHED_LANE]);
}

async function markerRow(session: Session, { name, sink }: MarkerWriter, lane: number): Promise<MarkerRow | null> {
  const sql = `SELECT epoch, owner, digest FROM ${MARKER_TABLE} WHERE ${OF_LANE} FOR UPDATE`;
  const [row] = await session.select(sql, [name, sink, lane]);
  return row ? { epoch: Number(row[0]), owner: Number(row[1]), digest: String(row[2]) } : null;
}

const otherRuns = ({ name, prefix, sink }: MarkerWriter): string[] => [sink, prefix, prefix, name];
