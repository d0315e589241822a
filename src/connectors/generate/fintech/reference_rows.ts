/**
 * Customers, accounts and merchants as rows: each once, then, for as long as somebody asks, changes to them in turn. Rows are made as text:
 * there are few. Invariant: record n is the insertion of row n, or change number floor(n / rows) of row n % rows.
 */
import { STREETS } from "../cards/words.ts";
import { writeText } from "../../../data/bytes.ts";
import type { ByteWriter } from "../../../data/codec.ts";
import { formatDecimal } from "../../../data/decimal.ts";
import { NumberedDraws } from "../numbered_draws.ts";
import type { RecordSequence } from "../record_sequence.ts";
import { dateOf, timestampText } from "../../../data/time.ts";
import type { FintechOptions } from "./choices.ts";
import { Clockwork } from "./clockwork.ts";
import { chance, MERCHANTS, riskScore, shareAt, UUID_BYTES } from "./population.ts";
import { type MerchantName, merchantNames, personNames } from "./reference_names.ts";
import { uniform } from "./row_text.ts";
import { ACCOUNT_TYPES, CITIES, CUSTOMER_TAGS, EMPLOYMENTS, KYC_SHARES, ONBOARDING_SHARES, type Share, STATES, TIERS } from "./words.ts";

export type ReferenceTable = "customers" | "accounts" | "merchants";
/** Which merchants: those that are there from the beginning, those that come late, or all. */
export type Part = "all" | "early" | "late";

type Row = Readonly<Record<string, unknown>>;
/** The columns of a row that was changed so many times. */
type MakeRow = (row: number, changes: number) => Row;

const SAVINGS = ACCOUNT_TYPES.indexOf("savings");
const decoder = new TextDecoder();

export class ReferenceRows implements RecordSequence {
  readonly size: number;
  readonly #options: FintechOptions;
  readonly #table: ReferenceTable;
  readonly #make: MakeRow;
  readonly #changes: NumberedDraws;
  readonly #clockwork: Clockwork;

  constructor(options: FintechOptions, table: ReferenceTable, part: Part) {
    this.#options = options;
    this.#table = table;
    const { population } = options;
    const merchants = Array.from({ length: MERCHANTS }, (_, merchant) => merchant)
      .filter((merchant) => part === "all" || (population.late[merchant] === 1) === (part === "late"));
    this.size = table === "customers" ? population.customers : table === "accounts" ? population.accounts : merchants.length;
    this.#make = table === "customers" ? customers(options) : table === "accounts" ? accounts(options) : merchantRows(options, merchants);
    this.#changes = new NumberedDraws(options.seed, `fintech changes of ${table}`);
    this.#clockwork = new Clockwork(options.seed, options.rate);
  }

  /** The population is there at once; changes come as fast as transactions. */
  offsetMicros(number: number): number {
    return number < this.size ? 0 : this.#clockwork.elapsedMicros(number - this.size);
  }

  write(number: number, timeMicros: number, into: ByteWriter): void {
    const { size } = this;
    const row = number % size;
    const changes = Math.floor(number / size);
    const made = this.#make(row, changes);
    const isDeleted = changes > 0 && this.#isDeleted(number);
    const createdMicros = timeMicros - this.offsetMicros(number);
    const times = { created_at: timeText(createdMicros), updated_at: timeText(timeMicros), version: 1 + changes };
    const columns = { ...made, ...times };
    // Of merchants the log of changes keeps no more than the key.
    const kept = isDeleted && this.#table === "merchants"
      ? Object.fromEntries(Object.keys(columns).map((name) => [name, name === "id" ? made.id : null]))
      : columns;
    writeText(into, JSON.stringify({ ...kept, __deleted: isDeleted ? "true" : "false" }) + "\n");
  }

  #isDeleted(number: number): boolean {
    this.#changes.begin(number);
    return chance(this.#changes, this.#options.unusual.deletes);
  }
}

const idAt = (ids: Uint8Array, row: number): string => decoder.decode(ids.subarray(UUID_BYTES * row, UUID_BYTES * (row + 1)));
const money = (hundredths: number): string => formatDecimal(hundredths, 2);
const digits = (draws: NumberedDraws, count: number): string => String(uniform(draws, 10 ** count)).padStart(count, "0");
const timeText = (micros: number): string => timestampText().format(micros);
const orNull = <T>(draws: NumberedDraws, percent: number, value: () => T): T | null => chance(draws, percent) ? null : value();
const pick = (draws: NumberedDraws, words: readonly string[]): string => words[draws.below(words.length)];
const pickShare = (draws: NumberedDraws, shares: readonly Share[]): string =>
  shares[shareAt(shares.map(([, percent]) => percent), draws.below(100))][0];
/** JSON as producers in Python write it. */
const spaced = (value: Row): string => `{${Object.entries(value).map(([name, each]) => `"${name}": ${JSON.stringify(each)}`).join(", ")}}`;

