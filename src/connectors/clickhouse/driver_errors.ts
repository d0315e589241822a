/**
 * The client's and the server's errors as ours. Invariant: no password and no statement is in what is thrown; the client's own error,
 * which may carry both, is never passed on.
 */
import { MillraceError, type Retry } from "../../data/fault.ts";
import { MESSAGE_LENGTH_MAX } from "./limits.ts";

/** What the client throws, as far as it is read: a server's error has a number, as text, and a name. */
interface ClientError {
  readonly message: string;
  readonly code?: string;
  readonly type?: string;
}

/** Who may not. */
const DENIED = new Set([192, 193, 194, 195, 291, 452, 497, 516, 519, 530, 531]);
/** The user or a setting forbids every change. */
const READ_ONLY = 164;
const NO_DATABASE = 81;
const NO_TABLE = 60;
/**
 * The server takes nothing at the moment: memory, too many parts, too many queries, time, quota, a table that lost its keeper, disk full.
 * A repeated insert doubles nothing, so these are waited for.
 */
const BUSY = new Set([
  159,
  160,
  201,
  202,
  203,
  209,
  210,
  225,
  236,
  241,
  242,
  243,
  252,
  279,
  285,
  286,
  319,
  394,
  439,
  473,
  722,
  999,
]);
/** A fault that the server itself did not foresee: its disk, its network. */
const UNFORESEEN = new Set([1000, 1001, 1002]);
/** The bytes were not what the columns want, or a column refuses its value. */
const VALUE = new Set([6, 26, 27, 32, 33, 38, 41, 53, 69, 70, 72, 321, 349, 407, 469]);

/** Translates what the client threw. `hidden` are texts that must not be shown, `server` is a place without credentials. */
export function translated(thrown: unknown, server: string, hidden: readonly string[]): unknown {
  if (thrown instanceof MillraceError || !(thrown instanceof Error)) return thrown;
  const error = thrown as ClientError;
  const number = /^\d+$/.test(error.code ?? "") ? Number(error.code) : 0;
  const said = scrubbed(error.message, hidden) + (error.type ? ` (${error.type})` : "");
  const make = (code: string, hint: string | undefined, retry: Retry = "never") =>
    new MillraceError(code, `${server}: ${said}`, { hint, retry });
  if (DENIED.has(number)) return make("clickhouse_denied", "check user, password and grants of the connection");
  if (number === READ_ONLY) {
    return make("clickhouse_read_only", "the user may only read: it needs INSERT on the table, and readonly = 0 in its profile");
  }
  if (number === NO_DATABASE) return make("clickhouse_database", "make the database, or check the connection's name of it");
  if (number === NO_TABLE) return make("table_missing", "somebody removed the table while it was in use");
  if (BUSY.has(number)) return make("clickhouse_busy", "the server takes nothing now; it is asked again", "wait");
  if (VALUE.has(number)) return make("clickhouse_value", "make the column fit the field, or the field the column");
  if (UNFORESEEN.has(number)) return make("clickhouse", "see the server's own log for why", "backoff");
  if (number !== 0) return make("clickhouse", undefined);
  if (/certificate|UnknownIssuer|tls/i.test(error.message)) return make("clickhouse_tls", "check url and ca_file of the connection");
  // No answer of a ClickHouse server, or none that could be read: a gateway may stand in its place for a while.
  return make("clickhouse_unreachable", "is the server running, and the address right?", "wait");
}

/** Statements and values may stand behind these words. */
function scrubbed(message: string, hidden: readonly string[]): string {
  let text = message.split(/: (?:While executing|In scope|in query:|while (?:parsing|reading|converting))/i)[0];
  for (const secret of hidden) if (secret !== "") text = text.replaceAll(secret, "***");
  text = text.replaceAll(/'[^']*'/g, (quote) => quote.length > 64 ? "'...'" : quote).trim();
  return text === "" ? "no answer" : text.slice(0, MESSAGE_LENGTH_MAX);
}
