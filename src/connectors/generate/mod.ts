/** Data sets made from a seed, for demonstrations, tests and benchmarks: `millrace generate NAME`. */
import { generateCards } from "./cards/generate_cards.ts";

/** One file of a data set; its chunks can be read once. */
export interface GeneratedFile {
  readonly name: string;
  readonly chunks: Iterable<Uint8Array>;
}
export interface GeneratorOptions {
  readonly customers: number;
  readonly transactions: number;
  /** Any whole number; the same seed gives the same bytes. */
  readonly seed: number;
}
export interface DataGenerator {
  /** One sentence for `--help`. */
  readonly summary: string;
  readonly defaults: GeneratorOptions;
  generate(options: GeneratorOptions): readonly GeneratedFile[];
}

/** By the name that `millrace generate` takes. The defaults give the data set in `datasets/NAME`. */
export const generators: ReadonlyMap<string, DataGenerator> = new Map([
  ["cards", {
    summary: "Customers, cards and payments in which every rule, switch and boundary of config/cards changes at least one row.",
    defaults: { customers: 60, transactions: 800, seed: 22 },
    generate: generateCards,
  }],
]);
