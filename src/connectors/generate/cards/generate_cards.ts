/**
 * Data sets for the card payment workload: customers, card types, cards and payments, with every boundary and switch of the
 * rules deliberately mixed in. Pure: the same options give the same bytes.
 */
import type { GeneratedFile, GeneratorOptions } from "../data_generator.ts";
import { malformedFile } from "./malformed_file.ts";
import { cardsFile, cardTypesFile, customersFile } from "./master_files.ts";
import { populate } from "./population.ts";
import { transactionsFile } from "./transactions_file.ts";

/** The files of a data set. Chunks are made while they are read: about a megabyte of memory per 100,000 cards. */
export function generateCards(options: GeneratorOptions): readonly GeneratedFile[] {
  const population = populate(options);
  const files: GeneratedFile[] = [
    { name: "customers.csv", chunks: customersFile(options, population) },
    { name: "credit_card_types.csv", chunks: cardTypesFile() },
    { name: "cards.csv", chunks: cardsFile(options, population) },
    { name: "transactions.csv", chunks: transactionsFile(options, population) },
  ];
  return population.edgeCards.length === 0 ? files : [...files, { name: "malformed.ndjson", chunks: malformedFile(population) }];
}
