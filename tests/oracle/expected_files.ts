/** The four files as bytes, from a folder of inputs: what the product must write. */
import { COLUMNS, type Expected, type Inputs, oracle } from "./cards.ts";
import type { Switches } from "./switches.ts";
import { readCsv, readJsonLines, writeCsv } from "./text.ts";

/** Reads customers.csv, cards.csv and transactions.csv, or transactions.ndjson where there is no CSV file. */
export function readInputs(folder: string): Inputs {
  const csv = (name: string) => readCsv(Deno.readTextFileSync(`${folder}/${name}.csv`));
  const lines = `${folder}/transactions.ndjson`;
  const hasLines = [...Deno.readDirSync(folder)].some((entry) => entry.name === "transactions.ndjson");
  return {
    customers: csv("customers"),
    cards: csv("cards"),
    transactions: hasLines ? readJsonLines(Deno.readTextFileSync(lines)) : csv("transactions"),
  };
}

/** File name to text. */
export function filesOf(result: Expected): ReadonlyMap<string, string> {
  return new Map([
    ["stream_transactions.csv", writeCsv(COLUMNS.stream, result.stream)],
    ["batch_transactions.csv", writeCsv(COLUMNS.stream, result.batch)],
    ["cards_updated.csv", writeCsv(COLUMNS.cards, result.cards)],
    ["customers_updated.csv", writeCsv(COLUMNS.customers, result.customers)],
  ]);
}

/** Both in one. */
export function expectedFiles(folder: string, switches: Switches): ReadonlyMap<string, string> {
  return filesOf(oracle(readInputs(folder), switches));
}
