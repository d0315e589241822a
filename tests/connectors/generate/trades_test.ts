/** Generated trades, by the statements T-1 to T-6 of the workload. The ranges below are the specification's, not the generator's. */
import { recordGenerators } from "../../../src/connectors/generate/record_generators.ts";
import { createWriter, writtenText } from "../../../src/data/bytes.ts";

const START_MICROS = Date.UTC(2025, 8, 4, 23, 11, 55) * 1000;
const KEYS = [
  "transaction_id",
  "timestamp",
  "account_id",
  "transaction_type",
  "symbol",
  "quantity",
  "price",
  "total_amount",
  "currency",
  "exchange",
  "customer_segment",
];
/** Base low and high, lowest and highest price, in cents. */
const PRICES: Readonly<Record<string, readonly [number, number, number, number]>> = {
  AAPL: [15000, 20000, 14250, 21000],
  GOOGL: [250000, 300000, 237500, 315000],
  MSFT: [30000, 40000, 28500, 42000],
  AMZN: [300000, 400000, 285000, 420000],
  TSLA: [20000, 80000, 19000, 84000],
  NVDA: [40000, 60000, 38000, 63000],
  META: [20000, 35000, 19000, 36750],
  NFLX: [35000, 50000, 33250, 52500],
  BABA: [8000, 15000, 7600, 15750],
  AMD: [8000, 12000, 7600, 12600],
  UBER: [3000, 6000, 2850, 6300],
  SPOT: [10000, 20000, 9500, 21000],
  ZOOM: [10000, 20000, 9500, 21000],
  SQ: [6000, 12000, 5700, 12600],
  PYPL: [6000, 10000, 5700, 10500],
};
const QUANTITIES: Readonly<Record<string, readonly [number, number]>> = {
  RETAIL: [1, 100],
  VIP: [100, 1000],
  INSTITUTIONAL: [1000, 10000],
};

function lines(count: number, { seed = 1, profile = "utc", from = 0, everyMicros = 1e6, startMicros = START_MICROS } = {}): string[] {
  const sequence = recordGenerators.get("trades")!.sequence(profile, seed);
  const into = createWriter();
  for (let number = from; number < from + count; number++) sequence.write(number, startMicros + number * everyMicros, into);
  return writtenText(into).split("\n").slice(0, -1);
}

const cents = (text: string): number => {
  const match = /^(\d+)\.(\d)(\d?)$/.exec(text);
  if (!match) throw new Error(`${text} is not an amount with one or two decimals`);
  return Number(match[1]) * 100 + Number(match[2]) * 10 + Number(match[3] || "0");
};
const number = (line: string, key: string): string => new RegExp(`"${key}": ([0-9.]+)`).exec(line)![1];

function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

Deno.test("section 1: eleven keys in order, none null, ASCII, a blank behind each colon and comma", () => {
  for (const line of lines(2000)) {
    const record = JSON.parse(line) as Record<string, unknown>;
    assert(Object.keys(record).join() === KEYS.join(), line);
    assert(Object.values(record).every((value) => value !== null), line);
    assert(/^[\x20-\x7e]+$/.test(line), "not ASCII");
    // Apart from blanks and the digits of numbers this is what a library writes.
    const rebuilt = "{" + KEYS.map((key) => {
      const value = record[key];
      return `"${key}": ${typeof value === "number" && key !== "quantity" ? number(line, key) : JSON.stringify(value)}`;
    }).join(", ") + "}";
    assert(rebuilt === line, line);
    assert(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(record.transaction_id as string), line);
    assert(/^ACC_[1-9]\d{4}$/.test(record.account_id as string), line);
    assert(line.length + 1 >= 280 && line.length + 1 <= 325, `${line.length + 1} bytes`);
  }
});

Deno.test("section 1: times are what was asked for, without a fraction where it is zero, with or without a zone", () => {
  const times = (options: Parameters<typeof lines>[1]) => lines(3, options).map((line) => JSON.parse(line).timestamp as string);
  assert(
    times({ everyMicros: 454871 }).join() === "2025-09-04T23:11:55Z,2025-09-04T23:11:55.454871Z,2025-09-04T23:11:55.909742Z",
    times({ everyMicros: 454871 }).join(),
  );
  assert(times({ profile: "original" }).join() === "2025-09-04T23:11:55,2025-09-04T23:11:56,2025-09-04T23:11:57", "no zone");
  assert(times({ startMicros: Date.UTC(2024, 1, 29, 23, 59, 59) * 1000 + 1 }).join().endsWith("2024-03-01T00:00:01.000001Z"), "leap day");
});

