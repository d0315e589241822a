/**
 * Kafka's faults as ours. Invariant: nothing of the library's own errors gets through, neither as text nor as a cause: they carry
 * requests and options, and with them passwords. What is kept is the broker's address and the protocol's name of the fault.
 */
import { MillraceError, type Retry } from "../../data/fault.ts";
import { type Broker, brokerText } from "./connection_settings.ts";

interface Refusal {
  readonly name: string;
  readonly code: string;
  readonly retry: Retry;
  readonly hint?: string;
}
const passing = (name: string): Refusal => ({ name, code: "server_busy", retry: "backoff" });
const denied = (name: string): Refusal => ({
  name,
  code: "not_allowed",
  retry: "never",
  hint: "the user of the connection lacks this right; an administrator of the cluster grants it",
});
/** A newer owner, or merely a transaction that took too long: the engine asks the checkpoint store which, and tries again. */
const fenced = (name: string): Refusal => ({
  name,
  code: "fenced",
  retry: "backoff",
  hint: "another process took this pipeline over, or an epoch took longer than the sink's transaction_timeout",
});
const transactionLost = (name: string): Refusal => ({
  name,
  code: "transaction_lost",
  retry: "backoff",
  hint: "an epoch may have taken longer than the sink's transaction_timeout: raise it, or lower epoch.records_max",
});
const login = (name: string): Refusal => ({
  name,
  code: "login_refused",
  retry: "never",
  hint: "check username, password and mechanism under sasl of the connection",
});

export const OFFSET_OUT_OF_RANGE = 1;
export const UNKNOWN_TOPIC_OR_PARTITION = 3;
export const ILLEGAL_GENERATION = 22;
export const UNKNOWN_MEMBER_ID = 25;
export const REBALANCE_IN_PROGRESS = 27;
export const TOPIC_ALREADY_EXISTS = 36;
export const DUPLICATE_SEQUENCE_NUMBER = 46;
export const CONCURRENT_TRANSACTIONS = 51;
export const MEMBER_ID_REQUIRED = 79;
/** COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR. */
export const COORDINATOR_MOVED: ReadonlySet<number> = new Set([14, 15, 16]);
/** The broker lost what it knew of the producer, or ended its transaction: nothing more can be done under this identity. */
export const IDENTITY_LOST: ReadonlySet<number> = new Set([45, 47, 48, 49, 59, 90, 120]);

/** The protocol's error codes that have a meaning of their own here. */
const REFUSALS: ReadonlyMap<number, Refusal> = new Map([
  [2, passing("CORRUPT_MESSAGE")],
  [UNKNOWN_TOPIC_OR_PARTITION, {
    name: "UNKNOWN_TOPIC_OR_PARTITION",
    code: "topic_missing",
    retry: "wait",
    hint: "make the topic, or add create = { partitions = 1 } to the sink that writes it",
  }],
  [5, passing("LEADER_NOT_AVAILABLE")],
  [6, passing("NOT_LEADER_OR_FOLLOWER")],
  [7, passing("REQUEST_TIMED_OUT")],
  [8, passing("BROKER_NOT_AVAILABLE")],
  [9, passing("REPLICA_NOT_AVAILABLE")],
  [10, {
    name: "MESSAGE_TOO_LARGE",
    code: "record_too_long",
    retry: "never",
    hint: "raise max.message.bytes of the topic, or write smaller records",
  }],
  [13, passing("NETWORK_EXCEPTION")],
  [14, passing("COORDINATOR_LOAD_IN_PROGRESS")],
  [15, passing("COORDINATOR_NOT_AVAILABLE")],
  [16, passing("NOT_COORDINATOR")],
  [17, {
    name: "INVALID_TOPIC_EXCEPTION",
    code: "topic_refused",
    retry: "never",
    hint: "use letters, digits, dots, dashes and underscores",
  }],
  [18, { name: "RECORD_LIST_TOO_LARGE", code: "record_too_long", retry: "never", hint: "raise max.message.bytes of the topic" }],
  [19, passing("NOT_ENOUGH_REPLICAS")],
  [20, passing("NOT_ENOUGH_REPLICAS_AFTER_APPEND")],
  [ILLEGAL_GENERATION, passing("ILLEGAL_GENERATION")],
  [23, {
    name: "INCONSISTENT_GROUP_PROTOCOL",
    code: "group_shared",
    retry: "never",
    hint: "the group has members that are not millrace's: give the source another group",
  }],
  [24, { name: "INVALID_GROUP_ID", code: "server_refused", retry: "never", hint: "give the source another group" }],
  [UNKNOWN_MEMBER_ID, passing("UNKNOWN_MEMBER_ID")],
  [26, {
    name: "INVALID_SESSION_TIMEOUT",
    code: "server_refused",
    retry: "never",
    hint: "session_timeout must lie within the brokers' group.min.session.timeout.ms and group.max.session.timeout.ms",
  }],
  [REBALANCE_IN_PROGRESS, passing("REBALANCE_IN_PROGRESS")],
  [29, denied("TOPIC_AUTHORIZATION_FAILED")],
  [30, denied("GROUP_AUTHORIZATION_FAILED")],
  [31, denied("CLUSTER_AUTHORIZATION_FAILED")],
  [33, login("UNSUPPORTED_SASL_MECHANISM")],
  [34, login("ILLEGAL_SASL_STATE")],
  [37, { name: "INVALID_PARTITIONS", code: "topic_refused", retry: "never" }],
  [38, {
    name: "INVALID_REPLICATION_FACTOR",
    code: "topic_refused",
    retry: "never",
    hint: "there are fewer brokers than that: lower create.replication, or leave it out",
  }],
  [41, passing("NOT_CONTROLLER")],
  [44, { name: "POLICY_VIOLATION", code: "topic_refused", retry: "never", hint: "the cluster's own rules forbid such a topic" }],
  [45, passing("OUT_OF_ORDER_SEQUENCE_NUMBER")],
  [47, fenced("INVALID_PRODUCER_EPOCH")],
  [48, transactionLost("INVALID_TXN_STATE")],
  [49, transactionLost("INVALID_PRODUCER_ID_MAPPING")],
  [50, {
    name: "INVALID_TRANSACTION_TIMEOUT",
    code: "server_refused",
    retry: "never",
    hint: "lower transaction_timeout of the sink: the brokers allow at most their transaction.max.timeout.ms",
  }],
  [CONCURRENT_TRANSACTIONS, passing("CONCURRENT_TRANSACTIONS")],
  [53, denied("TRANSACTIONAL_ID_AUTHORIZATION_FAILED")],
  [56, passing("KAFKA_STORAGE_ERROR")],
  [58, login("SASL_AUTHENTICATION_FAILED")],
  [59, passing("UNKNOWN_PRODUCER_ID")],
  [72, passing("LISTENER_NOT_FOUND")],
  [74, passing("FENCED_LEADER_EPOCH")],
  [75, passing("UNKNOWN_LEADER_EPOCH")],
  [78, passing("OFFSET_NOT_AVAILABLE")],
  [81, { name: "GROUP_MAX_SIZE_REACHED", code: "server_refused", retry: "never", hint: "the brokers allow no more replicas in the group" }],
  [82, {
    name: "FENCED_INSTANCE_ID",
    code: "fenced",
    retry: "never",
    hint: "another process runs as the same member: give each replica a member of its own",
  }],
  [88, passing("UNSTABLE_OFFSET_COMMIT")],
  [89, passing("THROTTLING_QUOTA_EXCEEDED")],
  [90, fenced("PRODUCER_FENCED")],
  [100, passing("UNKNOWN_TOPIC_ID")],
  [120, transactionLost("TRANSACTION_ABORTABLE")],
]);

