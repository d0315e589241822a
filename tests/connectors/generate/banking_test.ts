/** Generated payments, by the statements B-1 to B-3 of the workload. Lists and bounds below are the specification's, not the generator's. */
import assert from "node:assert/strict";
import { recordGenerators } from "../../../src/connectors/generate/record_generators.ts";
import { createWriter, writtenText } from "../../../src/data/bytes.ts";

const START_MICROS = Date.UTC(2026, 1, 21, 12, 34, 56) * 1000;
const LISTS: Readonly<Record<string, readonly string[]>> = {
  merchant: ["Amazon", "Tesco", "Starbucks", "Uber", "Deliveroo", "Netflix"],
  category: ["Shopping", "Food", "Transport", "Entertainment", "Bills"],
  location: ["London", "Manchester", "Birmingham", "Leeds", "Bristol"],
  status: ["completed", "pending", "failed"],
};
const KEYS = ["transaction_id", "timestamp", "user_id", "merchant", "category", "amount", "currency", "location", "status"];

function lines(count: number, { seed = 1, profile = "original", from = 0, everyMicros = 1e6, startMicros = START_MICROS } = {}): string[] {
  const sequence = recordGenerators.get("banking")!.sequence(profile, seed);
  const into = createWriter();
  for (let number = from; number < from + count; number++) sequence.write(number, startMicros + number * everyMicros, into);
  return writtenText(into).split("\n").slice(0, -1);
}
type Payment = Readonly<Record<string, string | number>>;
const parsed = (line: string) => JSON.parse(line) as Payment;
const pence = (line: string): number => {
  const match = /"amount": (\d+)\.(\d)(\d?),/.exec(line);
  assert.ok(match, `${line} has an amount of one or two decimals`);
  return Number(match[1]) * 100 + Number(match[2]) * 10 + Number(match[3] || "0");
};

Deno.test("B-1: amounts are printed in their shortest form, and a record has its nine keys in order, with blanks", () => {
  const form =
    /^\{"transaction_id": "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", "timestamp": "2026-02-\d\dT\d\d:\d\d:\d\d(\.\d{6})?", "user_id": \d{4}, "merchant": "[A-Z][a-z]+", "category": "[A-Z][a-z]+", "amount": [1-9]\d{0,3}\.(\d[1-9]|\d), "currency": "GBP", "location": "[A-Z][a-z]+", "status": "[a-z]+"\}$/;
  for (const line of lines(5000, { everyMicros: 333_333 })) {
    assert.match(line, form);
    const payment = parsed(line);
    assert.deepEqual(Object.keys(payment), KEYS);
    assert.equal(
      String(pence(line) / 100).includes(".") ? String(payment.amount) : `${payment.amount}.0`,
      /"amount": ([\d.]+)/.exec(line)![1],
    );
    for (const [key, words] of Object.entries(LISTS)) assert.ok(words.includes(payment[key] as string), `${key} ${payment[key]}`);
  }
  assert.match(lines(1)[0], /"timestamp": "2026-02-21T12:34:56", /);
  assert.match(lines(1, { startMicros: START_MICROS + 45 })[0], /"timestamp": "2026-02-21T12:34:56\.000045", /);
});

Deno.test("B-2: 20,000 records are as evenly spread as the specification wants, for several seeds", () => {
  for (const seed of [1, 2, 2026, 2 ** 40 + 7]) {
    const records = lines(20_000, { seed });
    const payments = records.map(parsed);
    const within = (key: string, wished: number, tolerance: number) => {
      for (const word of LISTS[key]) {
        const count = payments.filter((payment) => payment[key] === word).length;
        assert.ok(Math.abs(count - wished) <= tolerance, `seed ${seed}: ${word} ${count}`);
      }
    };
    within("merchant", 3333, 270);
    within("category", 4000, 290);
    within("location", 4000, 290);
    within("status", 6667, 340);
    const amounts = records.map(pence);
    const mean = amounts.reduce((sum, amount) => sum + amount, 0) / amounts.length / 100;
    assert.ok(Math.abs(mean - 1000.5) <= 21, `seed ${seed}: mean ${mean}`);
    assert.ok(amounts.every((amount) => amount >= 100 && amount <= 200_000));
    const users = payments.map((payment) => payment.user_id as number);
    assert.ok(users.every((user) => Number.isInteger(user) && user >= 1000 && user <= 5000));
  }
  const many = lines(60_000);
  assert.equal(new Set(many.map((line) => parsed(line).user_id)).size, 4001, "all users are possible");
  assert.equal(new Set(many.map((line) => parsed(line).transaction_id)).size, many.length);
  const ends = new Set(lines(900_000).map(pence).filter((amount) => amount === 100 || amount === 200_000));
  assert.equal(ends.size, 2, "both ends are possible");
});

Deno.test("B-3: the same seed, start and rate give the same bytes, from any number on; another seed gives others", () => {
  const all = lines(500, { seed: 7 });
  assert.deepEqual(lines(100, { seed: 7, from: 400 }), all.slice(400));
  assert.notDeepEqual(lines(500, { seed: 8 }).map(pence), all.map(pence));
  assert.equal(new Set([...all, ...lines(500, { seed: 8 })].map((line) => parsed(line).transaction_id)).size, 1000);
});

Deno.test("B-3: the profile `coherent` ties merchants to what they sell, and draws the rest alike", () => {
  const plausible: Readonly<Record<string, readonly string[]>> = {
    Amazon: ["Shopping", "Entertainment"],
    Tesco: ["Food", "Shopping"],
    Starbucks: ["Food"],
    Uber: ["Transport", "Food"],
    Deliveroo: ["Food"],
    Netflix: ["Entertainment", "Bills"],
  };
  const found = new Map<string, Set<string>>();
  for (const payment of lines(5000, { profile: "coherent" }).map(parsed)) {
    const { merchant, category } = payment as { merchant: string; category: string };
    assert.ok(plausible[merchant].includes(category), `${merchant} sells ${category}`);
    found.set(merchant, (found.get(merchant) ?? new Set()).add(category));
  }
  for (const [merchant, categories] of Object.entries(plausible)) assert.equal(found.get(merchant)?.size, categories.length);
  const odd = lines(5000).map(parsed).some(({ merchant, category }) => merchant === "Netflix" && category === "Transport");
  assert.ok(odd, "by default merchant and category are drawn apart");
});

Deno.test("B-3: the bytes are the same on every machine and in every version", () => {
  assert.deepEqual(lines(2, { seed: 22 }), [
    '{"transaction_id": "a0f79f2c-ea34-4611-89b6-3a2691954ff8", "timestamp": "2026-02-21T12:34:56", "user_id": 4252, "merchant": "Tesco", "category": "Shopping", "amount": 277.61, "currency": "GBP", "location": "Manchester", "status": "failed"}',
    '{"transaction_id": "a85f40ec-510e-4922-9564-d63452784ec8", "timestamp": "2026-02-21T12:34:57", "user_id": 2813, "merchant": "Deliveroo", "category": "Food", "amount": 67.22, "currency": "GBP", "location": "London", "status": "pending"}',
  ]);
});
