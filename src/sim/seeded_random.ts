/**
 * Randomness from one number. Invariant: the same seed gives the same sequence on every machine and in every version, so a
 * failing seed can be written down and replayed. The generator is sfc32 (PractRand), seeded through splitmix32.
 */
import type { Random } from "../ports/mod.ts";

export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    let state = seed | 0;
    const next = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return (z ^ (z >>> 16)) | 0;
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    // Close seeds give close first outputs; after a few rounds they have nothing in common.
    for (let round = 0; round < 12; round++) this.uint32();
  }

  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + sum) | 0;
    return sum >>> 0;
  }

  /** A uniform integer in [0, bound); 0 for a bound of 0. */
  below(bound: number): number {
    return Math.floor(this.uint32() / 0x1_0000_0000 * bound);
  }

  /** A uniform integer in [low, high]. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True `perMille` times in a thousand. */
  chance(perMille: number): boolean {
    return this.below(1000) < perMille;
  }

  /** One of the values; there must be one. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** A generator of its own, so that one consumer's use does not shift another's sequence. */
  fork(): SeededRandom {
    return new SeededRandom(this.uint32());
  }
}
