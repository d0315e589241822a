/**
 * What must be so before changes are received: publication, slot, and of each table either a copy or a log that goes back far enough.
 * Invariant: a copy shows a table as it was at a place in the log that the slot still has, so what comes behind is neither missed nor
 * doubled.
 */
import { MillraceError } from "../../../data/fault.ts";
import { inTransaction } from "../../sql/session.ts";
import type { Session } from "../driver.ts";
import { runSetup } from "../setup.ts";
import type { FeedOptions } from "./change_feed.ts";
import type { TableKnowledge } from "./change_receiver.ts";
import { lsnText } from "./lsn.ts";
import type { Member } from "./member.ts";
import type { MadeSlot, ReplicationSession, ServerIdentity } from "./replication_session.ts";
import {
  type ChangedTable,
  changedTable,
  changesLost,
  logEnd,
  preparePublication,
  requireLogicalLog,
  requireReach,
  requireUsable,
  type SlotFacts,
  slotFacts,
} from "./slot.ts";
import { copyForm, copyLost, findCopy, takeCopy } from "./table_copy.ts";

export interface Preparing extends FeedOptions {
  readonly sql: Session;
  /** Will receive the changes. */
  readonly session: ReplicationSession;
  /** All, and those of them that have said where they are. */
  readonly joined: readonly Member[];
  readonly members: readonly Member[];
  /** Nobody waits any more. */
  isOver(): boolean;
  /** One more session that can make slots. */
  openSlot(): Promise<ReplicationSession>;
}
export interface Prepared {
  readonly server: string;
  readonly confirmedLsn: number;
  readonly tables: ReadonlyMap<string, TableKnowledge>;
}

/** Throws `changes_lost` and its like where rows would be missed. May be done again. */
export async function prepareMembers(preparing: Preparing): Promise<Prepared> {
  const { sql, session, joined, members, slot, address, world } = preparing;
  await requireLogicalLog(sql, slot.place);
  await runSetup(sql, address.setup, world);
  const server = historyOf(await session.identify());
  requireSameServer(members, server, slot.place);
  const tables = new Map<string, ChangedTable>();
  for (const { options: { shape: { table } } } of joined) tables.set(table, await changedTable(sql, table, slot.place));
  // Before the slot: what is in the log before a publication does not know it.
  await preparePublication(sql, slot, [...tables.keys()]);
  const found = await slotFacts(sql, slot.slot);
  const made = found ? null : await makeSlot(preparing);
  const confirmedLsn = found?.confirmedLsn ?? made!.point;
  const task = { ...preparing, server, tables };
  if (found) await requireSlot(found, task);
  const uncopied = await membersToCopy(task, confirmedLsn);
  // Nobody can have read a slot that was not there.
  if (made) await copyTables(task, made, [...uncopied, ...joined.filter(({ from, options }) => from === null && options.copy)]);
  else if (uncopied.length > 0) await copyBeside(task, uncopied);
  await begin(task, confirmedLsn);
  return { server, confirmedLsn, tables };
}

interface Task extends Preparing {
  readonly server: string;
  readonly tables: ReadonlyMap<string, ChangedTable>;
}

/** Names a server's history in few letters, because it stands in every position. */
function historyOf({ systemId, timeline }: ServerIdentity): string {
  return `${BigInt(systemId).toString(36)}z${timeline}`;
}

function requireSameServer(members: readonly Member[], server: string, place: string): void {
  for (const { from, options } of members) {
    if (from === null || from.server === "" || from.server === server) continue;
    throw changesLost(
      `the checkpoint of "${options.source}" is of another server, or of another timeline, than ${place} is now: ` +
        `the log there is not the one that was read (a restored backup, a promoted standby, another cluster)`,
    );
  }
}

async function makeSlot({ members, session, slot, world }: Preparing): Promise<MadeSlot> {
  const begun = members.find(({ from }) => from!.at.part !== "start");
  if (begun) throw changesLost(`there is no slot ${slot.slot} in ${slot.place} any more, from which "${begun.options.source}" was read`);
  if (!slot.create) {
    throw new MillraceError("slot_missing", `there is no slot ${slot.slot} in ${slot.place}`, {
      hint: "add create = true to the source, or SELECT pg_create_logical_replication_slot('NAME', 'pgoutput')",
    });
  }
  const made = await session.makeSlot(slot.slot, "lasting");
  world.log.event("info", "slot_made", { slot: slot.slot, at: lsnText(made.point) });
  return made;
}

