/** Damage to inputs, made from dice: a few changes of one input of a corpus, mostly such that what is left still resembles it. */
import type { Dice } from "../data/json_fuzz.ts";

/** What inputs are made from. */
export interface Material {
  readonly corpus: readonly Uint8Array[];
  /** Words of the format, which mean something wherever they come to stand. */
  readonly words: readonly Uint8Array[];
}

/** An input that grew longer is left as it is. */
const INPUT_BYTES_MAX = 64 << 10;
/** Of what is nested or repeated. */
const REPEATS_MAX = 6_000;
const NUMBERS = "0 -1 127 128 255 256 32767 65535 2147483647 2147483648 4294967295 9007199254740991 9007199254740993 1e999 0.1 -0".split(
  " ",
);
const encoder = new TextEncoder();

/** The same inputs as bytes. */
export const bytesOf = (texts: readonly string[]): Uint8Array[] => texts.map((text) => encoder.encode(text));

/** One input of the corpus with none to five changes. */
export function mutated({ corpus, words }: Material, dice: Dice): Uint8Array {
  let bytes: Uint8Array = dice.pick(corpus).slice();
  if (dice.once(16)) return bytes;
  for (let left = 1 + dice.below(dice.once(4) ? 5 : 2); left > 0 && bytes.length < INPUT_BYTES_MAX; left--) {
    bytes = change(bytes, { corpus, words }, dice);
  }
  return bytes;
}

function change(bytes: Uint8Array, { corpus, words }: Material, dice: Dice): Uint8Array {
  const at = dice.below(bytes.length + 1);
  const length = dice.once(3) ? dice.below(bytes.length - at + 1) : Math.min(bytes.length - at, 1 + dice.below(8));
  switch (dice.below(11)) {
    case 0:
      return flipped(bytes, dice);
    case 1:
      return at < bytes.length ? bytes.with(at, dice.below(256)) : bytes;
    case 2:
      return spliced(bytes, at, 0, dice.pick(words));
    case 3:
      return spliced(bytes, at, length, dice.pick(words));
    case 4:
      return spliced(bytes, at, length, new Uint8Array(0));
    case 5:
      return spliced(bytes, dice.below(bytes.length + 1), 0, bytes.subarray(at, at + length));
    case 6:
      return bytes.slice(0, at);
    case 7: {
      const other = dice.pick(corpus);
      const from = dice.below(other.length + 1);
      return spliced(bytes, at, length, other.subarray(from, from + dice.below(other.length - from + 1)));
    }
    case 8:
      return dice.once(8) ? spliced(bytes, at, 0, repeated(dice.pick(words), dice.below(REPEATS_MAX))) : flipped(bytes, dice);
    case 9:
      return otherNumber(bytes, at, dice);
    default:
      return Uint8Array.from([...bytes.subarray(at), ...bytes.subarray(0, at)]);
  }
}

function flipped(bytes: Uint8Array, dice: Dice): Uint8Array {
  if (bytes.length === 0) return bytes;
  const at = dice.below(bytes.length);
  return bytes.with(at, bytes[at] ^ 1 << dice.below(8));
}

/** Puts `piece` in the place of bytes[at, at + length). */
function spliced(bytes: Uint8Array, at: number, length: number, piece: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length - length + piece.length);
  result.set(bytes.subarray(0, at));
  result.set(piece, at);
  result.set(bytes.subarray(at + length), at + piece.length);
  return result;
}

function repeated(word: Uint8Array, times: number): Uint8Array {
  const result = new Uint8Array(word.length * times);
  for (let i = 0; i < times; i++) result.set(word, i * word.length);
  return result;
}

const isDigit = (byte: number): boolean => byte >= 48 && byte <= 57;
/** The decimal number at or behind `at` becomes one at the edge of what a type holds. */
function otherNumber(bytes: Uint8Array, at: number, dice: Dice): Uint8Array {
  let from = at;
  while (from < bytes.length && !isDigit(bytes[from])) from++;
  let to = from;
  while (to < bytes.length && isDigit(bytes[to])) to++;
  return spliced(bytes, from, to - from, encoder.encode(dice.pick(NUMBERS)));
}
