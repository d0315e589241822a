/**
 * Positions in a table that is read in the order of a key: how many rows were read, and the last one's key as texts. Invariant: a
 * position that was made is read back to the same place, and fits what the engine allows.
 */
import { MillraceError } from "../../data/fault.ts";
import type { Position } from "../../engine/contracts.ts";

export interface KeyPlace {
  readonly read: number;
  /** Of the last row read, in the reader's own notation; null at the start. */
  readonly key: readonly string[] | null;
}
/** Before the first row. */
export const TABLE_START: KeyPlace = { read: 0, key: null };
/** What the engine allows a position to have. */
const POSITION_LENGTH_MAX = 200;

/** "3:[\"17\"]"; "0:" at the start. */
export function formatPlace({ read, key }: KeyPlace): Position {
  const position = key ? `${read}:${JSON.stringify(key)}` : `${read}:`;
  if (position.length <= POSITION_LENGTH_MAX) return position;
  throw new MillraceError("read_by", "a key is too long to resume a table by", { hint: "name a shorter unique column in `read_by`" });
}

/** Back from `formatPlace`. */
export function parsePlace(position: Position): KeyPlace {
  const colon = position.indexOf(":");
  const key = position.slice(colon + 1);
  return { read: Number(position.slice(0, colon)), key: key === "" ? null : JSON.parse(key) as string[] };
}