function address(draws: NumberedDraws): string {
  return spaced({
    street: `${draws.between(1, 9999)} ${pick(draws, STREETS)}`,
    city: pick(draws, CITIES),
    state: pick(draws, STATES),
    zip_code: digits(draws, 5),
    country: "US",
  });
}
const phone = (draws: NumberedDraws): string => `${draws.between(200, 999)}-555-${digits(draws, 4)}`;

/** The day of birth of somebody of 18 to 80 years at the simulated time. */
function birthDay(baseMicros: number, draws: NumberedDraws): number {
  return dateOf(baseMicros) - Math.ceil(18 * 365.25) - draws.below(Math.floor(62 * 365.25));
}

function customers({ seed, population, baseMicros }: FintechOptions): MakeRow {
  const draws = new NumberedDraws(seed, "fintech customer rows");
  const later = new NumberedDraws(seed, "fintech customer changes");
  return (row, changes) => {
    draws.begin(row);
    const { first, last } = personNames(draws);
    const tier = population.tierOf[row];
    // Only the score of a customer changes.
    later.begin(row + changes * population.customers);
    const risk = changes === 0 ? population.riskOf[row] : riskScore(tier, later);
    return {
      id: idAt(population.customerIds, row),
      first_name: first,
      last_name: last,
      email: `${first}.${last}.${row + 1}@example.com`.toLowerCase(),
      phone: phone(draws),
      date_of_birth: birthDay(baseMicros, draws),
      ssn: `9${digits(draws, 2)}-${digits(draws, 2)}-${digits(draws, 4)}`,
      address: address(draws),
      tier: TIERS[tier],
      risk_score: money(risk),
      kyc_status: pickShare(draws, KYC_SHARES),
      is_active: true,
      credit_score: orNull(draws, 10, () => draws.between(300, 850)),
      annual_income: orNull(draws, 20, () => money(100 * draws.between(25_000, 500_000))),
      employment_status: pick(draws, EMPLOYMENTS),
      onboarding_channel: pickShare(draws, ONBOARDING_SHARES),
      referral_code: orNull(draws, 70, () => `REF${Array.from({ length: 4 }, () => String.fromCharCode(65 + draws.below(26))).join("")}`),
      preferences: spaced({ notifications: chance(draws, 50), marketing: chance(draws, 50), paperless: chance(draws, 50) }),
      tags: `[${distinct(draws, CUSTOMER_TAGS, draws.between(0, 3)).map((tag) => JSON.stringify(tag)).join(", ")}]`,
    };
  };
}

function distinct(draws: NumberedDraws, words: readonly string[], count: number): string[] {
  const left = [...words];
  return Array.from({ length: count }, () => left.splice(draws.below(left.length), 1)[0]);
}

function accounts({ seed, population }: FintechOptions): MakeRow {
  const draws = new NumberedDraws(seed, "fintech account rows");
  return (row, changes) => {
    draws.begin(row);
    const owner = population.ownerOf[row];
    const isSavings = population.accountTypeOf[row] === SAVINGS;
    const isExempt = population.tierOf[owner] >= TIERS.indexOf("vip");
    return {
      id: idAt(population.accountIds, row),
      customer_id: idAt(population.customerIds, owner),
      account_number: `ACC-${String(100_000_000 + (row * 7919 + 12_345) % 900_000_000)}`,
      account_type: ACCOUNT_TYPES[population.accountTypeOf[row]],
      currency: "USD",
      balance: "0.00",
      available_balance: "0.00",
      credit_limit: null,
      interest_rate: isSavings ? formatDecimal(draws.between(100, 500), 4) : null,
      is_active: population.inactive[row] === 0,
      // A change freezes an account, or frees it again.
      is_frozen: (population.frozen[row] === 1) !== (changes % 2 === 1),
      overdraft_protection: chance(draws, 50),
      minimum_balance: isSavings ? "100.00" : "0.00",
      monthly_fee: isExempt ? "0.00" : money(draws.between(0, 25_00)),
      branch_code: `BR${digits(draws, 4)}`,
      routing_number: digits(draws, 9),
    };
  };
}

function merchantRows(options: FintechOptions, merchants: readonly number[]): MakeRow {
  const { seed, population } = options;
  const names: readonly MerchantName[] = merchantNames(options);
  const draws = new NumberedDraws(seed, "fintech merchant rows");
  return (row, changes) => {
    const merchant = merchants[row];
    draws.begin(merchant);
    const { name, business, mcc } = names[merchant];
    const place = address(draws);
    const isActive = chance(draws, 90);
    return {
      id: idAt(population.merchantIds, merchant),
      name,
      business_type: business,
      mcc_code: mcc,
      address: place,
      phone: phone(draws),
      website: `https://${name.toLowerCase().replaceAll(/[^a-z]+/g, "-")}.example.com`,
      tax_id: `${digits(draws, 2)}-${digits(draws, 7)}`,
      // A change closes a shop, or opens it again.
      is_active: isActive !== (changes % 2 === 1),
    };
  };
}
