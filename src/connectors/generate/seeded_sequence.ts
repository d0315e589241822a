/**
 * Random numbers for generated data, from a seed and a name. Invariant: the same seed and name give the same numbers on every
 * machine and in every version, because data sets made with them are committed.
 */

/** xoshiro128** (Blackman and Vigna, 2018), seeded through splitmix32. Streams of different names are independent. */
export class SeededSequence {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number, name: string) {
    // Spread first, or a neighbouring seed would meet a neighbouring name.
    let state = Math.imul(seed ^ (seed >>> 16), 0x45d9f3b3) ^ 0x811c9dc5;
    for (let index = 0; index < name.length; index++) state = Math.imul(state ^ name.charCodeAt(index), 0x01000193);
    const next = () => {
      state = (state + 0x9e3779b9) | 0;
      let mixed = state ^ (state >>> 16);
      mixed = Math.imul(mixed, 0x21f0aaad);
      mixed ^= mixed >>> 15;
      mixed = Math.imul(mixed, 0x735a2d97);
      return mixed ^ (mixed >>> 15);
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next() | 1;
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

  /** A uniform integer in [0, bound); the bias of scaling is below bound / 2^32. */
  below(bound: number): number {
    return Math.floor(this.next() * (bound / 0x100000000));
  }

  /** A uniform integer in [least, most]. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }
}
