/** Data sets made from a seed, for demonstrations, tests and benchmarks: `millrace generate NAME`. */
import { generateCards } from "./cards/generate_cards.ts";
import type { DataGenerator } from "./data_generator.ts";

export type { DataGenerator, GeneratedFile, GeneratorOptions } from "./data_generator.ts";

/** By the name that `millrace generate` takes. */
export const generators: ReadonlyMap<string, DataGenerator> = new Map([
  ["cards", {
    summary: "Customers, cards and payments in which every rule, switch and boundary of config/cards changes at least one row.",
    defaults: { customers: 60, transactions: 800, seed: 22 },
    generate: generateCards,
  }],
]);
