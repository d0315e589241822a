/** Who makes a transaction, and whether it is one of the unusual ones. */
import { NumberedDraws } from "../numbered_draws.ts";
import { chance, customerAt, type Population } from "./population.ts";
import type { Unusual } from "./unusual.ts";

/** What all tables of one seed have in common. */
export interface FintechOptions {
  readonly seed: number;
  readonly population: Population;
  readonly unusual: Unusual;
  /** How often a second the loop aims at. */
  readonly rate: number;
  /** The simulated time a day before that of the first transaction. */
  readonly baseMicros: number;
  /** Sessions: of the first so many transactions; null: without end. */
  readonly transactions: number | null;
}

/** Transactions of one burst, and the time between two of them. */
export const BURST = 16;
export const BURST_STEP_MICROS = 5e6;
/** How far back the transaction lies that is sent again: within what a clockwork remembers. */
const BACK_MOST = 50;

/** A transaction that is sent again, and what became of it; "new" for one that was never there. */
export type Kind = "new" | "duplicate" | "update" | "delete";

/** Invariant: one drawing of each, whoever asks. */
export class Choices {
  readonly #options: FintechOptions;
  readonly #people: NumberedDraws;
  readonly #kinds: NumberedDraws;
  readonly #bursts: NumberedDraws;
  readonly #weight: number;
  /** What the last `kind` found. */
  original = 0;

  constructor(options: FintechOptions) {
    this.#options = options;
    this.#people = new NumberedDraws(options.seed, "fintech people");
    this.#kinds = new NumberedDraws(options.seed, "fintech kinds");
    this.#bursts = new NumberedDraws(options.seed, "fintech bursts");
    this.#weight = options.population.weights[options.population.customers - 1];
  }

  customer(transaction: number): number {
    this.#people.begin(this.inBurst(transaction) ? transaction - transaction % BURST : transaction);
    return customerAt(this.#options.population, this.#people.below(this.#weight));
  }
  /** One of the customer's own, to be asked for directly after `customer`. */
  account(customer: number): number {
    const { firstAccount } = this.#options.population;
    return firstAccount[customer] + this.#people.below(firstAccount[customer + 1] - firstAccount[customer]);
  }

  /** Whether it is one of a burst, of which all are one customer's. */
  inBurst(transaction: number): boolean {
    if (this.#options.unusual.bursts === 0) return false;
    this.#bursts.begin(Math.floor(transaction / BURST));
    return chance(this.#bursts, this.#options.unusual.bursts);
  }

  /** What kind of record it is; `original` is the transaction that it tells of. */
  kind(transaction: number): Kind {
    this.original = transaction;
    const kind = this.#drawn(transaction);
    if (kind === "new") return "new";
    const original = transaction - 1 - this.#kinds.below(BACK_MOST);
    // Only what was sent itself is sent again.
    if (original < 0 || this.#drawn(original) !== "new") return "new";
    this.original = original;
    return kind;
  }
  #drawn(transaction: number): Kind {
    const { duplicates, updates, deletes } = this.#options.unusual;
    if (duplicates + updates + deletes === 0) return "new";
    this.#kinds.begin(transaction);
    const draw = this.#kinds.below(100);
    return draw < duplicates
      ? "duplicate"
      : draw < duplicates + updates
      ? "update"
      : draw < duplicates + updates + deletes
      ? "delete"
      : "new";
  }
}
