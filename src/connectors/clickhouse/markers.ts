/**
 * The tables `millrace_epochs` and `millrace_retired_runs`: which epochs were delivered whole, and whose rows count no more. Rows are
 * only ever added, and of a key the greatest epoch counts, so that no writer, however late, takes anything back: no owner need be fenced.
 * Lane -1 of a run says that the run was begun.
 */
import type { HeldRun, Marker } from "../../engine/contracts.ts";
import { heldRun, type MarkerWriter, NO_EPOCH } from "../sql/epoch_marker.ts";
import type { Session } from "./driver.ts";
import { MARKER_TABLE, RETIRED_TABLE, RUN } from "./table_ddl.ts";
import { quoted } from "./table_info.ts";

const BEGUN_LANE = -1;

/** What the column `millrace_run` says of rows of this run, sink included. */
export const runText = ({ name, sink }: MarkerWriter): string => `${name}/${sink}`;

/** The newest epoch that the sink holds whole; null when none. */
export async function readMarker(session: Session, { name, sink }: MarkerWriter, lane: number): Promise<Marker | null> {
  const [row] = await session.select(
    `SELECT epoch, digest FROM ${MARKER_TABLE} WHERE pipeline = {a0:String} AND sink = {a1:String} AND lane = {a2:Int32}
     ORDER BY epoch DESC LIMIT 1`,
    [name, sink, lane],
  );
  return row ? { epoch: Number(row[0]), digest: String(row[1]) } : null;
}

/** Once all rows of the epoch were taken. */
export async function writeMarker(session: Session, writer: MarkerWriter, lane: number, { epoch, digest }: Marker): Promise<void> {
  await session.run(
    `INSERT INTO ${MARKER_TABLE} (pipeline, sink, lane, epoch, digest)
     SELECT {a0:String}, {a1:String}, {a2:Int32}, {a3:Int64}, {a4:String}`,
    [writer.name, writer.sink, lane, epoch, digest],
  );
}

/** Before a run's first row: a run that nobody knows of could not be retired. */
export async function markBegun(session: Session, writer: MarkerWriter): Promise<void> {
  await writeMarker(session, writer, BEGUN_LANE, { epoch: NO_EPOCH, digest: "" });
}

/** Other runs of the pipeline that wrote through this sink and were not retired, as `millrace_run` says them. */
export async function otherRuns(session: Session, { name, prefix, sink }: MarkerWriter): Promise<string[]> {
  const rows = await session.select(
    `SELECT DISTINCT concat(pipeline, '/', sink) AS run FROM ${MARKER_TABLE}
     WHERE sink = {a0:String} AND startsWith(pipeline, {a1:String}) AND pipeline != {a2:String}
       AND run NOT IN (SELECT run FROM ${RETIRED_TABLE}) ORDER BY run`,
    [sink, prefix, name],
  );
  return rows.map(([run]) => String(run));
}

/** The runs that were begun through this sink and not retired; rows may be there before the first marker is. */
export async function heldRuns(session: Session, { prefix, sink }: Pick<MarkerWriter, "prefix" | "sink">): Promise<HeldRun[]> {
  const rows = await session.select(
    `SELECT pipeline, max(epoch) FROM ${MARKER_TABLE}
     WHERE sink = {a0:String} AND startsWith(pipeline, {a1:String})
       AND concat(pipeline, '/', sink) NOT IN (SELECT run FROM ${RETIRED_TABLE}) GROUP BY pipeline ORDER BY pipeline`,
    [sink, prefix],
  );
  return rows.map(([name, epoch]) => heldRun({ prefix }, String(name), Number(epoch)));
}

/**
 * What the run wrote goes. Views leave its rows out from now on, those included that arrive later; in mode token, whose rows do not say
 * where they come from, the table is emptied. May be cut off and done again.
 */
export async function retireRun(
  session: Session,
  run: string,
  { table, mode }: { readonly table: string; readonly mode: "append" | "token" },
): Promise<void> {
  if (mode === "token") await session.run(`TRUNCATE TABLE ${quoted(table)}`);
  await session.run(`INSERT INTO ${RETIRED_TABLE} (run) SELECT {a0:String}`, [run]);
  // Gives its room back.
  if (mode === "append") await session.run(`DELETE FROM ${quoted(table)} WHERE ${RUN} = {a0:String}`, [run]);
}
