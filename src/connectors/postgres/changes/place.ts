/**
 * How far a table's changes were read. Invariants: a place that was made is read back the same; every row of the table before it was
 * handed out, so a log that the slot still holds from `lsn` on, or a copy from `byte` on, gives all the others.
 */
import { assert } from "../../../data/fault.ts";
import type { Position } from "../../../engine/contracts.ts";

/** In which part of the input. Parts follow one another in this order. */
export type PlaceAt =
  /** Nothing is known yet: not even of which server. */
  | { readonly part: "start" }
  /** In the copy of the table as it was when reading began. */
  | { readonly part: "copy"; readonly byte: number }
  /** Behind `index` rows of the transaction whose commit stands at `lsn`; index 0: behind every transaction that commits before. */
  | { readonly part: "log"; readonly lsn: number; readonly index: number };

export interface ChangePlace {
  /** The server's history, abridged; "" at the start. */
  readonly server: string;
  /** Rows handed out since the start. */
  readonly read: number;
  /** Where the input ends: transactions that commit from there on are not read. null: nowhere, or not known yet. */
  readonly endLsn: number | null;
  readonly at: PlaceAt;
}
export type LogPlace = PlaceAt & { readonly part: "log" };

export const CHANGES_START: ChangePlace = { server: "", read: 0, endLsn: null, at: { part: "start" } };

/** "1x7k2f:120::16B374D848+3" */
export function formatPlace({ server, read, endLsn, at }: ChangePlace): Position {
  const where = at.part === "start" ? "start" : at.part === "copy" ? `copy${at.byte}` : `${at.lsn.toString(16)}+${at.index}`;
  return `${server}:${read}:${endLsn === null ? "" : endLsn.toString(16)}:${where}`;
}

/** Back from `formatPlace`. */
export function parsePlace(position: Position): ChangePlace {
  const match = /^([0-9a-z]*):(\d+):([0-9a-f]*):(?:(start)|copy(\d+)|([0-9a-f]+)\+(\d+))$/.exec(position);
  assert(match, `"${position}" is a position in a table's changes`);
  const [, server, read, end, start, byte, lsn, index] = match;
  return { server, read: Number(read), endLsn: end === "" ? null : parseInt(end, 16), at: placeAt(start, byte, lsn, index) };
}

function placeAt(start: string | undefined, byte: string | undefined, lsn: string, index: string): PlaceAt {
  if (start !== undefined) return { part: "start" };
  return byte !== undefined ? { part: "copy", byte: Number(byte) } : { part: "log", lsn: parseInt(lsn, 16), index: Number(index) };
}

/** Whether a row, the one behind `index` others of its transaction, lies before the place. */
export const liesBefore = (lsn: number, index: number, place: LogPlace): boolean =>
  lsn < place.lsn || lsn === place.lsn && index < place.index;
