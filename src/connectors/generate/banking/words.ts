/** What card payments are drawn from. */

export const MERCHANTS: readonly string[] = ["Amazon", "Tesco", "Starbucks", "Uber", "Deliveroo", "Netflix"];
export const CATEGORIES: readonly string[] = ["Shopping", "Food", "Transport", "Entertainment", "Bills"];
export const LOCATIONS: readonly string[] = ["London", "Manchester", "Birmingham", "Leeds", "Bristol"];
export const STATUSES: readonly string[] = ["completed", "pending", "failed"];

/** By merchant, what one buys there; of the profile `coherent`. */
export const PLAUSIBLE: readonly (readonly string[])[] = [
  ["Shopping", "Entertainment"],
  ["Food", "Shopping"],
  ["Food"],
  ["Transport", "Food"],
  ["Food"],
  ["Entertainment", "Bills"],
];

export const USER_LEAST = 1000;
export const USER_MOST = 5000;
/** Amounts in pence. */
export const AMOUNT_LEAST = 1_00;
export const AMOUNT_MOST = 2000_00;
