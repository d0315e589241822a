/** The rules over card payments as configuration, and the tables they look into. Shared by tests and the benchmark. */
import { BOOL, listOf, STRING, type Type } from "../../src/data/types.ts";
import { table } from "./support.ts";

export const CARDS = table(`
  card_id int | customer_id int | credit_limit decimal(2) | current_balance decimal(2)
  1 | 1 | 1000.00 | 0.00
  2 | 1 | 1000.00 | 177.86
  3 | 2 | 0.00    | 0.00
  4 | 9 | 1000.00 | 0.00
  5 | 1 | 1000.00 | 1200.00
`);
export const CUSTOMERS = table(`
  customer_id int | address string
  1 | 1 Main Street, Troy, NY 12180
  2 | 2 Main Street, Troy, NY 12180
`);
export const TABLES = { cards: { key: "card_id", rows: CARDS }, customers: { key: "customer_id", rows: CUSTOMERS } };

export const LET = {
  merchant_zip: `params.zip_extract == "last_word" ? extract(location, r"(\\S+)\\s*$", 1)
                : params.zip_extract == "last_five" ? extract(location, r".*\\b(\\d{5})\\b", 1)
                : extract(location, r"\\b(\\d{5})\\b", 1)`,
  home: "coalesce(customer.address, '')",
  home_zip: `params.zip_extract == "last_word" ? extract(home, r"(\\S+)\\s*$", 1)
                : params.zip_extract == "last_five" ? extract(home, r".*\\b(\\d{5})\\b", 1)
                : extract(home, r"\\b(\\d{5})\\b", 1)`,
};

const ZIP = `customer != null &&
  (merchant_zip != null && home_zip != null && merchant_zip.size() >= 5 && home_zip.size() >= 5
    ? merchant_zip.substring(0, 1) != home_zip.substring(0, 1)
    : params.zip_missing == 'decline')`;

export const VALIDATE = {
  key: "card_id",
  lookup: { card: "cards[card_id]", customer: "customers[card.customer_id]" },
  match: "first",
  state: { pending: { type: "value", as: "decimal(2)?", initial: "card.current_balance" } },
  let: LET,
  rules: [
    { code: "unknown_card", when: "card == null" },
    { code: "sign", when: "params.sign_rule && amount < 0.00 && !(transaction_type in params.credit_types)" },
    { code: "half", when: "2 * abs(amount) >= card.credit_limit" },
    { code: "zip", when: ZIP },
    { code: "limit", when: "pending + amount > card.credit_limit" },
  ],
  matched: { set: { status: "'declined'", decline_reason: "code" } },
  otherwise: { set: { status: "'pending'", decline_reason: "''" }, update: { pending: "pending + amount" } },
  emit: { "...": true, status: "status", pending_balance: "pending", decline_reason: "decline_reason" },
} as const;

/** The switches of a profile. */
export function switches(
  { sign_rule = false, zip_extract = "last_word", zip_missing = "decline" } = {},
): Record<string, { type: Type; value: unknown }> {
  return {
    sign_rule: { type: BOOL, value: sign_rule },
    credit_types: { type: listOf(STRING), value: ["refund", "cancellation"] },
    zip_extract: { type: STRING, value: zip_extract },
    zip_missing: { type: STRING, value: zip_missing },
  };
}
