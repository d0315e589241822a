/** The generated data: reproducible, in the promised form, and sharp enough to notice every change of a rule or switch. */
import assert from "node:assert/strict";
import { generators } from "../../../src/connectors/generate/mod.ts";
import { type Inputs, oracle, RULES, type Rules } from "../../oracle/cards.ts";
import { filesOf } from "../../oracle/expected_files.ts";
import { PROFILES, type Switches } from "../../oracle/switches.ts";
import { readCsv, readJsonLines } from "../../oracle/text.ts";

const cards = generators.get("cards")!;

function generate(options: { customers: number; transactions: number; seed: number }): Map<string, string> {
  const decoder = new TextDecoder();
  return new Map(
    cards.generate(options).map(({ name, chunks }) => [name, [...chunks].map((chunk) => decoder.decode(chunk, { stream: true })).join("")]),
  );
}
function inputsOf(files: ReadonlyMap<string, string>): Inputs {
  const csv = (name: string) => readCsv(files.get(`${name}.csv`)!);
  return { customers: csv("customers"), cards: csv("cards"), transactions: csv("transactions") };
}
const committed = generate(cards.defaults);
const small = generate({ customers: 45, transactions: 300, seed: 7 });
const large = generate({ customers: 400, transactions: 6000, seed: 1234 });

Deno.test("datasets/cards is what the generator gives with its defaults", () => {
  const folder = new URL("../../../datasets/cards/", import.meta.url);
  const names = [...Deno.readDirSync(folder)].map((entry) => entry.name).filter((name) => name !== "README.md");
  assert.deepEqual(names.toSorted(), [...committed.keys()].toSorted());
  for (const [name, text] of committed) assert.equal(Deno.readTextFileSync(new URL(name, folder)), text, name);
});

Deno.test("the same options give the same bytes, another seed others", () => {
  const options = { customers: 60, transactions: 500, seed: 5 };
  assert.deepEqual(generate(options), generate(options));
  assert.notEqual(generate(options).get("transactions.csv"), generate({ ...options, seed: 6 }).get("transactions.csv"));
});

Deno.test("sizes are as asked, with and without room for the edge cases", () => {
  for (const [customers, transactions] of [[1, 0], [3, 10], [44, 200], [60, 800], [500, 2500]]) {
    const files = generate({ customers, transactions, seed: 3 });
    assert.equal(readCsv(files.get("customers.csv")!).length, customers);
    assert.equal(readCsv(files.get("transactions.csv")!).length, transactions);
  }
});

Deno.test("every file has CRLF line ends and quotes only where needed", () => {
  for (const [name, text] of large) {
    if (!name.endsWith(".csv")) continue;
    assert.equal(text.match(/(?<!\r)\n/g), null, name);
    for (const quoted of text.match(/(?<=^|,)"(?:[^"]|"")*"/gm) ?? []) assert.match(quoted, /[,"]./, name);
  }
});

Deno.test("card numbers look like card numbers and are plainly made up", () => {
  const numbers = readCsv(large.get("cards.csv")!).map((record) => "fields" in record ? String(record.fields.get("card_number")) : "");
  for (const number of numbers) assert.match(number, /^[3-6]000-0000-\d{4}-\d{4}$/);
  assert.equal(new Set(numbers).size, numbers.length);
});

Deno.test("the counts in datasets/cards/README.md are those of its files", () => {
  const text = Deno.readTextFileSync(new URL("../../../datasets/cards/README.md", import.meta.url)).replace(/ +/g, " ");
  const inputs = inputsOf(committed);
  const [strict, aware] = [oracle(inputs, PROFILES["strict-zip"]), oracle(inputs, PROFILES["refund-aware"])];
  const count = (reasons: readonly string[], reason: string) => reasons.filter((other) => other === reason).length;
  for (
    const [label, reason] of [
      ["passed", ""],
      ...["unknown_card", "unknown_customer", "sign", "half", "zip", "limit"].map((r) => [`\`${r}\``, r]),
    ]
  ) {
    const line = `| ${label} | ${count(strict.reasons, reason)} | ${count(aware.reasons, reason)} |`;
    assert.ok(text.includes(line), line);
  }
  const { read, accepted, rejected, duplicates } = strict.counts;
  const payments = `| \`transactions.csv\` | ${read} | ${accepted} accepted, ${rejected} refused, ${duplicates} repeats of an earlier id |`;
  assert.ok(text.includes(payments), payments);
  assert.ok(text.includes(`| \`cards.csv\` | ${inputs.cards.length} |`), "cards");
});

