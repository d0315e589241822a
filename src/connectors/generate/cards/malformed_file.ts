/**
 * malformed.ndjson: payments as messages, one for every way in which a message can be wrong or odd. Kept apart from the
 * payments, so that a data set stays usable; the tests run it as an input of its own.
 */
import type { Population } from "./population.ts";

/** A message as text; `card` and `orphan` are filled in: a card that is well, and one whose customer is unknown. */
function messages(card: number, orphan: number, unknown: number): readonly string[] {
  const message = (id: number, changes: Record<string, unknown>) => {
    const base = {
      transaction_id: id,
      card_id: card,
      merchant_name: "Corner Market",
      timestamp: `2025-04-01 10:00:${String(id).padStart(2, "0")}`,
      amount: 10.25,
      location: "12 Linden Street, Troy, NY 12180",
      transaction_type: "purchase",
      related_transaction_id: null,
    };
    return JSON.stringify({ ...base, ...changes });
  };
  return [
    message(1, {}),
    "this is not JSON",
    '{"transaction_id":3,"card_id":1',
    "[4]",
    message(5, { amount: undefined }),
    message(6, { amount: "" }),
    message(7, { amount: "twelve" }),
    message(8, { amount: null }),
    message(9, { amount: "NaN" }),
    message(10, { amount: 0 }).replace('"amount":0', '"amount":NaN'),
    message(11, { amount: 1.005 }),
    message(12, { amount: "inf" }),
    message(13, { card_id: unknown }),
    message(14, { card_id: orphan }),
    message(15, { location: "" }),
    message(16, { location: "8 Plus Street, Albany, NY 12208-1234" }),
    message(17, { location: "12345 Elm Street, Albany, NY 90210" }),
    message(18, { transaction_type: "gift_card" }),
    message(19, { timestamp: "yesterday" }),
    message(20, { timestamp: undefined }),
    message(21, { timestamp: "2025-04-31 10:00:00" }),
    message(22, { transaction_id: "22", card_id: String(card), amount: "10.5" }),
    message(23, { related_transaction_id: "" }),
    message(24, { related_transaction_id: "22" }),
    message(25, { card_id: true }),
    message(26, { merchant_name: 5 }),
    message(1, { amount: 99.99 }),
    message(27, { card_id: null }),
  ];
}

/** The file as one chunk. Only data sets with edge cases have the cards it needs. */
export function* malformedFile(population: Population): Generator<Uint8Array> {
  const orphan = population.edgeCards.findIndex((card) => card.owner === "missing");
  if (orphan < 0) return;
  const lines = messages(population.ordinaryCards + 6, population.ordinaryCards + orphan + 1, population.cards + 1000);
  yield new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
}
