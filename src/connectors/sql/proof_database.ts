/**
 * The database of its own that a proof has at a server: tables, markers and whatever a setup makes lie in it, so that nothing of the
 * configured database is read or written. Invariant: only a database whose name a proof made is ever dropped.
 */
import { assert } from "../../data/fault.ts";
import type { PlanContext, ProofPlace } from "../../component/component.ts";
import { ofConnection } from "../proof_setting.ts";
import { placeOf, type ServerAddress } from "./address.ts";
import type { ServerWorld, SqlServer } from "./server.ts";
import type { SqlSession } from "./session.ts";

/** How a kind of server does it; each may be done again. */
export interface DatabaseStatements<S extends SqlSession> {
  /** A session outside of the proof's database. */
  server(world: ServerWorld): SqlServer<S>;
  make(session: S, database: string): Promise<void>;
  remove(session: S, database: string): Promise<void>;
}

/** `table`: that is read; null for a sink. */
export function proofDatabase<S extends SqlSession>(
  context: PlanContext,
  address: ServerAddress,
  table: string | null,
  statements: DatabaseStatements<S>,
): ProofPlace {
  const isOwn = (): boolean => context.proof !== undefined && address.database.startsWith(context.proof);
  const ask = async (world: ServerWorld, action: (session: S) => Promise<void>): Promise<void> => {
    assert(isOwn(), "a proof touches no database but its own");
    const server = statements.server(world);
    try {
      await server.ask(action);
    } finally {
      server.close();
    }
  };
  return {
    ...ofConnection(context),
    ...(table === null ? {} : { reads: tablePlace(address, table) }),
    key: placeOf(address),
    make: (world) => ask(world, (session) => statements.make(session, address.database)),
    remove: (world) => ask(world, (session) => statements.remove(session, address.database)),
  };
}

/** What a sink writes, as it states it; `table` with its schema, where it has one. */
export const tablePlace = (address: ServerAddress, table: string): string => `${placeOf(address)}, table ${table}`;
