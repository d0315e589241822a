/**
 * The generator behind all made-up data. Invariant: the same state gives the same numbers on every machine and in every version, because
 * data sets made with them are committed.
 */

export const GOLDEN = 0x9e3779b9;
export const UINT32 = 0x100000000;

/** The finalizer of splitmix32: every bit of the argument moves every bit of the result. */
export function mix(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x21f0aaad);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x735a2d97);
  return mixed ^ (mixed >>> 15);
}

/** A state that a name takes part in. */
export function withName(state: number, name: string): number {
  for (let index = 0; index < name.length; index++) state = Math.imul(state ^ name.charCodeAt(index), 0x01000193);
  return state;
}

/** xoshiro128** (Blackman and Vigna, 2018); who extends it says where it starts. */
export class Xoshiro {
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  /** Begins at a state of four 32-bit words, not all of them 0. */
  protected seed(a: number, b: number, c: number, d: number): void {
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#d = d;
  }

  /** A uniform integer in [0, 2^32). */
  next(): number {
    const scaled = Math.imul(this.#b, 5);
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** A uniform integer in [0, bound), bound at most 2^21: then the product is exact and the bias below 2^-11 of one item. */
  below(bound: number): number {
    return Math.floor(this.next() * (bound / UINT32));
  }

  /** A uniform integer in [least, most]. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }
}