/** A broker's answer that holds an error code. */
export function refusedCode(errorCode: number, what: string): MillraceError {
  const refusal = REFUSALS.get(errorCode);
  const { name, code, retry, hint } = refusal ?? { name: `error ${errorCode}`, code: "server_refused", retry: "never", hint: undefined };
  return new MillraceError(code, `Kafka refused ${what}: ${name}`, { hint, retry });
}

/** The broker answered plain bytes with an alert. */
export class WantsTls extends Error {}

/** Whatever a connection throws where there is no answer. */
export function unreachable(error: unknown, broker: Broker): MillraceError {
  const server = `the Kafka broker ${brokerText(broker)}`;
  const chain = chainOf(error);
  // TLS first: where the two sides disagree about it, a login fails for that reason.
  const certificate = chain.map(({ code }) => code).find((code) => typeof code === "string" && isCertificateFault(code));
  if (certificate) {
    return new MillraceError("tls_failed", `the certificate of ${server} is not trusted: ${certificate}`, {
      hint: 'name the certificate of its issuer in ca_file; tls = "require" would trust anybody',
    });
  }
  if (error instanceof WantsTls || chain.some(({ code, message }) => code === "PLT_KFK_USER" && /TLS/.test(String(message)))) {
    return new MillraceError("tls_failed", `${server} and this connection do not agree about TLS`, {
      hint: 'set tls = "verify" where the broker wants it, tls = "off" where it does not',
    });
  }
  const refusal = chain.map(({ apiCode }) => REFUSALS.get(apiCode as number)).find((one) => one?.code === "login_refused");
  if (refusal || chain.some(({ code }) => code === "PLT_KFK_AUTHENTICATION")) {
    const { hint } = login("");
    return new MillraceError("login_refused", `${server} refused the login${refusal ? `: ${refusal.name}` : ""}`, { hint });
  }
  const reason = chain.map(({ code }) => code).find((code) => typeof code === "string" && /^E[A-Z]+$/.test(code));
  return new MillraceError("server_unreachable", `${server} does not answer${reason ? `: ${reason}` : ""}`, {
    hint: "check that it runs, the brokers of the connection, and whether the broker wants tls or sasl",
    retry: "wait",
  });
}

/** A file that the connection names. */
export function missingFile(path: string, setting: string): MillraceError {
  return new MillraceError("input_missing", `there is no file ${path}`, { hint: `it is named as ${setting} of a kafka connection` });
}

interface Link {
  readonly code?: unknown;
  readonly apiCode?: unknown;
  readonly message?: unknown;
}
const CHAIN_LENGTH_MAX = 32;

/** The error, what it was made of and what caused it. */
function chainOf(error: unknown): Link[] {
  const links: Link[] = [];
  const waiting: unknown[] = [error];
  while (waiting.length > 0 && links.length < CHAIN_LENGTH_MAX) {
    const one = waiting.shift();
    if (typeof one !== "object" || one === null) continue;
    links.push(one);
    const { cause, errors } = one as { cause?: unknown; errors?: unknown };
    waiting.push(cause, ...(Array.isArray(errors) ? errors : []));
  }
  return links;
}

const isCertificateFault = (code: string): boolean => /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|^ERR_TLS|ERR_SSL/.test(code);
