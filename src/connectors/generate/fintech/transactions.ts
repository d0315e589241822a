/**
 * Transactions as rows of 29 columns. Amounts and scores are drawn as whole hundredths. What a row's words make together is encoded once; a
 * row is some copies and its digits. Invariant: reference numbers are all different.
 */
import type { ByteWriter } from "../../../data/codec.ts";
import { fragment } from "../line_writer.ts";
import { NumberedDraws } from "../numbered_draws.ts";
import { copy, putInteger, putUuid } from "../record_bytes.ts";
import type { RecordSequence } from "../record_sequence.ts";
import { TimeDigits } from "../time_digits.ts";
import { mix } from "../xoshiro.ts";
import { BURST, BURST_STEP_MICROS, Choices, type FintechOptions, type Kind } from "./choices.ts";
import { Clockwork, DAY_MICROS } from "./clockwork.ts";
import { chance, MERCHANTS, shareAt, UUID_BYTES } from "./population.ts";
import { merchantNames } from "./reference_names.ts";
import { GONE, held, KEPT, NULL, putDigits, putHex, putId, putIp, putMoney, putPlace, quoted, rounded, uniform } from "./row_text.ts";
import { type SessionTime, SessionTimes } from "./sessions.ts";
import {
  AGENTS,
  ATM,
  CARD,
  CHANNELS,
  DEPOSIT,
  MOBILE,
  NETWORKS,
  RISK_LEVELS,
  TIER_AMOUNTS,
  TRANSACTION_TAGS,
  TRANSACTION_TYPES,
  TYPE_SHARES,
  WIRE,
} from "./words.ts";

/** More than any row takes. */
const RECORD_BYTES_MAX = 2048;
const HIGH_AMOUNT = 10_000_00;
const STRUCTURING_AMOUNT = 3_000_00;
const RISK_MOST = 100_00;
const WIRE_FEE = 25_00;
const ATM_FEE = 3_50;
const SECOND_MICROS = 1e6;
const DEVICES_OWNED = 3;
const QUOTE = 34;
const COMMA_BLANK = fragment(", ");

const HEAD = fragment('{"id":"');
const TYPE = TRANSACTION_TYPES.map(({ name }) => fragment(`","transaction_type":"${name}","status":`));
const FROM = fragment(',"from_account_id":');
const TO = fragment(',"to_account_id":');
const CUSTOMER = fragment(',"customer_id":');
const AMOUNT = fragment(',"amount":');
const FEE = fragment(',"currency":"USD","exchange_rate":null,"fee_amount":');
const DESCRIPTION = fragment(',"description":');
const MERCHANT = fragment(',"merchant_id":');
const REFERENCE = fragment(',"reference_number":"TXN-');
const AUTHORISATION = fragment('","authorization_code":');
const AUTH = fragment('"AUTH');
const PLACE = fragment(',"transaction_location":');
const DEVICE = fragment(',"device_fingerprint":"FP');
const IP = fragment('","ip_address":');
const AGENT = AGENTS.map((agent) => fragment(`,"user_agent":${JSON.stringify(agent)},"risk_score":`));
const LEVEL = RISK_LEVELS.map((level) => fragment(`,"risk_level":"${level}","compliance_flags":"[`));
const FLAGS = ["HIGH_VALUE", "HIGH_RISK", "STRUCTURING_SUSPECTED", "SANCTIONS_CHECK_REQUIRED"].map((flag) => held(`"${flag}"`));
const DURATION = fragment(']","processing_time_ms":');
const NETWORK = fragment(',"network":');
const CARD_DIGITS = fragment(',"card_last_four":');
const TAGS = fragment(',"tags":"[');
/** By type * levels + level. */
const TAGS_ALWAYS = TRANSACTION_TYPES.flatMap(({ name }) => RISK_LEVELS.map((level) => held(`"${name}", "${level}"`)));
const MORE_TAGS = TRANSACTION_TAGS.map((tag) => held(`, "${tag}"`));
const METADATA = fragment(']","metadata":"');
const CHANNEL = CHANNELS.map((channel) => held(`{"channel": "${channel}", "terminal_id": `));
const TERMINAL = held('"T');
const BATCH = [held(', "batch_id": "B'), held('", "batch_id": "B')];
const CREATED = fragment(',"created_at":"');
const METADATA_END = held('"}');
const UPDATED = fragment('","updated_at":"');
const VERSION = fragment('","version":');
const STATUSES = {
  completed: fragment('"completed"'),
  pending: fragment('"pending"'),
  failed: fragment('"failed"'),
  disputed: fragment('"disputed"'),
};
const NETWORK_WORDS = quoted(NETWORKS);
const DESCRIPTIONS = quoted(TRANSACTION_TYPES.map(({ description }) => description));

