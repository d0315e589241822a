/**
 * Random numbers that belong to a numbered item: what item 1,000,000 draws is known without drawing for those before it.
 * Invariant: the same seed, name and number give the same draws on every machine and in every version.
 */
import { GOLDEN, mix, UINT32, withName, Xoshiro } from "./xoshiro.ts";

/** Seeded anew for each number; 2^53 numbers are told apart. */
export class NumberedDraws extends Xoshiro {
  readonly #key: number;
  readonly #otherKey: number;

  constructor(seed: number, name: string) {
    super();
    const state = withName(mix(seed | 0) ^ mix(Math.floor(seed / UINT32) + GOLDEN | 0), name);
    this.#key = mix(state + GOLDEN | 0);
    this.#otherKey = mix(this.#key + GOLDEN | 0);
  }

  /** Takes the draws of item `number`, from its first one on. */
  begin(number: number): void {
    const low = mix((number | 0) ^ this.#key);
    const high = mix(Math.floor(number / UINT32) + this.#otherKey | 0);
    const a = mix(low + high | 0);
    const b = mix(a + GOLDEN + low | 0);
    const c = mix(b + GOLDEN + high | 0);
    this.seed(a, b, c, mix(c + GOLDEN | 0) | 1);
  }
}
