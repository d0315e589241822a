/**
 * Everything that outlives a step: checkpoint store, sinks, requests in flight, and what each owner holds.
 *
 * A history string stands for all that determinism promises. An epoch adds one character, its schedule: "1" or "2" records
 * taken ("a" or "b" under a changed plan). Its length is the epoch, its characters are the positions, and the string is at once
 * the state after that epoch and the content of its delivery. Another schedule, plan or prior state gives another string, so
 * lost, doubled, reordered and diverging epochs are all seen by comparing strings.
 *
 * Where SQL refuses rows of an epoch, head's history says so once the epoch has flipped: "x" for "1", "y" for "2". What was refused is
 * given out by the next epoch, so it is part of the content from there on, and of no delivery of its own epoch.
 */
import type { Model } from "./rules.ts";

/** The one value of a lane that decides. */
export interface Head {
  readonly history: string;
  /** The owner's generation. */
  readonly owner: number;
  /** Owners whose transactions are not yet known to be silent; the last one is the owner. */
  readonly ids: readonly number[];
  /** The schedule of the next epoch, or "". */
  readonly intent: string;
}

/** A lane in the checkpoint store. */
export interface LaneStore {
  head: Head;
  /** Only where the intent has its own key: the history it leads to, or "". */
  intent: string;
  base: string;
  deltas: Record<string, string>;
  /** By epoch, the history whose last epoch's refused rows lie there. */
  refused: Record<string, string>;
}

/** What a broker's transaction would commit: rows and markers, by lane. */
interface Transaction {
  readonly records: [lane: number, content: string][];
  readonly offsets: [lane: number, epoch: number][];
}

/** The broker: transactional ids with their producer epochs, the topic and the markers by lane, and the group. */
export interface Broker {
  generation: number;
  assigned: number[];
  ids: { epoch: number; open: Transaction | null }[];
  log: string[][];
  markers: number[];
}

interface Sent {
  readonly by: number;
  readonly lanes: readonly number[];
  /** The sender's generation on the first of the lanes. */
  readonly generation: number;
  /** Whether the sender still waits for the answer. */
  waiting: boolean;
}

/** A write to the checkpoint store. */
export interface StoreRequest extends Sent {
  readonly to: "store";
  readonly what: string;
  /** The head it was decided on; absent where the rules do not check. */
  readonly check?: string;
  readonly head?: Head;
  readonly intentKey?: string;
  readonly delta?: string;
  readonly fold?: string;
  /** Refused rows that are written, and the epoch whose ones are removed. */
  readonly refused?: string;
  readonly given?: number;
  /** The schedule of the epoch whose intent this writes, or "". */
  readonly schedule?: string;
}

/** A delivery of one epoch in one request. */
export interface RowsRequest extends Sent {
  readonly to: "sql" | "clickhouse";
  readonly what: string;
  readonly content: string;
}

/** One request of a broker's transaction. */
export interface BrokerRequest extends Sent {
  readonly to: "kafka";
  readonly what: "Produce" | "TxnOffsetCommit" | "EndTxn";
  readonly id: number;
  readonly slot: number;
  readonly epoch: number;
  /** The sender's generation on each of the lanes. */
  readonly generations: readonly number[];
  readonly records: readonly [lane: number, content: string][];
  readonly offsets: readonly [lane: number, epoch: number][];
  readonly groupGeneration: number;
}

/** A request is applied at any later moment, or never; its sender may stop waiting at any moment. */
export type Request = StoreRequest | RowsRequest | BrokerRequest;

/** How far a delivery has come: asked for its marker, not begun, under way, a step of the file sink, done. */
export type Part = "check" | "todo" | "wait" | "open" | "fill" | "move" | "read" | "rewrite" | "entry" | "done";

/** What an owner holds of a lane. */
export interface Hold {
  at: "idle" | "taking" | "fencing" | "ready" | "intending" | "delivering" | "flipping";
  generation: number;
  /** Head as this owner last saw it. */
  view: Head | null;
  memory: string;
  /** Fences still to set. */
  todo: string[];
  /** The history that the epoch under way leads to. */
  next: string;
  parts: Record<string, Part>;
  manifest: number[];
  /** Of the epoch under way, once SQL has answered: its schedule, as it is written where rows were refused. */
  outcome: string;
}