/** Record n is what the loop's iteration n sends. */
export class TransactionRows implements RecordSequence {
  readonly #options: FintechOptions;
  readonly #choices: Choices;
  readonly #sessions: SessionTimes;
  readonly #draws: NumberedDraws;
  readonly #clockwork: Clockwork;
  readonly #simulated = new TimeDigits("Z");
  readonly #real = new TimeDigits("Z");
  readonly #merchants: readonly Uint8Array[];
  readonly #session: SessionTime = { startedMicros: 0, seconds: 0 };
  readonly #referenceKeys: readonly number[];

  constructor(options: FintechOptions) {
    this.#options = options;
    this.#choices = new Choices(options);
    this.#sessions = new SessionTimes(options.seed);
    this.#draws = new NumberedDraws(options.seed, "fintech transactions");
    this.#clockwork = new Clockwork(options.seed, options.rate);
    this.#merchants = quoted(merchantNames(options).map(({ name, business }) => `${name} - ${business}`));
    const keys = new NumberedDraws(options.seed, "fintech references");
    keys.begin(0);
    this.#referenceKeys = [keys.next(), keys.next(), keys.next(), keys.next()];
  }

  offsetMicros(number: number): number {
    return this.#clockwork.elapsedMicros(number);
  }

  write(number: number, timeMicros: number, into: ByteWriter): void {
    const kind = this.#choices.kind(number);
    const { original } = this.#choices;
    const madeMicros = timeMicros - this.#clockwork.elapsedMicros(number) + this.#clockwork.elapsedMicros(original);
    this.#row(original, kind, kind === "update" || kind === "delete" ? timeMicros : madeMicros, into);
  }

