/**
 * What the SQL connectors ask of a connection, and transactions over it. Invariant: a transaction whose end is unknown is settled by
 * whoever asked for it, or it throws; nobody guesses.
 */
import { MillraceError } from "../../data/fault.ts";
import type { ServerAddress } from "./address.ts";

/** The address with what its files held. */
export interface Login {
  readonly address: ServerAddress;
  readonly password: string;
  /** PEM; "" for the usual authorities. */
  readonly authorities: string;
}

/** One connection, one statement at a time. Errors are ours: codes that end in `_lost` or `_unreachable` say that it is of no use any more. */
export interface SqlSession {
  /** false once the connection was lost or closed. */
  readonly alive: boolean;
  /** Rows of a query, values in the order of its columns. */
  select(sql: string, values?: readonly (string | number)[]): Promise<readonly (readonly unknown[])[]>;
  /** A change, with its values as parameters; says how many rows it changed. */
  run(sql: string, values?: readonly (string | number)[]): Promise<{ readonly rows: number }>;
  /** Lets the server know, where it can be told. */
  close(): Promise<void>;
  /** At once; the server rolls back what was open. */
  destroy(): void;
}

/** Whether an error says that the connection is of no use any more. */
export const isLost = (error: unknown): boolean => error instanceof MillraceError && /_(lost|unreachable)$/.test(error.code);
/** Whether trying again may help. */
export const mayRetry = (error: unknown): boolean => error instanceof MillraceError && error.retry !== "never";

/** All or nothing. When the outcome of the commit is unknown, `whenUnknown` decides: it returns, or it throws. */
export async function inTransaction<T>(
  session: SqlSession,
  action: () => Promise<T>,
  whenUnknown?: (lost: unknown) => Promise<void>,
): Promise<T> {
  await session.run("START TRANSACTION");
  let result: T;
  try {
    result = await action();
  } catch (error) {
    if (session.alive) await session.run("ROLLBACK").catch(() => session.destroy());
    throw error;
  }
  await endTransaction(session, "COMMIT", whenUnknown);
  return result;
}

/** The end of a transaction of one's own; `whenUnknown` as above. */
export async function endTransaction(
  session: SqlSession,
  how: "COMMIT" | "ROLLBACK",
  whenUnknown?: (lost: unknown) => Promise<void>,
): Promise<void> {
  try {
    await session.run(how);
  } catch (error) {
    session.destroy();
    if (!isLost(error) || !whenUnknown) throw error;
    await whenUnknown(error);
  }
}
