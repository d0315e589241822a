/**
 * transactions.csv: ordinary payments with the edge cases spread evenly among them. Invariant: memory does not grow with the
 * number of payments, and row n carries id n but for the repeated ids.
 */
import type { GeneratorOptions } from "../data_generator.ts";
import { fragment, LineWriter } from "../line_writer.ts";
import { SeededSequence } from "../seeded_sequence.ts";
import { type EdgePayment, REFUSED_PAYMENTS } from "./edge_cases.ts";
import type { Population } from "./population.ts";
import { FAR_TOWNS, HOME_TOWNS, MERCHANTS, STREETS } from "./words.ts";

const FIRST_SECOND = Date.UTC(2025, 3, 1) / 1000;
const DAY_SECONDS = 86_400;
const SPAN_SECONDS = 4 * DAY_SECONDS;
const TYPES = ["wire_transfer", "bill_payment", "p2p_transfer", "refund", "atm_withdrawal", "purchase"];
const REFUND = TYPES.indexOf("refund");

const STREET_BYTES = STREETS.map((street) => fragment(` ${street}, `));
const HOME_BYTES = HOME_TOWNS.map((town) => ({ name: fragment(`${town.name} `), firstDigit: town.firstDigit }));
const FAR_BYTES = FAR_TOWNS.map((town) => ({ name: fragment(`${town.name} `), firstDigit: town.firstDigit }));
const TYPE_BYTES = TYPES.map((type) => fragment(`",${type},\r\n`));

/** An edge payment and the card it is on. */
interface Placed {
  readonly payment: EdgePayment;
  readonly card: number;
}

/** The file, a chunk of about 64 KiB at a time. */
export function* transactionsFile(options: GeneratorOptions, population: Population): Generator<Uint8Array> {
  const lines = new LineWriter();
  lines.text("transaction_id,card_id,merchant_name,timestamp,amount,location,transaction_type,related_transaction_id\r\n");
  const ordinary = new OrdinaryPayments(options, population, lines);
  const edges = new EdgePayments(options, population, lines);
  const stepMost = Math.max(1, Math.floor(2 * SPAN_SECONDS / options.transactions) - 1);
  const sequence = new SeededSequence(options.seed, "timestamps");
  let second = FIRST_SECOND;
  for (let row = 1; row <= options.transactions; row++) {
    second += sequence.between(1, stepMost);
    if (edges.isDue(row)) edges.write(row, second);
    else ordinary.write(row, second);
    if (lines.full) yield lines.take();
  }
  yield lines.take();
}

/** Writes moments, the day's text made once a day. */
class Moments {
  readonly #lines: LineWriter;
  #day = -1;
  #dayBytes: Uint8Array = new Uint8Array();

  constructor(lines: LineWriter) {
    this.#lines = lines;
  }
  write(second: number): void {
    const day = Math.floor(second / DAY_SECONDS);
    if (day !== this.#day) {
      this.#day = day;
      this.#dayBytes = fragment(`${new Date(day * DAY_SECONDS * 1000).toISOString().slice(0, 10)} `);
    }
    const rest = second - day * DAY_SECONDS;
    const lines = this.#lines;
    lines.bytes(this.#dayBytes);
    lines.digits(Math.floor(rest / 3600), 2);
    lines.byte(58);
    lines.digits(Math.floor(rest / 60) % 60, 2);
    lines.byte(58);
    lines.digits(rest % 60, 2);
  }
}

/** Payments as a random customer makes them: mostly near home, mostly a small part of the limit, each card in its own style. */
class OrdinaryPayments {
  readonly #population: Population;
  readonly #lines: LineWriter;
  readonly #moments: Moments;
  readonly #sequence: SeededSequence;