Deno.test("T-1: amounts are in the shortest form, whole ones with one zero", () => {
  let whole = 0;
  for (const line of lines(20_000)) {
    for (const key of ["price", "total_amount"]) {
      const text = number(line, key);
      const value = cents(text) / 100;
      const shortest = String(value);
      assert(text === (Number.isInteger(value) ? `${shortest}.0` : shortest), `${key} ${text} is not the shortest form`);
      if (Number.isInteger(value)) whole++;
    }
  }
  assert(whole > 0, "no whole amount among them");
});

Deno.test("T-2, T-3: the total is price times quantity to the cent, two decimals in every currency", () => {
  const currencies = new Set<string>();
  for (const line of lines(20_000)) {
    assert(cents(number(line, "total_amount")) === cents(number(line, "price")) * Number(number(line, "quantity")), line);
    currencies.add(JSON.parse(line).currency);
  }
  assert([...currencies].sort().join() === "CAD,EUR,GBP,JPY,USD", [...currencies].join());
});

Deno.test("T-4: 20,000 records are spread as the specification says", () => {
  const counts = new Map<string, number>();
  const sums = new Map<string, { cents: number; count: number }>();
  for (const line of lines(20_000, { seed: 42 })) {
    const record = JSON.parse(line);
    for (const key of ["symbol", "transaction_type", "customer_segment", "currency", "exchange"]) {
      counts.set(`${key} ${record[key]}`, (counts.get(`${key} ${record[key]}`) ?? 0) + 1);
    }
    const price = cents(number(line, "price"));
    const [, , lowest, highest] = PRICES[record.symbol];
    assert(price >= lowest && price <= highest, `${record.symbol} at ${price}`);
    const [least, most] = QUANTITIES[record.customer_segment];
    assert(record.quantity >= least && record.quantity <= most, `${record.customer_segment} ${record.quantity}`);
    const sum = sums.get(record.symbol) ?? { cents: 0, count: 0 };
    sums.set(record.symbol, { cents: sum.cents + price, count: sum.count + 1 });
  }
  const near = (key: string, names: readonly string[], expected: number, tolerance: number): void => {
    for (const name of names) {
      const count = counts.get(`${key} ${name}`) ?? 0;
      assert(Math.abs(count - expected) <= tolerance, `${key} ${name}: ${count}`);
    }
  };
  near("symbol", Object.keys(PRICES), 1333, 180);
  near("transaction_type", ["BUY", "SELL", "TRANSFER"], 6667, 340);
  near("customer_segment", Object.keys(QUANTITIES), 6667, 340);
  near("currency", ["USD", "EUR", "GBP", "JPY", "CAD"], 4000, 290);
  near("exchange", ["NYSE", "NASDAQ", "CBOE", "AMEX"], 5000, 310);
  for (const [symbol, sum] of sums) {
    const middle = (PRICES[symbol][0] + PRICES[symbol][1]) / 2;
    assert(Math.abs(sum.cents / sum.count / middle - 1) <= 0.02, `${symbol}: mean ${sum.cents / sum.count}, middle ${middle}`);
  }
  assert(new Set(lines(20_000, { seed: 42 }).map((line) => JSON.parse(line).transaction_id)).size === 20_000, "ids are unique");
});

Deno.test("T-5: seed, start and rate give the same bytes, from any record on; another seed gives others", () => {
  const all = lines(500, { seed: 9 });
  assert(all.join() === lines(500, { seed: 9 }).join(), "not repeatable");
  for (const from of [1, 17, 499]) assert(lines(500 - from, { seed: 9, from }).join() === all.slice(from).join(), `from ${from}`);
  const others = new Set(lines(500, { seed: 10 }).map((line) => JSON.parse(line).transaction_id));
  assert(all.every((line) => !others.has(JSON.parse(line).transaction_id)), "seeds are told apart");
  const far = lines(1, { seed: 9, from: 2 ** 40, everyMicros: 0 })[0];
  assert(far !== lines(1, { seed: 9, from: 0, everyMicros: 0 })[0], "numbers past 2^32 are told apart");
});

Deno.test("T-6: the bytes are the same on every machine and in every version", () => {
  const expected = [
    '{"transaction_id": "af334425-c438-4379-afc6-c5e603824e44", "timestamp": "2025-09-04T23:11:55Z", "account_id": "ACC_81403", "transaction_type": "SELL", "symbol": "UBER", "quantity": 85, "price": 48.74, "total_amount": 4142.9, "currency": "JPY", "exchange": "NYSE", "customer_segment": "RETAIL"}',
    '{"transaction_id": "e2dfd886-be98-4c92-824b-f6cd57c1a9a0", "timestamp": "2025-09-04T23:11:56Z", "account_id": "ACC_36639", "transaction_type": "SELL", "symbol": "PYPL", "quantity": 770, "price": 83.25, "total_amount": 64102.5, "currency": "JPY", "exchange": "NYSE", "customer_segment": "VIP"}',
  ];
  assert(lines(2, { seed: 7 }).join("\n") === expected.join("\n"), lines(2, { seed: 7 }).join("\n"));
});
