/** The files of customers, card types and cards: master data that payments refer to. */
import type { GeneratorOptions } from "../data_generator.ts";
import { LineWriter } from "../line_writer.ts";
import { SeededSequence } from "../seeded_sequence.ts";
import { EDGE_CUSTOMERS } from "./edge_cases.ts";
import { CARD_TYPES, type Population } from "./population.ts";
import { FIRST_NAMES, HOME_TOWNS, LAST_NAMES, STREETS } from "./words.ts";

/** Ids 1 to `count`, the last two exchanged: the order of a file is not the order of its keys. */
function* fileOrder(count: number): Generator<number> {
  for (let id = 1; id <= count; id++) yield count < 2 || id < count - 1 ? id : id === count ? count - 1 : count;
}

/** customers.csv */
export function* customersFile(options: GeneratorOptions, population: Population): Generator<Uint8Array> {
  const lines = new LineWriter();
  lines.text("customer_id,name,phone_number,address,email,credit_score,annual_income\r\n");
  for (const id of fileOrder(population.customers)) {
    const sequence = new SeededSequence(options.seed, `customer ${id}`);
    const edge = EDGE_CUSTOMERS[id - population.ordinaryCustomers - 1];
    const first = sequence.pick(FIRST_NAMES);
    const last = sequence.pick(LAST_NAMES);
    const phone = `555-${sequence.between(200, 999)}-${String(sequence.below(10000)).padStart(4, "0")}`;
    const town = sequence.pick(HOME_TOWNS);
    const home = `${sequence.between(1, 9999)} ${sequence.pick(STREETS)}, ${town.name} ${sequence.between(10001, 19999)}`;
    const score = sequence.between(600, 820);
    const income = sequence.between(257, 7672) * 10000;
    lines.text(`${id},${first} ${last},${phone},"${edge?.address ?? home}",`);
    lines.text(`${first.toLowerCase()}.${last.toLowerCase()}${id}@example.${id % 2 === 0 ? "org" : "com"},${edge?.score ?? score},`);
    lines.money(income);
    lines.text("\r\n");
    if (lines.full) yield lines.take();
  }
  yield lines.take();
}

/** credit_card_types.csv */
export function* cardTypesFile(): Generator<Uint8Array> {
  const lines = new LineWriter();
  lines.text("card_type_id,name,credit_score_min,credit_score_max,credit_limit_min,credit_limit_max,annual_fee,rewards_rate\r\n");
  for (const [index, type] of CARD_TYPES.entries()) {
    const { name, scoreMin, scoreMax, limitMin, limitMax, annualFee, rewardsRate } = type;
    lines.text(`${index + 1},${name},${scoreMin},${scoreMax},${limitMin},${limitMax},${annualFee},${rewardsRate}\r\n`);
  }
  yield lines.take();
}

/** cards.csv. Card numbers are made of the id behind 3 to 6 and zeros: nobody can take them for real ones. */
export function* cardsFile(options: GeneratorOptions, population: Population): Generator<Uint8Array> {
  const lines = new LineWriter();
  const sequence = new SeededSequence(options.seed, "cards");
  lines.text("card_id,customer_id,card_type_id,card_number,expiration_date,credit_limit,current_balance,issue_date\r\n");
  for (const id of fileOrder(population.cards)) {
    const edge = population.edgeCards[id - 1 - population.ordinaryCards];
    lines.text(`${id},${population.customerOf[id - 1]},${population.typeOf[id - 1]},${3 + id % 4}000-0000-`);
    lines.digits(Math.floor(id / 10000) % 10000, 4);
    lines.byte(45);
    lines.digits(id % 10000, 4);
    const expiresYear = sequence.between(25, 28);
    const expiresMonth = expiresYear === 25
      ? sequence.between(7, 12)
      : expiresYear === 28
      ? sequence.between(1, 6)
      : sequence.between(1, 12);
    lines.byte(44);
    lines.digits(expiresMonth, 2);
    lines.text(`/${expiresYear},`);
    lines.money(population.limitCents[id - 1]);
    lines.byte(44);
    const balance = sequence.between(2174, Math.min(259975, population.limitCents[id - 1] / 4 + 2174));
    lines.money(edge?.balance ?? balance);
    lines.text(`,${sequence.between(2022, 2024)}-`);
    lines.digits(sequence.between(1, 12), 2);
    lines.byte(45);
    lines.digits(sequence.between(1, 28), 2);
    lines.text("\r\n");
    if (lines.full) yield lines.take();
  }
  yield lines.take();
}