  #row(number: number, kind: Kind, updatedMicros: number, into: ByteWriter): void {
    into.reserve(RECORD_BYTES_MAX);
    const { population, unusual } = this.#options;
    const { bytes } = into;
    const draws = this.#draws;
    const customer = this.#choices.customer(number);
    const account = this.#choices.account(customer);
    draws.begin(number);
    let at = copy(bytes, into.length, HEAD);
    at = putUuid(bytes, at, draws.next(), draws.next(), draws.next(), draws.next());
    const type = shareAt(TYPE_SHARES[population.accountTypeOf[account]], draws.below(100));
    const amount = this.#amount(population.tierOf[customer], type);
    const points = (amount > HIGH_AMOUNT ? 20_00 : 0) + (population.riskOf[customer] > 50_00 ? 10_00 : 0) + (type === WIRE ? 15_00 : 0);
    const risk = Math.min(RISK_MOST, points + rounded(draws, 0, 20_00));
    const status = this.#status(risk);
    at = copy(bytes, copy(bytes, at, TYPE[type]), kind === "update" ? STATUSES.disputed : status);
    at = copy(bytes, at, FROM);
    const isUnknown = unusual.unknown_accounts > 0 && chance(draws, unusual.unknown_accounts);
    if (type === DEPOSIT) at = copy(bytes, at, NULL);
    else at = isUnknown ? putStranger(bytes, at, draws) : putId(bytes, at, population.accountIds, account, UUID_BYTES);
    at = copy(bytes, at, TO);
    at = type === DEPOSIT ? putId(bytes, at, population.accountIds, account, UUID_BYTES) : copy(bytes, at, NULL);
    at = putId(bytes, copy(bytes, at, CUSTOMER), population.customerIds, customer, UUID_BYTES);
    at = putMoney(bytes, copy(bytes, at, AMOUNT), amount);
    const fee = type === WIRE ? WIRE_FEE : type === ATM && chance(draws, 30) ? ATM_FEE : 0;
    at = putMoney(bytes, copy(bytes, at, FEE), fee);
    const hasMerchant = type === CARD || type === MOBILE;
    const merchant = hasMerchant ? draws.below(MERCHANTS) : -1;
    at = copy(bytes, copy(bytes, at, DESCRIPTION), hasMerchant ? this.#merchants[merchant] : DESCRIPTIONS[type]);
    at = copy(bytes, at, MERCHANT);
    at = hasMerchant ? putId(bytes, at, population.merchantIds, merchant, UUID_BYTES) : copy(bytes, at, NULL);
    at = this.#putReference(bytes, copy(bytes, at, REFERENCE), number);
    at = copy(bytes, at, AUTHORISATION);
    at = hasMerchant ? putQuotedDigits(bytes, copy(bytes, at, AUTH), draws.below(1_000_000), 6) : copy(bytes, at, NULL);
    at = putPlace(bytes, copy(bytes, at, PLACE), draws, unusual.countries);
    at = this.#putDevice(bytes, copy(bytes, at, DEVICE), customer);
    at = putIp(bytes, copy(bytes, at, IP), draws.next());
    at = putMoney(bytes, copy(bytes, at, AGENT[draws.below(AGENT.length)]), risk);
    const level = risk > 80_00 ? 3 : risk > 60_00 ? 2 : risk > 30_00 ? 1 : 0;
    at = this.#putFlags(bytes, copy(bytes, at, LEVEL[level]), amount, risk);
    at = putInteger(bytes, copy(bytes, at, DURATION), draws.between(50, 5000));
    at = copy(bytes, at, NETWORK);
    at = copy(bytes, at, hasMerchant ? NETWORK_WORDS[draws.below(NETWORK_WORDS.length)] : NULL);
    at = copy(bytes, at, CARD_DIGITS);
    if (hasMerchant) {
      bytes[at++] = QUOTE;
      at = putQuotedDigits(bytes, at, draws.between(1000, 9999), 4);
    } else at = copy(bytes, at, NULL);
    at = this.#putTags(bytes, copy(bytes, at, TAGS), type, level);
    at = this.#putMetadata(bytes, copy(bytes, at, METADATA), hasMerchant);
    at = this.#simulated.put(bytes, copy(bytes, at, CREATED), this.#createdMicros(number));
    at = this.#real.put(bytes, copy(bytes, at, UPDATED), updatedMicros);
    at = putInteger(bytes, copy(bytes, at, VERSION), kind === "update" ? 2 : 1);
    into.length = copy(bytes, at, kind === "delete" ? GONE : KEPT);
  }

  /** In cents: uniform between the tier's bounds, each times the type's factor. */
  #amount(tier: number, type: number): number {
    const [least, most] = TIER_AMOUNTS[tier];
    const factors = TRANSACTION_TYPES[type];
    return rounded(this.#draws, least * factors.least / 10, most * factors.most / 10);
  }

