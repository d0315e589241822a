/** Text as the inside of a JSON string, escaped as JSON.stringify does. Invariant: the bytes are UTF-8 and are so afterwards. */
import { putText } from "../bytes.ts";

/** 0: stands for itself; 1: written as \u00xx; otherwise the letter behind the backslash. */
const ESCAPES = new Uint8Array(256).fill(1, 0, 32);
for (const [byte, letter] of [[34, '"'], [92, "\\"], [8, "b"], [12, "f"], [10, "n"], [13, "r"], [9, "t"]] as const) {
  ESCAPES[byte] = letter.charCodeAt(0);
}
const HEX = new TextEncoder().encode("0123456789abcdef");

/** Writes bytes[from, to): words as they are up to the first that needs an escape, from there byte by byte. At most six for one. */
export function putJsonSlice(
  target: Uint8Array,
  at: number,
  bytes: Uint8Array,
  from: number,
  to: number,
  targetView: DataView,
  bytesView: DataView,
): number {
  let i = from;
  for (; i + 4 <= to; i += 4) {
    const word = bytesView.getInt32(i, true);
    const quote = word ^ 0x22222222;
    const backslash = word ^ 0x5c5c5c5c;
    // The highest bit of a byte marks a quote, a backslash or a control character.
    const marks = (quote - 0x01010101 & ~quote | backslash - 0x01010101 & ~backslash | word - 0x20202020 & ~word) & 0x80808080;
    if (marks !== 0) break;
    targetView.setInt32(at, word, true);
    at += 4;
  }
  for (; i < to; i++) {
    const byte = bytes[i];
    if (ESCAPES[byte] === 0) target[at++] = byte;
    else at = putEscape(target, at, byte);
  }
  return at;
}
function putEscape(target: Uint8Array, at: number, byte: number): number {
  target[at++] = 92;
  const escape = ESCAPES[byte];
  if (escape !== 1) {
    target[at++] = escape;
    return at;
  }
  target[at++] = 117;
  target[at++] = 48;
  target[at++] = 48;
  target[at++] = HEX[byte >> 4];
  target[at++] = HEX[byte & 15];
  return at;
}

/** Above this length a native copy beats a loop. */
const LOOP_MAX = 64;

/** Writes a string; half a surrogate pair as its escape. At most six bytes for a UTF-16 unit. */
export function putJsonString(target: Uint8Array, at: number, text: string): number {
  const { length } = text;
  if (length <= LOOP_MAX) {
    let i = 0;
    for (; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 126 || ESCAPES[code] !== 0) break;
      target[at + i] = code;
    }
    if (i === length) return at + length;
  }
  return putText(target, at, JSON.stringify(text).slice(1, -1));
}
