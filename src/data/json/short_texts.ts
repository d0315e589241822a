/**
 * JavaScript strings of short texts that come again and again: names of places, words of a vocabulary. Invariant: the string is that of
 * the bytes; what is remembered only saves making it anew.
 */
const PLACES = 1024;
const LENGTH_MAX = 32;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** One string a place: a newer text takes the place of an older one. */
export class ShortTexts {
  readonly #texts: string[] = new Array(PLACES).fill("");

  /** The string of bytes[from, to), which are UTF-8. */
  of(bytes: Uint8Array, from: number, to: number): string {
    const length = to - from;
    if (length === 0) return "";
    if (length > LENGTH_MAX) return decoder.decode(bytes.subarray(from, to));
    let hash = length;
    for (let at = from; at < to; at++) hash = Math.imul(hash, 31) + bytes[at] | 0;
    const place = (hash ^ hash >>> 15) & PLACES - 1;
    const known = this.#texts[place];
    if (known.length === length) {
      let i = 0;
      // Units beyond ASCII never equal a byte: such texts are decoded each time.
      while (i < length && bytes[from + i] < 128 && known.charCodeAt(i) === bytes[from + i]) i++;
      if (i === length) return known;
    }
    return this.#texts[place] = decoder.decode(bytes.subarray(from, to));
  }
}
