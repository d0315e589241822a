/**
 * Places in a server's write-ahead log. Kept as numbers: a log that passes 2^53 bytes, nine petabytes, is refused, not rounded.
 */
import { MillraceError } from "../../../data/fault.ts";

const HALF = 2 ** 32;

/** The server's notation, "16/B374D848". */
export function lsnText(lsn: number): string {
  return `${Math.floor(lsn / HALF).toString(16).toUpperCase()}/${(lsn % HALF).toString(16).toUpperCase()}`;
}

/** Back from the server's notation. Throws `changes_malformed`. */
export function parseLsn(text: string): number {
  const match = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text);
  if (!match) throw new MillraceError("changes_malformed", `"${text}" is no place in a write-ahead log`);
  return exactLsn(parseInt(match[1], 16), parseInt(match[2], 16));
}

/** From its halves. Throws `changes_malformed`. */
export function exactLsn(high: number, low: number): number {
  const lsn = high * HALF + low;
  if (Number.isSafeInteger(lsn)) return lsn;
  throw new MillraceError("changes_malformed", `the write-ahead log is at ${high.toString(16)}/${low.toString(16)}, beyond 2^53 bytes`);
}

/** As it stands in messages: 64 bits, the high ones first. */
export function writeLsn(view: DataView, at: number, lsn: number): void {
  view.setUint32(at, Math.floor(lsn / HALF));
  view.setUint32(at + 4, lsn % HALF);
}