async function requireSlot(facts: SlotFacts, { members, slot, address }: Task): Promise<void> {
  requireUsable(facts, slot, address.database);
  for (const { from, options, next } of members) {
    const { at } = from!;
    if (next) requireReach(facts, slot.slot, next.lsn);
    else if (at.part === "log") requireReach(facts, slot.slot, at.lsn);
    else if (at.part === "copy") {
      const copy = options.copy && await findCopy(options.copy);
      if (!copy) throw copyLost(`of "${options.source}"`);
      requireReach(facts, slot.slot, copy.point);
    }
  }
}

/** Tables that begin with a copy and have none that what the slot holds goes on from. Others find theirs. */
async function membersToCopy({ members, server, slot }: Task, confirmedLsn: number): Promise<Member[]> {
  const wanting: Member[] = [];
  for (const member of members) {
    const { options: { copy, shape, source }, from } = member;
    if (!copy || member.copyFacts || from!.at.part === "log") continue;
    const found = await findCopy(copy);
    const fits = found !== null && found.server === server && found.form === copyForm(shape) && found.point >= confirmedLsn;
    if (fits) member.copyFacts = found;
    else if (from!.at.part === "start") wanting.push(member);
    else {
      throw new MillraceError("copy_changed", `"${source}" is in the midst of a copy of its table, made for other fields`, {
        hint: `go on with the fields as they were until the copy is read, or start over with --rerun (slot ${slot.slot})`,
      });
    }
  }
  return wanting;
}

/** The slot is there already: another one, for as long as it takes, shows where in its log the tables are. */
async function copyBeside(task: Task, members: readonly Member[]): Promise<void> {
  const beside = await task.openSlot();
  try {
    const name = `${task.slot.slot.slice(0, 55)}_copying`;
    await copyTables(task, await beside.makeSlot(name, "temporary"), members);
  } finally {
    await beside.close();
  }
}

async function copyTables(
  { sql, server, tables, world, isOver }: Task,
  { snapshot, point }: MadeSlot,
  members: readonly Member[],
): Promise<void> {
  if (members.length === 0) return;
  await inTransaction(sql, async () => {
    await sql.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    await sql.run(`SET TRANSACTION SNAPSHOT '${snapshot.replaceAll("'", "''")}'`);
    for (const member of members) {
      const { copy, shape, source } = member.options;
      const info = tables.get(shape.table)!;
      member.copyFacts = await takeCopy(sql, copy!, { info, shape, server, point, snapshot, isOver });
      const { rows, bytes } = member.copyFacts;
      world.log.event("info", "table_copied", { source, table: shape.table, rows, bytes, at: lsnText(point) });
    }
  });
}

/** From here on the members' rows may be given out. */
async function begin({ members, sql }: Task, confirmedLsn: number): Promise<void> {
  const endLsn = await endOfLog(sql);
  for (const member of members) {
    if (member.isPrepared) continue;
    const { from, copyFacts, options: { until } } = member;
    const { at, endLsn: knownEnd } = from!;
    member.reachedLsn = endLsn;
    member.endLsn = until.kind === "end" ? knownEnd ?? endLsn : null;
    member.firstLsn = confirmedLsn;
    member.isInCopy = at.part !== "log" && (copyFacts?.bytes ?? 0) > 0;
    member.next = at.part === "log" ? at : { part: "log", lsn: copyFacts?.point ?? confirmedLsn, index: 0 };
    member.isPrepared = true;
  }
}

/** The end as it is now. A record behind it has the server say soon that it has sent everything before. */
async function endOfLog(sql: Session): Promise<number> {
  const end = await logEnd(sql);
  await sql.select("SELECT pg_logical_emit_message(false, 'millrace', '')").catch(() => {}); // A standby writes no log: its own comes.
  return end;
}