  constructor(options: GeneratorOptions, population: Population, lines: LineWriter) {
    this.#population = population;
    this.#lines = lines;
    this.#moments = new Moments(lines);
    this.#sequence = new SeededSequence(options.seed, "transactions");
  }
  write(row: number, second: number): void {
    const lines = this.#lines;
    const sequence = this.#sequence;
    const card = sequence.below(this.#population.ordinaryCards);
    const type = sequence.below(TYPES.length);
    lines.integer(row);
    lines.byte(44);
    lines.integer(card + 1);
    lines.byte(44);
    lines.bytes(MERCHANTS[sequence.below(MERCHANTS.length)]);
    lines.byte(44);
    this.#moments.write(second);
    lines.byte(44);
    lines.money(this.#amount(card, type));
    const town = sequence.below(10) === 0 ? sequence.pick(FAR_BYTES) : sequence.pick(HOME_BYTES);
    lines.byte(44);
    lines.byte(34);
    lines.integer(sequence.between(1, 9999));
    lines.bytes(STREET_BYTES[sequence.below(STREET_BYTES.length)]);
    lines.bytes(town.name);
    lines.digits(town.firstDigit * 10000 + sequence.between(14, 9993), 5);
    lines.bytes(TYPE_BYTES[type]);
  }
  #amount(card: number, type: number): number {
    const limit = this.#population.limitCents[card];
    const sequence = this.#sequence;
    if (type === REFUND) return -sequence.between(500, Math.floor(500 + limit / 40));
    if (sequence.below(80) === 0) return sequence.between(Math.floor(limit * 0.45), Math.floor(limit * 0.6));
    // Some cards hardly get used, others are run up to their limit.
    const styleParts = 1 + (Math.imul(card, 0x9e3779b1) >>> 28);
    return sequence.between(740, Math.floor(1000 + limit * styleParts / 100));
  }
}

/** The scripted payments in their order, at evenly spread rows. */
class EdgePayments {
  readonly #lines: LineWriter;
  readonly #moments: Moments;
  readonly #placed: readonly Placed[];
  readonly #rows: readonly number[];
  readonly #unknownCard: number;
  readonly #rowOf = new Map<string, number>();
  #next = 0;
  #lastSecond = 0;

  constructor(options: GeneratorOptions, population: Population, lines: LineWriter) {
    this.#lines = lines;
    this.#moments = new Moments(lines);
    this.#unknownCard = population.cards + 1000;
    const first = population.ordinaryCards + 1;
    const placed = population.edgeCards.flatMap((card, index) => card.payments.map((payment) => ({ payment, card: first + index })));
    const refused = population.edgeCards.length === 0 ? [] : REFUSED_PAYMENTS.map((payment) => ({ payment, card: first }));
    this.#placed = [...placed, ...refused];
    const rows: number[] = [];
    for (const [index, { payment }] of this.#placed.entries()) {
      const spread = Math.floor((index + 0.5) * options.transactions / this.#placed.length) + 1;
      rows.push(payment.time === "same_second" ? rows[index - 1] + 1 : spread);
    }
    this.#rows = rows;
  }
  isDue(row: number): boolean {
    return this.#rows[this.#next] === row;
  }
  write(row: number, second: number): void {
    const { payment, card } = this.#placed[this.#next++];
    if (payment.label !== undefined) this.#rowOf.set(payment.label, row);
    const id = payment.repeats === undefined ? row : this.#rowOf.get(payment.repeats)!;
    const lines = this.#lines;
    lines.text(`${id},${payment.card === "unknown" ? this.#unknownCard : card},${quoted(payment.merchant ?? "Corner Market")},`);
    this.#time(payment, second);
    lines.text(`,${payment.amount},${quoted(payment.location ?? "12 Linden Street, Troy, NY 12180")},${payment.type ?? "purchase"},`);
    lines.text(`${payment.cancels === undefined ? "" : this.#rowOf.get(payment.cancels)}\r\n`);
  }
  #time(payment: EdgePayment, second: number): void {
    if (typeof payment.time === "object") {
      this.#lines.text(payment.time.text);
      return;
    }
    const before = payment.time === "same_second" ? this.#lastSecond : this.#lastSecond - DAY_SECONDS;
    const moment = payment.time === undefined ? second : before;
    this.#moments.write(moment);
    this.#lastSecond = moment;
  }
}

function quoted(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
