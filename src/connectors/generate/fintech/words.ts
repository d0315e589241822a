/** What the tables of the fintech workload are drawn from; names are invented, and any likeness is chance. */

/** A word and its share of a hundred. */
export type Share = readonly [word: string, percent: number];

export const TIERS: readonly string[] = ["basic", "premium", "vip", "enterprise"];
export const TIER_SHARES: readonly number[] = [60, 25, 10, 5];
/** How often a customer of a tier is chosen for a transaction, against the others. */
export const TIER_WEIGHTS: readonly number[] = [1, 2, 3, 4];
/** By tier, in hundredths: the middle of the risk scores. */
export const RISK_BASES: readonly number[] = [20_00, 15_00, 10_00, 5_00];
export const RISK_DEVIATION = 10_00;
/** By tier, in cents: what amounts are scaled from. */
export const TIER_AMOUNTS: readonly (readonly [least: number, most: number])[] = [
  [10_00, 500_00],
  [50_00, 2_000_00],
  [100_00, 10_000_00],
  [1_000_00, 100_000_00],
];

export const ACCOUNT_TYPES: readonly string[] = ["checking", "savings", "credit", "investment", "business"];
/** By tier: shares of ACCOUNT_TYPES. */
const USUAL_ACCOUNTS = [50, 25, 20, 5, 0];
export const ACCOUNT_SHARES: readonly (readonly number[])[] = [USUAL_ACCOUNTS, USUAL_ACCOUNTS, USUAL_ACCOUNTS, [30, 0, 0, 10, 60]];
/** Shares of one, two, three and four accounts. */
export const ACCOUNT_COUNTS: readonly number[] = [40, 35, 20, 5];

/** A kind of transaction; the factors, in tenths, scale the amounts of a tier. */
export interface TransactionType {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly description: string;
}
const type = (name: string, least = 10, most = 10, description = "Transaction"): TransactionType => ({ name, least, most, description });
export const TRANSACTION_TYPES: readonly TransactionType[] = [
  type("card_payment", 5, 20),
  type("mobile_payment", 1, 10),
  type("wire_transfer", 20, 100, "Wire Transfer"),
  type("atm_withdrawal", 1, 5, "ATM Withdrawal"),
  type("deposit", 10, 50, "Direct Deposit"),
  type("ach_transfer", 10, 10, "ACH Transfer"),
  type("internal_transfer"),
  type("interest_payment", 10, 10, "Interest Payment"),
  type("fee_charge", 10, 10, "Monthly Maintenance Fee"),
];
export const CARD = 0;
export const MOBILE = 1;
export const WIRE = 2;
export const ATM = 3;
export const DEPOSIT = 4;
/** By account type: shares of TRANSACTION_TYPES. */
const OF_CHECKING = [35, 5, 15, 15, 10, 20, 0, 0, 0];
export const TYPE_SHARES: readonly (readonly number[])[] = [
  OF_CHECKING,
  [0, 0, 0, 0, 40, 30, 20, 10, 0],
  [80, 0, 0, 15, 0, 0, 0, 0, 5],
  [0, 0, 0, 0, 30, 25, 20, 25, 0],
  OF_CHECKING,
];

export const BUSINESSES: readonly (readonly [name: string, mcc: string])[] = [
  ["Restaurant", "5812"],
  ["Gas Station", "5541"],
  ["Grocery Store", "5411"],
  ["Department Store", "5311"],
  ["Online Retailer", "5999"],
  ["Pharmacy", "5912"],
  ["Hotel", "7011"],
  ["Airline", "4511"],
  ["Bank", "6011"],
  ["Insurance", "6300"],
  ["Utility", "4900"],
  ["Subscription Service", "5968"],
  ["Healthcare", "8011"],
];
export const KYC_SHARES: readonly Share[] = [["verified", 80], ["pending", 15], ["rejected", 5]];
export const ONBOARDING_SHARES: readonly Share[] = [["web", 40], ["mobile", 35], ["branch", 15], ["partner", 10]];
export const EMPLOYMENTS: readonly string[] = ["employed", "self-employed", "unemployed", "retired", "student"];
export const CUSTOMER_TAGS: readonly string[] = ["high-value", "frequent-traveler", "tech-savvy", "price-sensitive", "loyalty-member"];
export const TRANSACTION_TAGS: readonly string[] = ["cross-border", "recurring", "first-time", "bulk"];
export const RISK_LEVELS: readonly string[] = ["low", "medium", "high", "critical"];
export const CHANNELS: readonly string[] = ["web", "mobile", "atm", "pos"];
export const SESSION_CHANNELS: readonly string[] = ["web", "mobile", "atm"];
export const DEVICE_TYPES: readonly string[] = ["desktop", "mobile", "tablet", "atm"];
export const NETWORKS: readonly string[] = ["Visa", "Mastercard", "Amex", "Discover"];
export const STATES: readonly string[] = "AZ CA CO FL GA IL MA MN NC NJ NY OH OR PA TX VA WA WI".split(" ");
export const CITIES: readonly string[] =
  ("Ashgrove,Bellhaven,Cold Spring,Dunmore,East Harbor,Fairmeadow,Glen Arbor,Highland Park,Irondale,Juniper Falls,Kingsbrook," +
    "Lakeview,Maple Ridge,North Fork,Oakdale,Pinecrest,Quarry Hill,Riverton,Silver Lake,Thornton,Union Gap,Valley View,West End," +
    "Yellow Pine").split(",");
/** The first one is where everybody is, as long as no others are wished. */
export const COUNTRIES: readonly string[] = "US CA MX BR GB FR DE ES IT NL SE PL TR ZA NG IN SG JP KR AU".split(" ");
export const AGENTS: readonly string[] = [
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
  "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
  "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
];
