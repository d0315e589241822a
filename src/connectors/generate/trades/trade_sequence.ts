/**
 * Made-up stock orders, one JSON object per line, with a blank behind each colon and comma. All arithmetic is in whole cents and
 * whole millionths: no value depends on the rounding of doubles. What a record's words make together is encoded once; a record is
 * a few copies and its digits.
 */
import { fragment } from "../line_writer.ts";
import { NumberedDraws } from "../numbered_draws.ts";
import { copy, putCents, putInteger, putUuid } from "../record_bytes.ts";
import type { RecordGenerator, RecordSequence } from "../record_sequence.ts";
import { CURRENCIES, EXCHANGES, FACTOR_LEAST, FACTOR_MOST, SEGMENTS, SYMBOLS, TYPES } from "./words.ts";
import { TimeDigits } from "../time_digits.ts";
import type { ByteWriter } from "../../../data/codec.ts";

/** More than any record takes. */
const RECORD_BYTES_MAX = 512;

const HEAD = fragment('{"transaction_id": "');
const BEFORE_TIME = fragment('", "timestamp": "');
const BEFORE_ACCOUNT = fragment('", "account_id": "ACC_');
const BEFORE_PRICE = fragment(', "price": ');
const BEFORE_TOTAL = fragment(', "total_amount": ');
/** By type * symbols + symbol. */
const MIDDLE = TYPES.flatMap((type) =>
  SYMBOLS.map(([symbol]) => fragment(`", "transaction_type": "${type}", "symbol": "${symbol}", "quantity": `))
);
/** By (currency * exchanges + exchange) * segments + segment. */
const TAIL = CURRENCIES.flatMap((currency) =>
  EXCHANGES.flatMap((exchange) =>
    SEGMENTS.map(([segment]) => fragment(`, "currency": "${currency}", "exchange": "${exchange}", "customer_segment": "${segment}"}\n`))
  )
);

export const trades: RecordGenerator = {
  summary: "Stock orders: 15 symbols, three types, five currencies, exact totals.",
  profiles: {
    utc: "times end in Z",
    original: "times are the same digits without a zone",
  },
  sequence: (profile, seed) => new TradeSequence(seed, profile === "original" ? "" : "Z"),
};

class TradeSequence implements RecordSequence {
  readonly #draws: NumberedDraws;
  readonly #time: TimeDigits;

  constructor(seed: number, zone: "Z" | "") {
    this.#draws = new NumberedDraws(seed, "trades");
    this.#time = new TimeDigits(zone);
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
    at = copy(bytes, at, BEFORE_ACCOUNT);
    at = putInteger(bytes, at, draws.between(10_000, 99_999));
    const type = draws.below(TYPES.length);
    const symbol = draws.below(SYMBOLS.length);
    at = copy(bytes, at, MIDDLE[type * SYMBOLS.length + symbol]);
    const segment = draws.below(SEGMENTS.length);
    const quantity = draws.between(SEGMENTS[segment][1], SEGMENTS[segment][2]);
    at = putInteger(bytes, at, quantity);
    const baseCents = draws.between(SYMBOLS[symbol][1], SYMBOLS[symbol][2]);
    const priceCents = timesMillionths(baseCents, draws.between(FACTOR_LEAST, FACTOR_MOST));
    at = putCents(bytes, copy(bytes, at, BEFORE_PRICE), priceCents);
    at = putCents(bytes, copy(bytes, at, BEFORE_TOTAL), priceCents * quantity);
    const place = draws.below(CURRENCIES.length) * EXCHANGES.length + draws.below(EXCHANGES.length);
    into.length = copy(bytes, at, TAIL[place * SEGMENTS.length + segment]);
  }
}

/** Half up; exact, since both factors together stay far below 2^53. */
function timesMillionths(cents: number, millionths: number): number {
  const product = cents * millionths + 500_000;
  return (product - product % 1_000_000) / 1_000_000;
}