/** A process that runs lanes. */
export interface Owner {
  begun: boolean;
  crashed: boolean;
  groupGeneration: number;
  /** Per transactional id in use: its producer epoch, 0 before it is begun, and the lanes in its open transaction. */
  transactions: { epoch: number; lanes: readonly number[] }[];
  lanes: Hold[];
}

/** One state of the search. It is JSON, and its JSON is its identity. */
export interface World {
  store: LaneStore[];
  /** `outcomes`: of each epoch its schedule, and whether rows of it are missing from the table. */
  sql: { rows: string[]; epoch: number; owner: number; outcomes: string }[];
  kafka: Broker;
  clickhouse: { rows: string[][]; window: string[] };
  files: { temporary: Record<string, string>; final: Record<string, string>; manifest: number[] }[];
  requests: Request[];
  owners: Owner[];
  /** Per lane, the newest generation whose fences stand. */
  fenced: number[];
  left: { timeouts: number; crashes: number; tokens: number; takeOvers: number[] };
  wrong: string;
  /** A copy of the checkpoint, and what became of it. */
  copy: { readonly store: LaneStore[] | null; readonly stands: "aside" | "brought_back" | "start_refused" };
}

/** A deep copy of plain data. */
export const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value));

/** Stands for head's version: no two commits write the same head, so equal heads are the same commit. */
export const stampOf = (head: Head): string => JSON.stringify(head);

/** What an owner holds of a lane that it does not run. */
export const idle = (): Hold => ({
  at: "idle",
  generation: 0,
  view: null,
  memory: "",
  todo: [],
  next: "",
  parts: {},
  manifest: [],
  outcome: "",
});

/** The world before anything happened. */
export function firstWorld({ bounds }: Model): World {
  const lanes = <T>(make: () => T): T[] => Array.from({ length: bounds.lanes }, make);
  const idCount = Math.max(bounds.owners, bounds.lanes);
  return {
    store: lanes(() => ({ head: { history: "", owner: 0, ids: [], intent: "" }, intent: "", base: "", deltas: {}, refused: {} })),
    sql: lanes(() => ({ rows: [], epoch: 0, owner: 0, outcomes: "" })),
    kafka: {
      generation: 0,
      assigned: lanes(() => -1),
      ids: Array.from({ length: idCount }, () => ({ epoch: 0, open: null })),
      log: lanes(() => []),
      markers: lanes(() => 0),
    },
    clickhouse: { rows: lanes(() => []), window: [] },
    files: lanes(() => ({ temporary: {}, final: {}, manifest: [] })),
    requests: [],
    owners: Array.from({ length: bounds.owners }, () => ({
      begun: false,
      crashed: false,
      groupGeneration: 0,
      transactions: lanes(() => ({ epoch: 0, lanes: [] })),
      lanes: lanes(idle),
    })),
    fenced: lanes(() => 0),
    left: {
      timeouts: bounds.timeouts,
      crashes: bounds.crashes,
      tokens: bounds.otherTokens,
      takeOvers: lanes(() => bounds.takeOversOfOthers).fill(bounds.takeOvers, 0, 1),
    },
    wrong: "",
    copy: { store: null, stands: "aside" },
  };
}

/**
 * The state that a recovery would read: the base, then every change up to head, and what the newest epoch's targets refused; null where
 * any of it is missing or alien.
 */
export function readState({ base, deltas, refused }: LaneStore, head: Head): string | null {
  let state = base;
  if (state.length > head.history.length) return null;
  while (state.length < head.history.length) {
    const delta = deltas[state.length + 1];
    if (delta === undefined || !delta.startsWith(state)) return null;
    const [schedule, known] = [delta.at(-1)!, head.history[state.length]];
    state = delta.slice(0, -1) + (plainOf(known) === schedule ? known : schedule);
  }
  const lost = isRefused(state.at(-1) ?? "") && refused[state.length] !== state;
  return lost ? null : state;
}

/** How a schedule is written where rows of its epoch were refused, and back. */
export const refusedForm = (schedule: string): string => ({ "1": "x", "2": "y" })[schedule] ?? schedule;
export const plainOf = (outcome: string): string => ({ x: "1", y: "2" })[outcome] ?? outcome;
export const isRefused = (outcome: string): boolean => plainOf(outcome) !== outcome;
