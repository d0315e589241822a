/**
 * What an experiment decides: which rules of the commit protocol hold, and the bounds that keep the search finite.
 *
 * Every rule can be switched. FIRST_DRAFT is the protocol before it was model-checked, REPAIRED the one that holds; REPAIRED
 * with one rule undone shows what that rule is there for.
 */

/** A kind of sink, by the way in which it keeps rows and marker together. */
export type SinkKind = "sql" | "kafka" | "clickhouse" | "files";

/** One decision of the protocol per field. */
export interface Rules {
  /** Does a new owner write its generation into head before anything else? */
  readonly takeOver: "reads" | "writes";
  /** Where the intent lies: in its own key, in its own key but read after the take-over, or in head. */
  readonly intent: "own_key" | "own_key_read_after" | "in_head";
  /** Do writes and removals of state check head? */
  readonly state: "unchecked" | "checked";
  /** Does the epoch row in SQL also carry the owner's generation? */
  readonly sql: "epoch" | "epoch_and_owner";
  /** How a new owner silences older transactions before it reads the marker. */
  readonly kafka:
    | "no_group"
    | "newest_generation"
    | "generation"
    | "generation_stable"
    | "last_owner_id"
    | "owner_ids_late"
    | "owner_ids"
    | "lane_id";
  /** What an owner does when the answer to EndTxn is lost. */
  readonly endTransaction: "resend" | "recover";
  /** Which lanes an owner drops when the producer that they share is refused: those in the transaction, or all. */
  readonly sharedProducer: "drops_its_lanes" | "drops_all_lanes";
  /** A window of deduplication tokens, or a table that replaces rows with the same key. */
  readonly clickhouse: "token" | "replacing";
  readonly filesTemporary: "shared" | "per_owner";
  /** Does recovery remove files that lie past head? */
  readonly filesRemoval: "past_head" | "never";
  readonly filesManifest: "one_file" | "entry_per_epoch";
  /** Does a new plan refuse the open intent of another one? */
  readonly plan: "ignored" | "refuses";
  /** Does a new owner compare SQL's marker, digest included, with head and its intent before it goes on? */
  readonly markers: "not_compared" | "compared";
  /** What a replay takes for refused where SQL holds the epoch: nothing, or what was recorded with the marker. */
  readonly refused: "forgotten" | "recorded";
  /** When refused rows leave the checkpoint: with the intent of the epoch that gives them out, or behind its flip. */
  readonly refusedKept: "until_intent" | "until_flip";
}

/** How far the search goes. */
export interface Bounds {
  readonly epochs: number;
  readonly owners: number;
  readonly lanes: number;
  /** Per lane, restarts included; of the first, and of each other one. */
  readonly takeOvers: number;
  readonly takeOversOfOthers: number;
  /** Answers that are no longer waited for. */
  readonly timeouts: number;
  readonly crashes: number;
  /** ClickHouse's deduplication window, in tokens. */
  readonly window: number;
  /** Tokens that other lanes push into it. */
  readonly otherTokens: number;
  /** Whether owners fold changes of state into the base. */
  readonly folding: "on" | "off";
  /** Whether owners between the first and the last run a changed plan. */
  readonly plans: "one" | "changed_and_back";
  /** Whether SQL may refuse rows of an epoch, as it likes with every attempt. */
  readonly refusals: "none" | "any";
  /** Whether the checkpoint may once be brought back from a copy: when all its owners have ended, or while they go on. */
  readonly restore: "never" | "owners_ended" | "owners_go_on";
}

/** One experiment's world. */
export interface Model {
  readonly sinks: readonly SinkKind[];
  readonly rules: Rules;
  readonly bounds: Bounds;
  /** `silent`: an owner whose lane was fenced changes nothing at all, not even by delivering the very same bytes. */
  readonly fencedOwners: "same_bytes" | "silent";
}

/** The protocol before it was model-checked. */
export const FIRST_DRAFT: Rules = {
  takeOver: "reads",
  intent: "own_key",
  state: "unchecked",
  sql: "epoch",
  kafka: "generation",
  endTransaction: "resend",
  sharedProducer: "drops_its_lanes",
  clickhouse: "token",
  filesTemporary: "shared",
  filesRemoval: "past_head",
  filesManifest: "one_file",
  plan: "ignored",
  markers: "not_compared",
  refused: "forgotten",
  refusedKept: "until_intent",
};

/** The protocol of docs/protocol.md, with the strictest of the broker's fences; the Kafka sink has `lane_id` (docs/decisions/kafka.md). */
export const REPAIRED: Rules = {
  takeOver: "writes",
  intent: "in_head",
  state: "checked",
  sql: "epoch_and_owner",
  kafka: "owner_ids",
  endTransaction: "recover",
  sharedProducer: "drops_all_lanes",
  clickhouse: "replacing",
  filesTemporary: "per_owner",
  filesRemoval: "never",
  filesManifest: "entry_per_epoch",
  plan: "refuses",
  markers: "compared",
  refused: "recorded",
  refusedKept: "until_flip",
};

/** Two owners, two epochs: where most faults show. */
export const SMALL: Bounds = {
  epochs: 2,
  owners: 2,
  lanes: 1,
  takeOvers: 3,
  takeOversOfOthers: 3,
  timeouts: 1,
  crashes: 1,
  window: 2,
  otherTokens: 2,
  folding: "off",
  plans: "one",
  refusals: "none",
  restore: "never",
};

/** Whether commits are tied to a generation of the consumer group. */
export const usesGroup = ({ sinks, rules }: Model): boolean =>
  sinks.includes("kafka") && ["newest_generation", "generation", "generation_stable"].includes(rules.kafka);

/** Whether head lists the owners whose transactions are not yet known to be silent. */
export const keepsIds = ({ sinks, rules }: Model): boolean =>
  sinks.includes("kafka") && ["last_owner_id", "owner_ids_late", "owner_ids"].includes(rules.kafka);
