/**
 * Random numbers that belong to a numbered item: what item 1,000,000 draws is known without drawing for those before it.
 * Invariant: the same seed, name and number give the same draws on every machine and in every version.
 */

const UINT32 = 0x100000000;
const GOLDEN = 0x9e3779b9;

/** The finalizer of splitmix32: every bit of the argument moves every bit of the result. */
function mix(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x21f0aaad);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x735a2d97);
  return mixed ^ (mixed >>> 15);
}

/** xoshiro128** (Blackman and Vigna, 2018), seeded anew for each number; 2^53 numbers are told apart. */
export class NumberedDraws {
  readonly #key: number;
  readonly #otherKey: number;
  #a = 0;
  #b = 0;
  #c = 0;
  #d = 0;

  constructor(seed: number, name: string) {
    let state = mix(seed | 0) ^ mix(Math.floor(seed / UINT32) + GOLDEN | 0);
    for (let index = 0; index < name.length; index++) state = Math.imul(state ^ name.charCodeAt(index), 0x01000193);
    this.#key = mix(state + GOLDEN | 0);
    this.#otherKey = mix(this.#key + GOLDEN | 0);
  }

  /** Takes the draws of item `number`, from its first one on. */
  begin(number: number): void {
    const low = mix((number | 0) ^ this.#key);
    const high = mix(Math.floor(number / UINT32) + this.#otherKey | 0);
    this.#a = mix(low + high | 0);
    this.#b = mix(this.#a + GOLDEN + low | 0);
    this.#c = mix(this.#b + GOLDEN + high | 0);
    this.#d = mix(this.#c + GOLDEN | 0) | 1;
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
