/**
 * Made-up card payments in the United Kingdom, one JSON object per line, with a blank behind each colon and comma. Amounts are drawn
 * as whole pence. What a record's words make together is encoded once; a record is a few copies and its digits.
 */
import type { ByteWriter } from "../../../data/codec.ts";
import { fragment } from "../line_writer.ts";
import { NumberedDraws } from "../numbered_draws.ts";
import { copy, putCents, putInteger, putUuid } from "../record_bytes.ts";
import type { RecordGenerator, RecordSequence } from "../record_sequence.ts";
import { TimeDigits } from "../time_digits.ts";
import { AMOUNT_LEAST, AMOUNT_MOST, CATEGORIES, LOCATIONS, MERCHANTS, PLAUSIBLE, STATUSES, USER_LEAST, USER_MOST } from "./words.ts";

/** More than any record takes. */
const RECORD_BYTES_MAX = 512;
/** An amount is a real number rounded to pence: the first and the last have half of the others' chance. */
const AMOUNT_DRAWS = 2 * (AMOUNT_MOST - AMOUNT_LEAST);

const HEAD = fragment('{"transaction_id": "');
const BEFORE_TIME = fragment('", "timestamp": "');
const BEFORE_USER = fragment('", "user_id": ');
/** By merchant * categories + category. */
const MIDDLE = MERCHANTS.flatMap((merchant) =>
  CATEGORIES.map((category) => fragment(`, "merchant": "${merchant}", "category": "${category}", "amount": `))
);
/** By location * statuses + status. */
const TAIL = LOCATIONS.flatMap((location) =>
  STATUSES.map((status) => fragment(`, "currency": "GBP", "location": "${location}", "status": "${status}"}\n`))
);

type Profile = "original" | "coherent";

export const banking: RecordGenerator = {
  summary: "Card payments: six merchants, five categories and places, three states, amounts from 1.00 to 2000.00.",
  profiles: {
    original: "merchant and category are drawn apart: Netflix under Transport happens",
    coherent: "the category is one of what the merchant sells",
  },
  sequence: (profile, seed) => new PaymentSequence(seed, profile as Profile),
};

class PaymentSequence implements RecordSequence {
  readonly #draws: NumberedDraws;
  readonly #time = new TimeDigits("");
  /** By merchant, the places in CATEGORIES that may be drawn. */
  readonly #categories: readonly (readonly number[])[];

  constructor(seed: number, profile: Profile) {
    this.#draws = new NumberedDraws(seed, "banking");
    const all = CATEGORIES.map((_, place) => place);
    this.#categories = profile === "original"
      ? MERCHANTS.map(() => all)
      : PLAUSIBLE.map((names) => names.map((name) => CATEGORIES.indexOf(name)));
  }

  write(number: number, timeMicros: number, into: ByteWriter): void {
    into.reserve(RECORD_BYTES_MAX);
    const draws = this.#draws;
    draws.begin(number);
    const { bytes } = into;
    let at = copy(bytes, into.length, HEAD);
    at = putUuid(bytes, at, draws.next(), draws.next(), draws.next(), draws.next());
    at = copy(bytes, at, BEFORE_TIME);
    at = this.#time.put(bytes, at, timeMicros);
    at = copy(bytes, at, BEFORE_USER);
    at = putInteger(bytes, at, draws.between(USER_LEAST, USER_MOST));
    const merchant = draws.below(MERCHANTS.length);
    const categories = this.#categories[merchant];
    const category = categories[draws.below(categories.length)];
    at = copy(bytes, at, MIDDLE[merchant * CATEGORIES.length + category]);
    at = putCents(bytes, at, AMOUNT_LEAST + ((draws.below(AMOUNT_DRAWS) + 1) >> 1));
    const place = draws.below(LOCATIONS.length) * STATUSES.length + draws.below(STATUSES.length);
    into.length = copy(bytes, at, TAIL[place]);
  }
}
