/** What the original workload never produces, as shares that can be chosen one by one. Invariant: the profile `original` has none. */
import type { GroupSetting, SettingGroup } from "../../../component/settings.ts";
import { COUNTRIES } from "./words.ts";

/** Shares in percent. */
export interface Unusual {
  /** Transactions that failed or are pending. */
  readonly failed: number;
  /** Number of countries that transactions come from. */
  readonly countries: number;
  /** Transactions from one of the customer's own three devices instead of a new one. */
  readonly device_reuse: number;
  /** Rows of sixteen transactions of one customer, five seconds apart. */
  readonly bursts: number;
  readonly frozen: number;
  readonly inactive: number;
  /** Transactions sent again as they were; changed afterwards; deleted afterwards. */
  readonly duplicates: number;
  readonly updates: number;
  readonly deletes: number;
  /** Transactions from an account that no table knows. */
  readonly unknown_accounts: number;
  /** Merchants that only the part `late` of their table has. */
  readonly late_merchants: number;
}

const NONE: Unusual = {
  failed: 0,
  countries: 1,
  device_reuse: 0,
  bursts: 0,
  frozen: 0,
  inactive: 0,
  duplicates: 0,
  updates: 0,
  deletes: 0,
  unknown_accounts: 0,
  late_merchants: 0,
};
const SOME: Unusual = {
  failed: 8,
  countries: 12,
  device_reuse: 30,
  bursts: 4,
  frozen: 5,
  inactive: 5,
  duplicates: 1,
  updates: 1,
  deletes: 1,
  unknown_accounts: 2,
  late_merchants: 10,
};

/** By profile. */
const PRESETS: Readonly<Record<string, Unusual>> = { original: NONE, unusual: SOME };
export const PROFILES: Readonly<Record<string, string>> = {
  original: "the distributions of the original workload, in which every transaction completes",
  unusual: "with failures, countries, bursts, frozen accounts, duplicates, updates and deletes, so that every rule has its cases",
};

const percent = (doc: string) => ({ kind: "int", unit: "percent", min: 0, max: 100, optional: true, doc } as const);

export const UNUSUAL: GroupSetting = {
  kind: "group",
  optional: true,
  doc: "Of `fintech`: what the original never produces. Default: as the profile has it.",
  fields: {
    failed: percent("Transactions that failed or are pending."),
    countries: {
      kind: "int",
      unit: "countries",
      min: 1,
      max: COUNTRIES.length,
      optional: true,
      doc: "How many countries transactions come from.",
    },
    device_reuse: percent("Transactions from one of the customer's own three devices; the others come from new ones."),
    bursts: percent("Transactions in rows of sixteen of one customer, five seconds apart."),
    frozen: percent("Accounts that are frozen."),
    inactive: percent("Accounts that are not active."),
    duplicates: percent("Transactions that are an earlier one sent again."),
    updates: percent("Transactions that are an earlier one, disputed."),
    deletes: percent("Transactions that are an earlier one, deleted; also of the changes behind a table's population."),
    unknown_accounts: percent("Transactions from an account that no table knows."),
    late_merchants: percent('Merchants that come with `part = "late"` only.'),
  },
};

/** What a profile has, and what was chosen instead. */
export function unusualOf(profile: string, chosen: SettingGroup | null): Unusual {
  const preset = PRESETS[profile];
  if (chosen === null) return preset;
  const entries = Object.entries(preset).map(([name, value]) => [name, chosen.has(name) ? chosen.number(name) : value]);
  return Object.fromEntries(entries) as unknown as Unusual;
}
