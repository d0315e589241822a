/**
 * The driver's and the server's errors as ours. Invariant: no password, no statement and no value of a row is in what is thrown; the
 * driver's own error, which carries the statement, is never passed on.
 */
import { MillraceError, type Retry } from "../../data/fault.ts";
import { type Refusal, REFUSALS, RowRefused } from "../sql/row_refused.ts";

/** What the driver throws, as far as it is read. */
interface DriverError {
  readonly message: string;
  readonly code?: string;
  readonly errno?: number;
  readonly sqlMessage?: string;
  readonly sqlState?: string;
  readonly fatal?: boolean;
}

/** The connection is gone, or the server ends it: too many connections, shutting down, killed, idle too long. */
const LOST = new Set([
  1040,
  1053,
  1077,
  1079,
  1080,
  1152,
  1158,
  1159,
  1160,
  1161,
  1184,
  1203,
  1226,
  1317,
  1927,
  2002,
  2003,
  2006,
  2013,
  2055,
  3168,
  3169,
  4031,
]);
/** The transaction lost against another, or the server takes none at the moment: disk full, lock wait, deadlock, read only. */
const BUSY = new Set([1020, 1021, 1114, 1180, 1205, 1213, 1290, 1412, 1613, 1614, 1836, 3572, 4020]);
/** Who may not. */
const DENIED = new Set([1044, 1045, 1130, 1142, 1143, 1227, 1251, 1370, 1410, 1698, 1820, 1862, 1873, 3118, 3159, 4151]);
/** Every row lacks a value, or has one too many: the table is at fault, not a row. */
const ROWS = new Set([1136, 1364]);
/** What a row does wrong. */
const REFUSED: ReadonlyMap<number, Refusal> = new Map<number, Refusal>([
  [1048, "missing"],
  [1062, "duplicate"],
  [1169, "duplicate"],
  [1264, "range"],
  [1265, "type"],
  [1292, "type"],
  [1366, "type"],
  [1406, "too-long"],
  [1411, "type"],
  [1416, "type"],
  [1451, "reference"],
  [1452, "reference"],
  [1586, "duplicate"],
  [1644, "trigger"],
  [1690, "range"],
  [3140, "type"],
  [3819, "check"],
  [4025, "check"],
]);
/** Data exception, integrity constraint: those that are not listed. */
const VALUE_STATE = /^2[23]/;
const NO_DATABASE = 1049;
const NO_TABLE = 1146;
const PACKET_TOO_LARGE = 1153;
/** LOAD DATA LOCAL is not allowed by the server, or not by the driver's login. */
const LOCAL_REFUSED = new Set([1148, 2068, 3948, 4166]);

/** Whether LOAD DATA LOCAL was refused, so that the rows may go by INSERT. */
export const isLocalRefused = (error: unknown): boolean => error instanceof MillraceError && error.code === "mysql_local_refused";

/** What was being done: connecting, or asking a server that was reached. */
export type Phase = "connect" | "ask";

/** Translates what the driver threw. `hidden` are texts that must not be shown, `server` is a place without credentials. */
export function translated(thrown: unknown, server: string, phase: Phase, hidden: readonly string[]): unknown {
  if (thrown instanceof MillraceError || !(thrown instanceof Error)) return thrown;
  const error = thrown as DriverError;
  const number = serverNumber(error);
  const said = scrubbed(error.sqlMessage ?? error.message, hidden);
  const make = (code: string, text: string, hint: string | undefined, retry: Retry = "never") =>
    new MillraceError(code, `${server}: ${text}`, { hint, retry });
  if (DENIED.has(number)) return make("mysql_denied", said, "check user, password and grants of the connection");
  if (number === NO_DATABASE) return make("mysql_database", said, "make the database, or check the connection's name of it");
  if (BUSY.has(number)) return make("mysql_busy", said, "other transactions hold the rows, or the server takes none now", "backoff");
  if (LOCAL_REFUSED.has(number)) return make("mysql_local_refused", said, "set local_infile = 1 at the server");
  if (number === PACKET_TOO_LARGE) return make("mysql_packet", said, "raise max_allowed_packet at the server");
  if (ROWS.has(number)) return make("mysql_value", said, "make the columns fit the fields");
  const refusal = REFUSED.get(number) ?? (VALUE_STATE.test(error.sqlState ?? "") ? "value" : undefined);
  if (refusal === "duplicate") {
    const hint = 'a row has the key of another: use mode = "upsert" or "ignore", or remove what repeats before the sink';
    return new RowRefused("mysql_duplicate", `${server}: ${said}`, refusal, placeOf(said), hint);
  }
  if (refusal) {
    // What a trigger says is its author's, and may quote anything.
    const text = refusal === "trigger" ? REFUSALS.trigger : said;
    return new RowRefused("mysql_value", `${server}: ${text}`, refusal, refusal === "trigger" ? null : placeOf(said), FIT);
  }
  if (number === NO_TABLE) return make("table_missing", said, "somebody removed the table while it was in use");
  if (error.code?.startsWith("HANDSHAKE_") || isCertificateFault(error)) {
    return make("mysql_tls", said, "check tls and ca_file of the connection, and whether the server offers TLS");
  }
  if (LOST.has(number) || number === 0) {
    return phase === "connect"
      ? make("mysql_unreachable", reasonOf(error, said), "is the server running, and the address right?", "wait")
      : make(
        "mysql_lost",
        `the connection was lost: ${reasonOf(error, said)}`,
        "the server stopped, restarted or ended the connection",
        "wait",
      );
  }
  return make("mysql", `${said} (error ${number})`, undefined);
}

/** A warning that the server gave instead of an error: the value would not have been kept as it is. */
export function valueChanged(server: string, message: string, hidden: readonly string[]): RowRefused {
  const said = scrubbed(message, hidden);
  return new RowRefused("mysql_value", `${server}: ${said}: ${REFUSALS.scale}`, "scale", placeOf(said), FIT);
}
const FIT = "make the column fit the field, or the field the column";

/** The column, key or constraint that the server names, without the table that it stands in. */
function placeOf(said: string): string | null {
  const named = /\b(?:column|key|constraint) ['`]((?:[^'`]|`\.`)+)['`]/i.exec(said)?.[1];
  return named?.split(/`?\.`?/).at(-1) ?? null;
}

/** The server's number; 0 where no server said anything. The operating system's numbers are negative or small. */
function serverNumber({ errno }: DriverError): number {
  return typeof errno === "number" && errno >= 1000 && errno < 10_000 ? errno : 0;
}

function isCertificateFault({ code, message }: DriverError): boolean {
  return /CERT|SELF_SIGNED|TLS|SSL/.test(code ?? "") || /certificate|UnknownIssuer|tls handshake/i.test(message);
}

const reasonOf = ({ code }: DriverError, said: string): string => code && !said.includes(code) ? `${said} (${code})` : said;

/** Values of rows stand in quotes behind "value:" or "entry"; they may be what nobody should read in a log. */
function scrubbed(message: string, hidden: readonly string[]): string {
  let text = message.replace(/\b(entry|value:?) '.*' (for (?:key|column|function)|at row)/s, "$1 '...' $2");
  for (const secret of hidden) if (secret !== "") text = text.replaceAll(secret, "***");
  return text;
}
