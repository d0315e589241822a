/**
 * Session windows: rows of a key belong together as long as less than `gap` lies between them. The open sessions of a key form a chain
 * in the state; a row may begin one, extend one, or join several. Invariant: open sessions of one key that overlap differ only
 * because together they would be longer than `most`; and which ones a row meets depends on the rows before it alone, not on when closed
 * ones are taken out.
 */
import type { KeyPart, StateTable } from "../../engine/contracts.ts";
import type { DueSlots } from "../support/due_slots.ts";

/** A column of every windowed group. */
export const WINDOW_END = { name: "window end", kind: "number" } as const;
/** Columns of the groups' table that sessions need beside it. */
export const WINDOW_START = { name: "window start", kind: "number" } as const;
const NEXT = { name: "next session", kind: "number" } as const;
export const SESSION_COLUMNS = [WINDOW_START, NEXT] as const;
const FIRST = "first session";
/** The chain's table: by the key without the start, the newest session's slot plus one. */
export const CHAIN_COLUMNS = [{ name: FIRST, kind: "number" }] as const;

export interface SessionParts {
  readonly groups: StateTable;
  readonly chains: StateTable;
  readonly due: DueSlots;
  readonly gapMicros: number;
  readonly mostMicros: number;
  /** Adds the values of one group to those of another. */
  absorb(into: number, from: number): void;
  /** Takes a group out of the state. The key of a group begins with its session's number. */
  remove(slot: number): void;
}

export class Sessions {
  readonly #parts: SessionParts;
  /** The key that is asked for; as fields, so that no row costs an object. */
  #a: KeyPart = null;
  #b: KeyPart | undefined;
  #c: KeyPart | undefined;
  /** The newest session's number: its start may change, and be that of one that has closed but is still to be given out. */
  #number = 0;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    const { groups } = parts;
    for (let slot = 0; slot < groups.size; slot++) {
      if (groups.isLive(slot)) this.#number = Math.max(this.#number, groups.keyOf(slot)[0] as number);
    }
  }

  /**
   * The session that takes a row of `time`, made when there is none; -1 when the row is late: `mark` has passed the end of its own. A key
   * of no parts is 0.
   */
  place(time: number, mark: number, a: KeyPart, b?: KeyPart, c?: KeyPart): number {
    const { groups, gapMicros } = this.#parts;
    this.#a = a;
    this.#b = b;
    this.#c = c;
    const joined = this.#nearest(time, time, mark, -1);
    if (joined < 0) return time + gapMicros <= mark ? -1 : this.#begin(time, time + gapMicros);
    const ends = groups.number(WINDOW_END.name).values;
    const starts = groups.number(WINDOW_START.name).values;
    ends[joined] = Math.max(ends[joined], time + gapMicros);
    starts[joined] = Math.min(starts[joined], time);
    for (;;) {
      const other = this.#nearest(starts[joined], ends[joined] - gapMicros, mark, joined);
      if (other < 0) return joined;
      ends[joined] = Math.max(ends[joined], ends[other]);
      this.#parts.absorb(joined, other);
      this.remove(other);
    }
  }

  /** Takes a session out: it is closed, or part of another. */
  remove(slot: number): void {
    const { groups, chains, due } = this.#parts;
    const [, a = 0, b, c] = groups.keyOf(slot);
    const chain = chains.find(a, b, c);
    const first = chains.number(FIRST).values;
    const next = groups.number(NEXT.name).values;
    if (first[chain] - 1 === slot) {
      first[chain] = next[slot];
      if (first[chain] === 0) chains.remove(chain);
      else chains.touch(chain);
    } else {
      let before = first[chain] - 1;
      while (next[before] - 1 !== slot) before = next[before] - 1;
      next[before] = next[slot];
      groups.touch(before);
    }
    due.forget(slot);
    this.#parts.remove(slot);
  }

  /** The earliest open session but `except` that rows from `from` to `to` may belong to; -1 for none. */
  #nearest(from: number, to: number, mark: number, except: number): number {
    const { groups, chains, gapMicros, mostMicros } = this.#parts;
    const chain = chains.find(this.#a, this.#b, this.#c);
    if (chain < 0) return -1;
    const starts = groups.number(WINDOW_START.name).values;
    const ends = groups.number(WINDOW_END.name).values;
    const next = groups.number(NEXT.name).values;
    let found = -1;
    for (let slot = chains.number(FIRST).values[chain] - 1; slot >= 0; slot = next[slot] - 1) {
      if (slot === except || ends[slot] <= mark) continue;
      if (from >= ends[slot] || to + gapMicros <= starts[slot]) continue;
      if (Math.max(to, ends[slot] - gapMicros) - Math.min(from, starts[slot]) > mostMicros) continue;
      if (found < 0 || starts[slot] < starts[found]) found = slot;
    }
    return found;
  }

  #begin(start: number, end: number): number {
    const { groups, chains, due } = this.#parts;
    const slot = groups.insert(++this.#number, this.#a, this.#b, this.#c);
    const chain = chains.insert(this.#a, this.#b, this.#c);
    const first = chains.number(FIRST);
    for (const [{ name }, value] of [[WINDOW_START, start], [WINDOW_END, end], [NEXT, first.values[chain]]] as const) {
      groups.number(name).values[slot] = value;
      groups.number(name).valid[slot] = 1;
    }
    first.values[chain] = slot + 1;
    first.valid[chain] = 1;
    chains.touch(chain);
    due.add(slot, end);
    return slot;
  }
}
