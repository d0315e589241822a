/**
 * The driver's and the server's errors as ours. Invariant: no password, no statement and no value of a row is in what is thrown. What
 * the server says of values quotes them, in its own language: for such faults the sentence is ours, with the column's name.
 */
import { MillraceError, type Retry } from "../../data/fault.ts";
import { type Refusal, REFUSALS, RowRefused } from "../sql/row_refused.ts";

/** What the driver throws, as far as it is read; `code` is the SQLSTATE, or the operating system's name of an error. */
interface DriverError {
  readonly message: string;
  readonly code?: string;
  readonly severity?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  readonly where?: string;
}

/** The connection is gone, or the server ends it or takes none: shutting down, starting up, too many, idle too long. */
const LOST = /^(08...|57P0[1-5]|53300|25P0[34]|58...)$/;
/** The transaction lost against another, or the server takes none at the moment: disk full, lock wait, deadlock, cancelled, read only. */
const BUSY = /^(40...|55P03|55006|53...|57014|25006)$/;
/** Who may not. */
const DENIED = /^(28...|42501)$/;
const NO_DATABASE = /^(3D000|3F000)$/;
const NO_TABLE = "42P01";
/** COPY's own grammar: what was sent is at fault, not a row. */
const COPY_FORMAT = /^22P0[34]$/;
/** Data exception, integrity constraint, two rows of one key in a statement, what a trigger raises. */
const VALUE = /^(22...|23...|21000|P0001)$/;
/** What a row does wrong; others are told by their number. */
const REFUSED: Readonly<Record<string, Refusal>> = {
  "21000": "duplicate",
  "22001": "too-long",
  "22003": "range",
  "22007": "type",
  "22008": "range",
  "22021": "encoding",
  "22P02": "type",
  "22P05": "encoding",
  "23001": "reference",
  "23502": "missing",
  "23503": "reference",
  "23505": "duplicate",
  "23514": "check",
  "23P01": "duplicate",
  P0001: "trigger",
};

/** What was being done: connecting, or asking a server that was reached. */
export type Phase = "connect" | "ask";

/** Translates what the driver threw. `hidden` are texts that must not be shown, `server` is a place without credentials. */
export function translated(thrown: unknown, server: string, phase: Phase, hidden: readonly string[]): unknown {
  if (thrown instanceof MillraceError || !(thrown instanceof Error)) return thrown;
  const error = thrown as DriverError;
  const state = error.severity === undefined ? "" : error.code ?? "";
  const said = scrubbed(error.message, hidden);
  const make = (code: string, text: string, hint: string | undefined, retry: Retry = "never") =>
    new MillraceError(code, `${server}: ${text}`, { hint, retry });
  if (state === "") return fromDriver(error, said, phase, make);
  if (DENIED.test(state)) return make("postgres_denied", said, "check user, password and grants of the connection");
  if (NO_DATABASE.test(state)) return make("postgres_database", said, "make it, or check the connection's database and schema");
  if (LOST.test(state)) {
    return phase === "connect"
      ? make("postgres_unreachable", said, "the server is starting, stopping, or has no connection left", "wait")
      : make("postgres_lost", `the connection was lost: ${said}`, "the server stopped, restarted or ended the connection", "wait");
  }
  if (BUSY.test(state)) return make("postgres_busy", said, "other transactions hold the rows, or the server takes none now", "backoff");
  if (VALUE.test(state) && !COPY_FORMAT.test(state)) {
    const refusal = REFUSED[state] ?? "value";
    const fault = refusal === "value" ? `${REFUSALS.value} (${state})` : REFUSALS[refusal];
    const [code, hint] = refusal === "duplicate"
      ? ["postgres_duplicate", 'use mode = "upsert" or "ignore", or remove what repeats before the sink']
      : ["postgres_value", "make the column fit the field, or the field the column"];
    const { column, constraint } = error;
    const place = refusal === "trigger" ? null : column ?? constraint ?? copiedColumn(error);
    return new RowRefused(code, `${server}: ${fault}${placeOf(error)}`, refusal, place, hint);
  }
  if (state === NO_TABLE) return make("table_missing", said, "somebody removed the table while it was in use");
  return make("postgres", `${said} (${state})`, undefined);
}

/** Errors that no server named: of the network, of TLS, of the login's own checks. */
function fromDriver(
  { code, message }: DriverError,
  said: string,
  phase: Phase,
  make: (code: string, text: string, hint: string | undefined, retry?: Retry) => MillraceError,
): MillraceError {
  if (/CERT|SELF_SIGNED|TLS|SSL/.test(code ?? "") || /certificate|UnknownIssuer|tls handshake|SSL connections?/i.test(message)) {
    return make("postgres_tls", said, "check tls and ca_file of the connection, and whether the server offers TLS");
  }
  if (/^SASL|password must be/.test(message)) return make("postgres_denied", said, "check user and password of the connection");
  const reason = code && !said.includes(code) ? `${said} (${code})` : said;
  return phase === "connect"
    ? make("postgres_unreachable", reason, "is the server running, and the address right?", "wait")
    : make("postgres_lost", `the connection was lost: ${reason}`, "the server stopped, restarted or ended the connection", "wait");
}

/** Where it happened: names, which are no secrets, and of COPY's place all but the value. */
function placeOf(error: DriverError): string {
  const { table, column, constraint } = error;
  const copied = copiedColumn(error);
  const parts = [
    column ?? copied ? `column ${column ?? copied}` : null,
    table ? `table ${table}` : null,
    constraint ? `constraint ${constraint}` : null,
  ].filter((part) => part !== null);
  return parts.length > 0 ? ` (${parts.join(", ")})` : "";
}

const copiedColumn = ({ where }: DriverError): string | null => /, column ([^:]+)(?::|$)/.exec(where ?? "")?.[1] ?? null;

function scrubbed(message: string, hidden: readonly string[]): string {
  let text = message;
  for (const secret of hidden) if (secret !== "") text = text.replaceAll(secret, "***");
  return text;
}
