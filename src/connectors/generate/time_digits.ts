/** Instants as "2025-09-04T23:11:55.454871"; the fraction is left out where it is zero. Remembers the second it wrote last. */
import { getHours, getMinutes, getSeconds, packedDate } from "../../data/time.ts";

const SECOND_MICROS = 1e6;
const DAY_MICROS = 86_400e6;
const ZERO = 48;
const POINT = 46;
const SECOND_BYTES = 19;

export class TimeDigits {
  readonly #text = new TextEncoder().encode("0000-00-00T00:00:00");
  readonly #zone: Uint8Array;
  #second = NaN;

  /** `zone` is written behind. */
  constructor(zone: string) {
    this.#zone = new TextEncoder().encode(zone);
  }

  /** Writes the instant and gives the place behind it. At most 27 bytes. */
  put(bytes: Uint8Array, from: number, micros: number): number {
    const second = Math.floor(micros / SECOND_MICROS);
    if (second !== this.#second) this.#format(second);
    for (let i = 0; i < SECOND_BYTES; i++) bytes[from + i] = this.#text[i];
    let at = from + SECOND_BYTES;
    const fraction = micros - second * SECOND_MICROS;
    if (fraction > 0) {
      bytes[at] = POINT;
      putDigits(bytes, at + 1, fraction, 6);
      at += 7;
    }
    for (let i = 0; i < this.#zone.length; i++) bytes[at++] = this.#zone[i];
    return at;
  }

  #format(second: number): void {
    const micros = second * SECOND_MICROS;
    const date = packedDate(Math.floor(micros / DAY_MICROS));
    putDigits(this.#text, 0, Math.floor(date / 10_000), 4);
    putDigits(this.#text, 5, Math.floor(date / 100) % 100, 2);
    putDigits(this.#text, 8, date % 100, 2);
    putDigits(this.#text, 11, getHours(micros), 2);
    putDigits(this.#text, 14, getMinutes(micros), 2);
    putDigits(this.#text, 17, getSeconds(micros), 2);
    this.#second = second;
  }
}

function putDigits(bytes: Uint8Array, at: number, value: number, width: number): void {
  for (let i = at + width - 1, rest = value | 0; i >= at; i--) {
    const next = (rest / 10) | 0;
    bytes[i] = ZERO + rest - next * 10;
    rest = next;
  }
}
