/**
 * Remembered records: what each key of a state table did before, in columns. Part of the engine's contracts, and imported from there.
 */

/** "number?" may hold nulls; text and values always may. */
export type HistoryColumnKind = "number" | "number?" | "text" | "value";
/** Which records a key remembers. */
export type HistoryKeep =
  /** The newest by arrival. */
  | { readonly kind: "count"; readonly records: number }
  /**
   * Those not older than the key's greatest time less `micros`, in the order of `column`, equal times by arrival; and of those that are,
   * the newest `older`. A record that would be one more than `recordsMax` finds no room.
   */
  | { readonly kind: "span"; readonly column: string; readonly micros: number; readonly older: number; readonly recordsMax: number };
export interface HistorySpec {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly kind: HistoryColumnKind }[];
  readonly keep: HistoryKeep;
  /** As a state table's. */
  readonly version: number;
}
/** A column in pages; an entry's place is the same in all columns of its history. */
export interface NumberHistory {
  readonly pages: readonly Float64Array[];
  /** Of a "number?" column: 1 where a value is there. */
  readonly valid: readonly Uint8Array[];
}
export interface TextHistory {
  /** Codes of `texts`. */
  readonly pages: readonly Int32Array[];
  readonly texts: TextDictionary;
}
export interface ValueHistory {
  readonly pages: readonly unknown[][];
}
/** Texts by code, -1 for null: equal texts have equal codes. Codes mean nothing outside of this process. */
export interface TextDictionary {
  /** The text's code, -2 where it has none. */
  find(text: string | null): number;
  /** Its code, for an entry. */
  hold(text: string | null): number;
  /** The same of the UTF-8 bytes[from, to). */
  holdBytes(bytes: DataView, from: number, to: number): number;
  at(code: number): string | null;
}
/** The records that each key remembers; keys are slots of a state table. */
export interface History {
  /**
   * Makes a place for one record of the key (-1: one that has no slot yet), which the caller fills in all columns. It is seen beside the others
   * until it is committed; the next `stage` or `settle` forgets it. Returns the place, -1 when there is no room.
   */
  stage(slot: number, timeMicros: number): number;
  /** What the last `stage` found: the page; the places [from, to) with the record, without those that it pushes out; its own place. */
  readonly page: number;
  readonly from: number;
  readonly to: number;
  readonly at: number;
  /** What was there before it is [before, to) but for `at`. */
  readonly before: number;
  /** Sets what `stage` sets, without another record: all that the key remembers is seen, and `at` is -1. */
  look(slot: number): void;
  /** Keeps the staged record as one of the key's. */
  commit(slot: number): void;
  /** Forgets a staged record; before an epoch ends there must be none. */
  settle(): void;
  number(column: string): NumberHistory;
  text(column: string): TextHistory;
  value(column: string): ValueHistory;
}
