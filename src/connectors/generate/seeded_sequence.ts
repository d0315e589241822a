/**
 * Random numbers for generated data, from a seed and a name. Invariant: the same seed and name give the same numbers on every
 * machine and in every version, because data sets made with them are committed.
 */
import { GOLDEN, mix, withName, Xoshiro } from "./xoshiro.ts";

/** Seeded through splitmix32. Streams of different names are independent. */
export class SeededSequence extends Xoshiro {
  constructor(seed: number, name: string) {
    super();
    // Spread first, or a neighbouring seed would meet a neighbouring name.
    let state = withName(Math.imul(seed ^ (seed >>> 16), 0x45d9f3b3) ^ 0x811c9dc5, name);
    const next = () => mix(state = (state + GOLDEN) | 0);
    this.seed(next(), next(), next(), next() | 1);
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }
}
