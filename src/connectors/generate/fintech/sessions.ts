/** Sessions of customers: one transaction in ten is made within one. */
import type { ByteWriter } from "../../../data/codec.ts";
import { fragment } from "../line_writer.ts";
import { NumberedDraws } from "../numbered_draws.ts";
import { copy, putInteger, putUuid } from "../record_bytes.ts";
import type { RecordSequence } from "../record_sequence.ts";
import { TimeDigits } from "../time_digits.ts";
import { Clockwork, DAY_MICROS } from "./clockwork.ts";
import { UUID_BYTES } from "./population.ts";
import { KEPT, putId, putIp, putPlace, quoted } from "./row_text.ts";
import { Choices, type FintechOptions } from "./choices.ts";
import { DEVICE_TYPES, SESSION_CHANNELS } from "./words.ts";

const PERCENT = 10;
const MINUTE_MICROS = 60e6;
const SECOND_MICROS = 1e6;
const RECORD_BYTES_MAX = 1024;

/** When a session was. Simulated times. */
export interface SessionTime {
  startedMicros: number;
  seconds: number;
}

/** Which transactions are made within a session, and when those are. Invariant: one drawing of each, whoever asks. */
export class SessionTimes {
  readonly #draws: NumberedDraws;
  constructor(seed: number) {
    this.#draws = new NumberedDraws(seed, "fintech sessions");
  }

  has(transaction: number): boolean {
    this.#draws.begin(transaction);
    return this.#draws.below(100) < PERCENT;
  }
  /** Fills `time` and is true, where the transaction has one. `baseMicros`: the simulated time. */
  find(transaction: number, baseMicros: number, time: SessionTime): boolean {
    if (!this.has(transaction)) return false;
    time.startedMicros = baseMicros - this.#draws.between(0, 480) * MINUTE_MICROS;
    time.seconds = this.#draws.between(30, 3600);
    return true;
  }
}

const HEAD = fragment('{"id":"');
const CUSTOMER = fragment('","customer_id":');
const SESSION = fragment(',"session_id":"');
const CHANNEL = fragment('","channel":');
const DEVICE = fragment(',"device_type":');
const IP = fragment(',"ip_address":');
const PLACE = fragment(',"location":');
const STARTED = fragment(',"started_at":"');
const ENDED = fragment('","ended_at":"');
const ACTIONS = fragment('","actions_count":');
const COUNT = fragment(',"transactions_count":');
const CREATED = fragment(',"created_at":"');
const UPDATED = fragment('","updated_at":"');
const VERSION = fragment('","version":1');
const CHANNELS = quoted(SESSION_CHANNELS);
const DEVICES = quoted(DEVICE_TYPES);

/** Record n is the session number n, in the order of their transactions. */
export class SessionRows implements RecordSequence {
  readonly size?: number;
  readonly #options: FintechOptions;
  readonly #choices: Choices;
  readonly #times: SessionTimes;
  readonly #draws: NumberedDraws;
  readonly #clockwork: Clockwork;
  readonly #simulated = new TimeDigits("Z");
  readonly #real = new TimeDigits("Z");
  readonly #time: SessionTime = { startedMicros: 0, seconds: 0 };
  /** Where the last session that was asked for is. */
  #session = -1;
  #transaction = -1;

  constructor(options: FintechOptions) {
    this.#options = options;
    this.#choices = new Choices(options);
    this.#times = new SessionTimes(options.seed);
    this.#draws = new NumberedDraws(options.seed, "fintech session rows");
    this.#clockwork = new Clockwork(options.seed, options.rate);
    if (options.transactions !== null) this.size = this.#countBefore(options.transactions);
  }

  offsetMicros(number: number): number {
    return this.#clockwork.elapsedMicros(this.#transactionOf(number));
  }

  write(number: number, timeMicros: number, into: ByteWriter): void {
    const transaction = this.#transactionOf(number);
    const { population, baseMicros, unusual } = this.#options;
    this.#times.find(transaction, baseMicros + this.#clockwork.days(transaction) * DAY_MICROS, this.#time);
    const { startedMicros, seconds } = this.#time;
    into.reserve(RECORD_BYTES_MAX);
    const { bytes } = into;
    const draws = this.#draws;
    draws.begin(transaction);
    let at = copy(bytes, into.length, HEAD);
    at = putUuid(bytes, at, draws.next(), draws.next(), draws.next(), draws.next());
    at = putId(bytes, copy(bytes, at, CUSTOMER), population.customerIds, this.#choices.customer(transaction), UUID_BYTES);
    at = putUuid(bytes, copy(bytes, at, SESSION), draws.next(), draws.next(), draws.next(), draws.next());
    at = copy(bytes, copy(bytes, at, CHANNEL), CHANNELS[draws.below(CHANNELS.length)]);
    at = copy(bytes, copy(bytes, at, DEVICE), DEVICES[draws.below(DEVICES.length)]);
    at = putIp(bytes, copy(bytes, at, IP), draws.next());
    at = putPlace(bytes, copy(bytes, at, PLACE), draws, unusual.countries);
    at = this.#simulated.put(bytes, copy(bytes, at, STARTED), startedMicros);
    at = this.#simulated.put(bytes, copy(bytes, at, ENDED), startedMicros + seconds * SECOND_MICROS);
    const transactions = draws.between(0, 5);
    const actions = Math.max(1, Math.floor(seconds / 60)) + 3 * transactions + draws.between(5, 20);
    at = putInteger(bytes, copy(bytes, at, ACTIONS), actions);
    at = putInteger(bytes, copy(bytes, at, COUNT), transactions);
    at = this.#real.put(bytes, copy(bytes, at, CREATED), timeMicros);
    at = this.#real.put(bytes, copy(bytes, at, UPDATED), timeMicros);
    into.length = copy(bytes, copy(bytes, at, VERSION), KEPT);
  }

  #transactionOf(session: number): number {
    if (session < this.#session) this.#session = this.#transaction = -1;
    while (this.#session < session) if (this.#times.has(++this.#transaction)) this.#session++;
    return this.#transaction;
  }

  #countBefore(transactions: number): number {
    let count = 0;
    for (let transaction = 0; transaction < transactions; transaction++) if (this.#times.has(transaction)) count++;
    return count;
  }
}
