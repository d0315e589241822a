/**
 * What stands before each processor. FIXED and EXT: a transaction counts once, a deleted row is no new transaction and takes its
 * reference row away. AS-RUN: every message is a new transaction, every reference row the latest.
 */
import { type Message, type Profile, readTransaction, type TableName, type Transaction, unwrap } from "./rows.ts";

/** What a processor's inputs came to. */
export interface Counters {
  duplicates: number;
  deletes: number;
  readonly rejects: string[];
}
export interface Listener {
  transaction(transaction: Transaction): void;
  /** `fields` of the latest row; `deleted`: it is no longer there. */
  reference?(table: TableName, fields: Readonly<Record<string, unknown>>, deleted: boolean, clock: number): void;
}

/** Hands the messages on, one after the other. `wanted` tells which transactions a processor looks at. */
export function intake(
  messages: Iterable<Message>,
  profile: Profile,
  wanted: (transaction: Transaction) => boolean,
  listener: Listener,
): Counters {
  const seen = new Set<string>();
  const counters: Counters = { duplicates: 0, deletes: 0, rejects: [] };
  for (const message of messages) {
    const { fields, deleted } = unwrap(message);
    if (message.table !== "transactions") {
      listener.reference?.(message.table, fields, deleted && profile !== "AS-RUN", message.clock);
      continue;
    }
    if (deleted && profile !== "AS-RUN") {
      counters.deletes++;
      continue;
    }
    const read = readTransaction(fields, message.clock);
    if (typeof read === "string") counters.rejects.push(read);
    else if (!wanted(read)) continue;
    else if (profile !== "AS-RUN" && seen.has(read.id)) counters.duplicates++;
    else {
      seen.add(read.id);
      listener.transaction(read);
    }
  }
  return counters;
}
