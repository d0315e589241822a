/** The switches of the two rule profiles (C-3), as the oracle understands them. */
export interface Switches {
  readonly order: "timestamp" | "given";
  readonly sign_rule: boolean;
  readonly credit_types: readonly string[];
  readonly zip_extract: "last_word" | "first_five" | "last_five";
  readonly zip_missing: "decline" | "skip";
  readonly unknown_customer: "decline" | "skip";
  readonly credits_bypass_limit: boolean;
  readonly negative_usage: "reward" | "keep";
  readonly cardless_customers: "drop" | "keep";
  readonly row_order: "key" | "input";
  readonly posting: "once" | "twice";
  readonly score_min: bigint | null;
  readonly score_max: bigint | null;
  readonly limit_min_cents: bigint | null;
}

const STRICT_ZIP: Switches = {
  order: "timestamp",
  sign_rule: false,
  credit_types: ["refund", "cancellation"],
  zip_extract: "last_word",
  zip_missing: "decline",
  unknown_customer: "decline",
  credits_bypass_limit: false,
  negative_usage: "reward",
  cardless_customers: "drop",
  row_order: "key",
  posting: "once",
  score_min: null,
  score_max: null,
  limit_min_cents: null,
};

/** The two profiles by name. */
export const PROFILES: Readonly<Record<"strict-zip" | "refund-aware", Switches>> = {
  "strict-zip": STRICT_ZIP,
  "refund-aware": {
    ...STRICT_ZIP,
    order: "given",
    sign_rule: true,
    zip_extract: "first_five",
    zip_missing: "skip",
    unknown_customer: "skip",
    negative_usage: "keep",
    cardless_customers: "keep",
    row_order: "input",
  },
};