/** Each bends exactly one rule or switch. */
const bentRules: readonly (readonly [string, Partial<Rules>])[] = [
  ["without half", { half: () => false }],
  ["half with > instead of >=", { half: (amount, limit) => 2n * (amount < 0n ? -amount : amount) > limit }],
  ["half without the absolute value", { half: (amount, limit) => 2n * amount >= limit }],
  ["half a cent later", { half: (amount, limit) => 2n * ((amount < 0n ? -amount : amount) - 1n) >= limit }],
  ["without zip", { zipsDiffer: () => false }],
  ["zip by two digits", { zipsDiffer: (here, home) => here.slice(0, 2) !== home.slice(0, 2) }],
  ["without limit", { overLimit: () => false }],
  ["limit with >= instead of >", { overLimit: (pending, amount, limit) => pending + amount >= limit }],
  ["ties half up", { tieGoesUp: () => true }],
  ["ties half down", { tieGoesUp: () => false }],
  ...[10n, 20n, 30n, 50n, 70n].map((bound): readonly [string, Partial<Rules>] => [
    `usage bound ${bound} exclusive`,
    { usageWithin: (balance, percent, limit) => percent === bound ? 100n * balance < percent * limit : 100n * balance <= percent * limit },
  ]),
  ...[10n, 20n, 30n, 50n, 70n].map((bound): readonly [string, Partial<Rules>] => [
    `usage bound ${bound} a cent higher`,
    { usageWithin: (balance, percent, limit) => 100n * (percent === bound ? balance - 1n : balance) <= percent * limit },
  ]),
];
const turnedSwitches: readonly Partial<Switches>[] = [
  { order: "given" },
  { sign_rule: true },
  { zip_extract: "first_five" },
  { zip_extract: "last_five" },
  { zip_missing: "skip" },
  { unknown_customer: "skip" },
  { credits_bypass_limit: true },
  { negative_usage: "keep" },
  { cardless_customers: "keep" },
  { row_order: "input" },
  { posting: "twice" },
  { score_min: 300n },
  { score_max: 850n },
  { limit_min_cents: 50000n },
];

for (const [name, files] of [["datasets/cards", committed], ["300 payments", small], ["6000 payments", large]] as const) {
  const inputs = inputsOf(files);
  const texts = (switches: Switches, rules: Rules) => [...filesOf(oracle(inputs, switches, rules)).values()].join();
  const strict = texts(PROFILES["strict-zip"], RULES);
  Deno.test(`${name}: bending any rule changes a row`, () => {
    for (const [bent, rules] of bentRules) assert.notEqual(texts(PROFILES["strict-zip"], { ...RULES, ...rules }), strict, bent);
  });
  Deno.test(`${name}: turning any switch changes a row`, () => {
    for (const turned of turnedSwitches) {
      assert.notEqual(texts({ ...PROFILES["strict-zip"], ...turned }, RULES), strict, JSON.stringify(Object.values(turned).map(String)));
    }
    const credits = { ...PROFILES["refund-aware"], credit_types: ["refund"] };
    assert.notEqual(texts(credits, RULES), texts(PROFILES["refund-aware"], RULES), "credit_types");
  });
  Deno.test(`${name}: five payments are refused, three are repeats, every reason occurs`, () => {
    const strict = oracle(inputs, PROFILES["strict-zip"]);
    assert.deepEqual(strict.rejects.map((reject) => reject.code), [
      "type:amount",
      "type:amount",
      "type:amount",
      "scale:amount",
      "type:timestamp",
    ]);
    assert.equal(strict.counts.duplicates, 3);
    assert.deepEqual([...new Set(strict.reasons)].toSorted(), ["", "half", "limit", "unknown_card", "unknown_customer", "zip"]);
    assert.ok(oracle(inputs, PROFILES["refund-aware"]).reasons.includes("sign"));
  });
}

Deno.test("malformed.ndjson has a record for each reject code of a message", () => {
  const { customers, cards } = inputsOf(committed);
  const transactions = readJsonLines(committed.get("malformed.ndjson")!);
  const result = oracle({ customers, cards, transactions }, PROFILES["strict-zip"]);
  assert.deepEqual([...new Set(result.rejects.map((reject) => reject.code))].toSorted(), [
    "json",
    "missing:amount",
    "missing:timestamp",
    "scale:amount",
    "type:amount",
    "type:card_id",
    "type:merchant_name",
    "type:timestamp",
  ]);
  assert.deepEqual(result.counts, { read: 28, rejected: 17, duplicates: 1, accepted: 10 });
});
