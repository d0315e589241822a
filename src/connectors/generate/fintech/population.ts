/**
 * Merchants, customers and their accounts: drawn once per seed, as typed arrays. Invariant: what a row has depends on seed, shares and its
 * own number, so that the sources of several tables agree without knowing of each other.
 */
import { NumberedDraws } from "../numbered_draws.ts";
import { putUuid } from "../record_bytes.ts";
import { UINT32, type Xoshiro } from "../xoshiro.ts";
import type { Unusual } from "./unusual.ts";
import { ACCOUNT_COUNTS, ACCOUNT_SHARES, BUSINESSES, RISK_BASES, RISK_DEVIATION, TIER_SHARES, TIER_WEIGHTS } from "./words.ts";

export const MERCHANTS = 50;
export const UUID_BYTES = 36;
const ACCOUNTS_MOST = ACCOUNT_COUNTS.length;
const RISK_MOST = 1000_00;

export interface Population {
  readonly customers: number;
  readonly accounts: number;
  /** UUIDs, one after the other. */
  readonly customerIds: Uint8Array;
  readonly accountIds: Uint8Array;
  readonly merchantIds: Uint8Array;
  /** By customer. */
  readonly tierOf: Uint8Array;
  readonly riskOf: Int32Array;
  /** By customer: the first of its accounts; the next customer's first is behind its last. */
  readonly firstAccount: Int32Array;
  /** By customer: the weights of it and all before. */
  readonly weights: Int32Array;
  /** By account. */
  readonly ownerOf: Int32Array;
  readonly accountTypeOf: Uint8Array;
  readonly frozen: Uint8Array;
  readonly inactive: Uint8Array;
  /** By merchant. */
  readonly businessOf: Uint8Array;
  readonly late: Uint8Array;
}

/** The place of a share that a draw of 0 to 99 falls into. */
export function shareAt(shares: readonly number[], percent: number): number {
  let place = 0;
  for (let left = percent - shares[0]; left >= 0; left -= shares[place]) place++;
  return place;
}
/** True in so many of a hundred draws. */
export function chance(draws: Xoshiro, percent: number): boolean {
  return draws.below(100) < percent;
}

/** The same for the same arguments. About 200 bytes a customer. */
export function populate(seed: number, customers: number, unusual: Unusual): Population {
  const draws = new NumberedDraws(seed, "fintech population");
  const accountDraws = new NumberedDraws(seed, "fintech accounts");
  const merchantDraws = new NumberedDraws(seed, "fintech merchants");
  const tierOf = new Uint8Array(customers);
  const riskOf = new Int32Array(customers);
  const firstAccount = new Int32Array(customers + 1);
  const weights = new Int32Array(customers);
  const customerIds = new Uint8Array(UUID_BYTES * customers);
  const room = ACCOUNTS_MOST * customers;
  const accountTypeOf = new Uint8Array(room);
  const ownerOf = new Int32Array(room);
  const accountIds = new Uint8Array(UUID_BYTES * room);
  const frozen = new Uint8Array(room);
  const inactive = new Uint8Array(room);
  let accounts = 0;
  for (let customer = 0; customer < customers; customer++) {
    draws.begin(customer);
    putUuid(customerIds, UUID_BYTES * customer, draws.next(), draws.next(), draws.next(), draws.next());
    const tier = shareAt(TIER_SHARES, draws.below(100));
    tierOf[customer] = tier;
    riskOf[customer] = riskScore(tier, draws);
    weights[customer] = (customer === 0 ? 0 : weights[customer - 1]) + TIER_WEIGHTS[tier];
    firstAccount[customer] = accounts;
    const last = accounts + shareAt(ACCOUNT_COUNTS, draws.below(100));
    for (; accounts <= last; accounts++) {
      accountDraws.begin(accounts);
      putUuid(accountIds, UUID_BYTES * accounts, accountDraws.next(), accountDraws.next(), accountDraws.next(), accountDraws.next());
      ownerOf[accounts] = customer;
      accountTypeOf[accounts] = shareAt(ACCOUNT_SHARES[tier], accountDraws.below(100));
      frozen[accounts] = chance(accountDraws, unusual.frozen) ? 1 : 0;
      inactive[accounts] = chance(accountDraws, unusual.inactive) ? 1 : 0;
    }
  }
  firstAccount[customers] = accounts;
  const businessOf = new Uint8Array(MERCHANTS);
  const late = new Uint8Array(MERCHANTS);
  const merchantIds = new Uint8Array(UUID_BYTES * MERCHANTS);
  for (let merchant = 0; merchant < MERCHANTS; merchant++) {
    merchantDraws.begin(merchant);
    putUuid(merchantIds, UUID_BYTES * merchant, merchantDraws.next(), merchantDraws.next(), merchantDraws.next(), merchantDraws.next());
    businessOf[merchant] = merchantDraws.below(BUSINESSES.length);
    late[merchant] = chance(merchantDraws, unusual.late_merchants) ? 1 : 0;
  }
  const people = { customers, customerIds, tierOf, riskOf, firstAccount, weights };
  return { ...people, accounts, accountIds, ownerOf, accountTypeOf, frozen, inactive, businessOf, late, merchantIds };
}

/** In hundredths: normal around the tier's base, between 0 and 1000. */
export function riskScore(tier: number, draws: Xoshiro): number {
  const risk = RISK_BASES[tier] + Math.round(RISK_DEVIATION * normal(draws));
  return Math.min(RISK_MOST, Math.max(0, risk));
}

/**
 * Twelve uniform draws less their mean: a normal of deviation 1 in all but its far ends, by sums alone. Logarithms and sines are not the same
 * to the last bit on every machine.
 */
function normal(draws: Xoshiro): number {
  let sum = 0;
  for (let i = 0; i < 12; i++) sum += draws.next();
  return sum / UINT32 - 6;
}

/** The customer whose weights a draw falls into. */
export function customerAt({ weights }: Population, draw: number): number {
  let low = 0;
  for (let high = weights.length - 1; low < high;) {
    const middle = low + high >> 1;
    if (weights[middle] > draw) high = middle;
    else low = middle + 1;
  }
  return low;
}
