/**
 * Made-up stock orders, one JSON object per line, with a blank behind each colon and comma. All arithmetic is in whole cents and
 * whole millionths: no value depends on the rounding of doubles. What a record's words make together is encoded once; a record is
 * a few copies and its digits.
 */
import { fragment } from "../line_writer.ts";
import { NumberedDraws } from "../numbered_draws.ts";
import type { RecordGenerator, RecordSequence } from "../record_sequence.ts";
import { CURRENCIES, EXCHANGES, FACTOR_LEAST, FACTOR_MOST, SEGMENTS, SYMBOLS, TYPES } from "./words.ts";
import { TimeDigits } from "./time_digits.ts";
import type { ByteWriter } from "../../../data/codec.ts";

const ZERO = 48;
const DASH = 45;
const POINT = 46;
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
const HEX = fragment("0123456789abcdef");

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

/** From here on a native copy beats a loop. */
const COPY_LOOP_MAX = 24;

function copy(bytes: Uint8Array, at: number, text: Uint8Array): number {
  if (text.length > COPY_LOOP_MAX) bytes.set(text, at);
  else for (let i = 0; i < text.length; i++) bytes[at + i] = text[i];
  return at + text.length;
}

/** Version 4 (RFC 9562): 122 of the 128 bits. */
function putUuid(bytes: Uint8Array, at: number, a: number, b: number, c: number, d: number): number {
  putHex(bytes, at, a, 8);
  bytes[at + 8] = DASH;
  putHex(bytes, at + 9, b >>> 16, 4);
  bytes[at + 13] = DASH;
  putHex(bytes, at + 14, (b & 0x0fff) | 0x4000, 4);
  bytes[at + 18] = DASH;
  putHex(bytes, at + 19, (c >>> 16 & 0x3fff) | 0x8000, 4);
  bytes[at + 23] = DASH;
  putHex(bytes, at + 24, c & 0xffff, 4);
  putHex(bytes, at + 28, d, 8);
  return at + 36;
}

function putHex(bytes: Uint8Array, at: number, value: number, digits: number): void {
  for (let i = at + digits - 1, rest = value; i >= at; i--, rest >>>= 4) bytes[i] = HEX[rest & 15];
}

/** Of at most 9 digits: small enough for machine integers. */
function putInteger(bytes: Uint8Array, at: number, value: number): number {
  let end = at + 1;
  for (let bound = 10; value >= bound; bound *= 10) end++;
  for (let i = end - 1, rest = value | 0; i >= at; i--) {
    const next = (rest / 10) | 0;
    bytes[i] = ZERO + rest - next * 10;
    rest = next;
  }
  return end;
}

/** The shortest text of the same amount, one zero at least: 3521.3, 100.0. */
function putCents(bytes: Uint8Array, from: number, cents: number): number {
  const whole = Math.floor(cents / 100);
  const rest = cents - whole * 100;
  let at = putInteger(bytes, from, whole);
  bytes[at++] = POINT;
  const tenths = (rest / 10) | 0;
  bytes[at++] = ZERO + tenths;
  if (rest !== tenths * 10) bytes[at++] = ZERO + rest - tenths * 10;
  return at;
}
