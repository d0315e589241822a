/**
 * Who owns which card: drawn once per data set, as typed arrays, so that a hundred thousand cards take about a megabyte.
 * Invariant: card and customer ids count from 1 without gaps, edge cases last.
 */
import type { GeneratorOptions } from "../data_generator.ts";
import { SeededSequence } from "../seeded_sequence.ts";
import { EDGE_CUSTOMERS, type EdgeCard } from "./edge_cases.ts";

/** Below these sizes a data set holds ordinary records only; there is always somebody ordinary. */
export const EDGE_CUSTOMERS_LEAST = EDGE_CUSTOMERS.length + 1;
/** See EDGE_CUSTOMERS_LEAST. */
export const EDGE_TRANSACTIONS_LEAST = 200;

/** A kind of card; amounts in whole currency units. */
export interface CardType {
  readonly name: string;
  readonly scoreMin: number;
  readonly scoreMax: number;
  readonly limitMin: number;
  readonly limitMax: number;
  readonly annualFee: number;
  readonly rewardsRate: string;
}
/** By type id - 1. */
export const CARD_TYPES: readonly CardType[] = [
  { name: "Basic", scoreMin: 580, scoreMax: 669, limitMin: 1000, limitMax: 5000, annualFee: 0, rewardsRate: "0.005" },
  { name: "Gold", scoreMin: 670, scoreMax: 739, limitMin: 5000, limitMax: 10000, annualFee: 95, rewardsRate: "0.01" },
  { name: "Platinum", scoreMin: 740, scoreMax: 799, limitMin: 10000, limitMax: 25000, annualFee: 195, rewardsRate: "0.02" },
  { name: "Diamond", scoreMin: 800, scoreMax: 850, limitMin: 25000, limitMax: 50000, annualFee: 495, rewardsRate: "0.03" },
  { name: "Black", scoreMin: 800, scoreMax: 850, limitMin: 50000, limitMax: 100000, annualFee: 695, rewardsRate: "0.05" },
];

/** The cards of a data set; money in cents. */
export interface Population {
  readonly customers: number;
  readonly cards: number;
  /** Ordinary cards are 1 to this; edge cards follow. */
  readonly ordinaryCards: number;
  readonly ordinaryCustomers: number;
  /** By card id - 1. */
  readonly customerOf: Int32Array;
  readonly typeOf: Uint8Array;
  readonly limitCents: Float64Array;
  /** Edge cards by id - 1 - ordinaryCards. */
  readonly edgeCards: readonly EdgeCard[];
}

/** Draws the cards of every customer: one to three each. */
export function populate(options: GeneratorOptions): Population {
  const withEdges = options.customers >= EDGE_CUSTOMERS_LEAST && options.transactions >= EDGE_TRANSACTIONS_LEAST;
  const edges = withEdges ? EDGE_CUSTOMERS : [];
  const ordinaryCustomers = options.customers - edges.length;
  const edgeCards = edges.flatMap((customer) => customer.cards);
  const sequence = new SeededSequence(options.seed, "population");
  const room = ordinaryCustomers * 3 + edgeCards.length;
  const customerOf = new Int32Array(room);
  const typeOf = new Uint8Array(room);
  const limitCents = new Float64Array(room);
  let cards = 0;
  for (let customer = 1; customer <= ordinaryCustomers; customer++) {
    const roll = sequence.below(100);
    for (let count = roll < 40 ? 1 : roll < 75 ? 2 : 3; count > 0; count--) {
      const type = sequence.below(CARD_TYPES.length);
      customerOf[cards] = customer;
      typeOf[cards] = type + 1;
      limitCents[cards++] = sequence.between(CARD_TYPES[type].limitMin / 100, CARD_TYPES[type].limitMax / 100) * 10000;
    }
  }
  const ordinaryCards = cards;
  edges.forEach((edge, index) => {
    for (const card of edge.cards) {
      customerOf[cards] = card.owner === "missing" ? options.customers + 1000 : ordinaryCustomers + index + 1;
      typeOf[cards] = 1;
      limitCents[cards++] = card.limit;
    }
  });
  return { customers: options.customers, cards, ordinaryCards, ordinaryCustomers, customerOf, typeOf, limitCents, edgeCards };
}
