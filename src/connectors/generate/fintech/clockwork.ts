/**
 * When each transaction is made, and on which simulated day. The loop sleeps 1/(r U) seconds between two, U uniform in [0.2, 2); whenever
 * ten seconds have passed the simulated time goes on by a day, at the first transaction too. Invariant: what is told of a transaction
 * depends on seed, rate and number alone; asking in ascending order costs a draw each, going back starts from the first again.
 */
import { NumberedDraws } from "../numbered_draws.ts";
import { UINT32 } from "../xoshiro.ts";

const SECOND_MICROS = 1e6;
export const DAY_MICROS = 86_400e6;
/** Real time that a simulated day lasts. */
const DAY_LASTS_MICROS = 10 * SECOND_MICROS;
const PACE_LEAST = 0.2;
const PACE_MOST = 2;
/** Transactions before the newest that are still known without starting again: more than a batch; a power of two. */
const REMEMBERED = 1 << 14;

export class Clockwork {
  readonly #draws: NumberedDraws;
  readonly #rate: number;
  readonly #elapsed = new Float64Array(REMEMBERED);
  readonly #days = new Float64Array(REMEMBERED);
  #newest = -1;
  #steppedMicros = 0;

  /** `rate`: how often a second the loop aims at. */
  constructor(seed: number, rate: number) {
    this.#draws = new NumberedDraws(seed, "fintech pace");
    this.#rate = rate;
  }

  /** Real time from the first transaction to this one, whole microseconds. */
  elapsedMicros(number: number): number {
    this.#reach(number);
    return this.#elapsed[number & REMEMBERED - 1];
  }
  /** Days that the simulated time has gone on by. */
  days(number: number): number {
    this.#reach(number);
    return this.#days[number & REMEMBERED - 1];
  }

  #reach(number: number): void {
    if (number <= this.#newest && number > this.#newest - REMEMBERED) return;
    if (number < this.#newest) this.#newest = -1;
    while (this.#newest < number) this.#advance();
  }

  #advance(): void {
    const before = this.#newest & REMEMBERED - 1;
    const at = this.#newest + 1 & REMEMBERED - 1;
    if (this.#newest < 0) {
      this.#elapsed[at] = 0;
      this.#days[at] = 1;
      this.#steppedMicros = 0;
    } else {
      this.#draws.begin(this.#newest);
      const pace = PACE_LEAST + this.#draws.next() * ((PACE_MOST - PACE_LEAST) / UINT32);
      const elapsed = this.#elapsed[before] + Math.round(SECOND_MICROS / (this.#rate * pace));
      const steps = elapsed - this.#steppedMicros >= DAY_LASTS_MICROS;
      if (steps) this.#steppedMicros = elapsed;
      this.#elapsed[at] = elapsed;
      this.#days[at] = this.#days[before] + (steps ? 1 : 0);
    }
    this.#newest++;
  }
}
