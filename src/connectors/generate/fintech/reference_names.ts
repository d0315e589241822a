/** Names of people and shops, by their numbers. Invariant: the same for whoever asks, so that a transaction names the shop of its merchant. */
import { FIRST_NAMES, LAST_NAMES } from "../cards/words.ts";
import { NumberedDraws } from "../numbered_draws.ts";
import type { FintechOptions } from "./choices.ts";
import { MERCHANTS } from "./population.ts";
import { BUSINESSES } from "./words.ts";

export interface MerchantName {
  readonly name: string;
  readonly business: string;
  readonly mcc: string;
}
const FORMS: readonly ((name: string, other: string) => string)[] = [
  (name) => `${name} LLC`,
  (name) => `${name} Inc`,
  (name, other) => `${name}-${other}`,
  (name, other) => `${name} and ${other}`,
  (name) => `${name} Group`,
];

/** Of all merchants. */
export function merchantNames({ seed, population }: Pick<FintechOptions, "seed" | "population">): readonly MerchantName[] {
  const draws = new NumberedDraws(seed, "fintech merchant names");
  return Array.from({ length: MERCHANTS }, (_, merchant) => {
    draws.begin(merchant);
    const name = LAST_NAMES[draws.below(LAST_NAMES.length)];
    const other = LAST_NAMES[draws.below(LAST_NAMES.length)];
    const [business, mcc] = BUSINESSES[population.businessOf[merchant]];
    return { name: FORMS[draws.below(FORMS.length)](name, other), business, mcc };
  });
}

/** The names of one person. */
export function personNames(draws: NumberedDraws): { readonly first: string; readonly last: string } {
  const first = FIRST_NAMES[draws.below(FIRST_NAMES.length)];
  return { first, last: LAST_NAMES[draws.below(LAST_NAMES.length)] };
}
