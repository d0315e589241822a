/** What trades are drawn from; prices in cents. */

export const TYPES: readonly string[] = ["BUY", "SELL", "TRANSFER"];
export const CURRENCIES: readonly string[] = ["USD", "EUR", "GBP", "JPY", "CAD"];
export const EXCHANGES: readonly string[] = ["NYSE", "NASDAQ", "CBOE", "AMEX"];

/** Symbol, and least and greatest base price in cents. */
export const SYMBOLS: readonly (readonly [string, number, number])[] = [
  ["AAPL", 150_00, 200_00],
  ["GOOGL", 2500_00, 3000_00],
  ["MSFT", 300_00, 400_00],
  ["AMZN", 3000_00, 4000_00],
  ["TSLA", 200_00, 800_00],
  ["NVDA", 400_00, 600_00],
  ["META", 200_00, 350_00],
  ["NFLX", 350_00, 500_00],
  ["BABA", 80_00, 150_00],
  ["AMD", 80_00, 120_00],
  ["UBER", 30_00, 60_00],
  ["SPOT", 100_00, 200_00],
  ["ZOOM", 100_00, 200_00],
  ["SQ", 60_00, 120_00],
  ["PYPL", 60_00, 100_00],
];

/** Segment, and least and greatest quantity. */
export const SEGMENTS: readonly (readonly [string, number, number])[] = [
  ["RETAIL", 1, 100],
  ["VIP", 100, 1000],
  ["INSTITUTIONAL", 1000, 10000],
];

/** Bounds of the factor on the base price, in millionths. */
export const FACTOR_LEAST = 950_000;
export const FACTOR_MOST = 1_050_000;