  #status(risk: number): Uint8Array {
    const { failed } = this.#options.unusual;
    if (risk > 90_00 || (failed > 0 && chance(this.#draws, failed))) return chance(this.#draws, 30) ? STATUSES.pending : STATUSES.failed;
    return risk > 70_00 && chance(this.#draws, 60) ? STATUSES.pending : STATUSES.completed;
  }

  /** Twelve digits that no other transaction of the seed has: four rounds of a Feistel network over 48 bits permute the numbers. */
  #putReference(bytes: Uint8Array, at: number, number: number): number {
    let left = Math.floor(number / 0x1000000) & 0xffffff;
    let right = number & 0xffffff;
    for (const key of this.#referenceKeys) {
      const next = left ^ mix(right ^ key) & 0xffffff;
      left = right;
      right = next;
    }
    return putHex(bytes, putHex(bytes, at, left, 6, "upper"), right, 6, "upper");
  }

  #putDevice(bytes: Uint8Array, at: number, customer: number): number {
    const draws = this.#draws;
    const { device_reuse } = this.#options.unusual;
    if (device_reuse === 0 || !chance(draws, device_reuse)) return putHex(bytes, putHex(bytes, at, draws.next(), 8), draws.next(), 8);
    const device = mix(customer * DEVICES_OWNED + draws.below(DEVICES_OWNED) ^ this.#referenceKeys[0]);
    return putHex(bytes, putHex(bytes, at, device, 8), mix(device), 8);
  }

  #putFlags(bytes: Uint8Array, from: number, amount: number, risk: number): number {
    const draws = this.#draws;
    let at = amount > HIGH_AMOUNT ? copy(bytes, from, FLAGS[0]) : from;
    if (risk > 70_00) at = putNext(bytes, at, from, FLAGS[1]);
    if (amount > STRUCTURING_AMOUNT && chance(draws, 20)) at = putNext(bytes, at, from, FLAGS[2]);
    return chance(draws, 5) ? putNext(bytes, at, from, FLAGS[3]) : at;
  }

  #putTags(bytes: Uint8Array, at: number, type: number, level: number): number {
    const draws = this.#draws;
    at = copy(bytes, at, TAGS_ALWAYS[type * RISK_LEVELS.length + level]);
    if (!chance(draws, 20)) return at;
    const count = draws.between(1, 2);
    const first = draws.below(MORE_TAGS.length);
    at = copy(bytes, at, MORE_TAGS[first]);
    return count === 1 ? at : copy(bytes, at, MORE_TAGS[(first + 1 + draws.below(MORE_TAGS.length - 1)) % MORE_TAGS.length]);
  }

  #putMetadata(bytes: Uint8Array, at: number, hasMerchant: boolean): number {
    const draws = this.#draws;
    at = copy(bytes, at, CHANNEL[draws.below(CHANNEL.length)]);
    if (hasMerchant) at = putDigits(bytes, copy(bytes, at, TERMINAL), draws.between(10_000, 99_999), 5);
    else at = copy(bytes, at, NULL);
    at = putDigits(bytes, copy(bytes, at, BATCH[hasMerchant ? 1 : 0]), draws.between(1000, 9999), 4);
    at = copy(bytes, at, METADATA_END);
    bytes[at++] = QUOTE;
    return at;
  }

  /** Within the transaction's session, or in the day before the simulated time. */
  #createdMicros(number: number): number {
    const baseMicros = this.#options.baseMicros + this.#clockwork.days(number) * DAY_MICROS;
    if (this.#choices.inBurst(number)) {
      const first = number - number % BURST;
      const firstBase = this.#options.baseMicros + this.#clockwork.days(first) * DAY_MICROS;
      return firstBase - DAY_MICROS / 2 + (number - first) * BURST_STEP_MICROS;
    }
    if (!this.#sessions.find(number, baseMicros, this.#session)) return baseMicros - uniform(this.#draws, DAY_MICROS);
    return this.#session.startedMicros + uniform(this.#draws, this.#session.seconds * SECOND_MICROS + 1);
  }
}

/** Digits and a closing quote. */
function putQuotedDigits(bytes: Uint8Array, at: number, value: number, width: number): number {
  at = putDigits(bytes, at, value, width);
  bytes[at] = QUOTE;
  return at + 1;
}

/** An account that nobody has. */
function putStranger(bytes: Uint8Array, at: number, draws: NumberedDraws): number {
  bytes[at] = QUOTE;
  at = putUuid(bytes, at + 1, draws.next(), draws.next(), draws.next(), draws.next());
  bytes[at] = QUOTE;
  return at + 1;
}

/** One more item of a list that begins at `from`. */
function putNext(bytes: Uint8Array, at: number, from: number, item: Uint8Array): number {
  return copy(bytes, at === from ? at : copy(bytes, at, COMMA_BLANK), item);
}
