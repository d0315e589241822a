/** What `check --connect` learns about the changes of a table. Changes nothing. */
import type { Finding } from "../../../component/component.ts";
import type { Session } from "../driver.ts";
import type { ChangesPlan } from "./plan_changes.ts";
import { type ChangedTable, changedTable, requireUsable, type SlotFacts, slotFacts, unpublished } from "./slot.ts";
import { type ShapeOptions } from "./table_shape.ts";

/** More than this kept for a slot is told as a weakness: a disk may fill. */
const HELD_BYTES_WEAK = 1 << 30;

/** Throws where the server does not answer, or the table's changes cannot be read at all. */
export async function inspectChanges(plan: ChangesPlan, { table, type }: ShapeOptions, session: Session): Promise<Finding[]> {
  const { slot, address: { database } } = plan;
  const found = await changedTable(session, table, slot.place);
  const facts = await slotFacts(session, slot.slot);
  if (facts) requireUsable(facts, slot, database);
  return [
    ...await logFindings(session),
    ...identityFindings(found, plan, type.fields.map(({ name }) => name)),
    await publicationFinding(session, plan, table),
    slotFinding(plan, facts),
    ...await roleFindings(session),
  ];
}

async function logFindings(session: Session): Promise<Finding[]> {
  const [[level]] = await session.select("SHOW wal_level");
  const version = `PostgreSQL ${session.facts.version}`;
  if (level === "logical") return [{ level: "fine", text: `${version}: wal_level = logical` }];
  return [{ level: "fault", text: `${version}: wal_level = ${level}`, hint: "set wal_level = logical at the server and restart it" }];
}

function identityFindings(
  { name, identity, primaryKey, longColumns }: ChangedTable,
  { deletes }: ChangesPlan,
  fields: readonly string[],
): Finding[] {
  const findings: Finding[] = [];
  const hasKey = identity === "index" || identity === "full" || identity === "default" && primaryKey.length > 0;
  const full = `ALTER TABLE ${name} REPLICA IDENTITY FULL, if updates and deletes must tell all values`;
  if (!hasKey) {
    findings.push({ level: "weak", text: `table ${name} has no replica identity: the server refuses its updates and deletes`, hint: full });
  }
  if (identity === "full" || !hasKey) return [...findings, { level: "fine", text: `table ${name}: replica identity ${identity}` }];
  const long = longColumns.filter((column) => fields.includes(column));
  if (long.length > 0) {
    const text = `table ${name}: an update that leaves a long value of ${long.join(", ")} as it was does not tell it, and is rejected`;
    findings.push({ level: "weak", text, hint: `values of about 2 kB and more; ${full}` });
  }
  if (deletes === "pass") findings.push({ level: "fine", text: `table ${name}: a delete tells the key alone` });
  return findings;
}

async function publicationFinding(session: Session, { slot: { publication, create } }: ChangesPlan, table: string): Promise<Finding> {
  const missing = await unpublished(session, publication, [table]);
  if (missing?.length === 0) return { level: "fine", text: `publication ${publication} has table ${table}` };
  const what = missing === null ? `there is no publication ${publication}` : `publication ${publication} does not have table ${table}`;
  if (create) return { level: "fine", text: `${what}: it will be made so` };
  return { level: "fault", text: what, hint: "add create = true to the source, or make it as the tables' owner" };
}

function slotFinding({ slot: { slot, create } }: ChangesPlan, facts: SlotFacts | null): Finding {
  if (!facts) {
    if (create) return { level: "fine", text: `slot ${slot} will be made` };
    return { level: "fault", text: `there is no slot ${slot}`, hint: "add create = true to the source" };
  }
  const reader = facts.activePid === null ? "nobody reads it" : `server process ${facts.activePid} reads it`;
  const text = `slot ${slot} keeps ${Math.round(facts.heldBytes / 1024)} KiB of the log; ${reader}`;
  if (facts.heldBytes < HELD_BYTES_WEAK) return { level: "fine", text };
  return {
    level: "weak",
    text,
    hint: "the log grows until the pipeline runs; max_slot_wal_keep_size bounds it, and then changes are lost",
  };
}

async function roleFindings(session: Session): Promise<Finding[]> {
  const sql = "SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user";
  const [[mayReplicate]] = await session.select(sql);
  if (mayReplicate === "t") return [];
  return [{ level: "fault", text: "the user may not replicate", hint: "ALTER ROLE ... REPLICATION, and SELECT on the tables" }];
}
