import { deepEqual, equal } from "node:assert/strict";
import { dedupe } from "../../src/transforms/dedupe.ts";
import { faultsOf, lines, planOf, run, table } from "./support.ts";

const payments = table(`
  id int | account string | maybe int? | ok bool
  1 | a | 1 | true
  1 | a | 1 | true
  1 | b | null | false
  2 | a | 2 | true
  1 | b | 3 | true
`);

Deno.test("the first record of a key passes and repeats go to the port duplicates", () => {
  const out = run(dedupe, { inputs: [payments], settings: { key: "id" } });
  equal(out.text, "1 | a | 1 | true\n2 | a | 2 | true\nduplicates 3");
  deepEqual(out.ports.get("duplicates"), ["1 | a | 1 | true", "1 | b | null | false", "1 | b | 3 | true"]);
});

Deno.test("within compares only records of the same group", () => {
  equal(
    run(dedupe, { inputs: [payments], settings: { key: "id", within: "account" } }).text,
    lines(`
    1 | a | 1 | true
    1 | b | null | false
    2 | a | 2 | true
    duplicates 2
  `),
  );
});

Deno.test("text and bool keys and computed keys", () => {
  equal(run(dedupe, { inputs: [payments], settings: { key: "ok" } }).text, "1 | a | 1 | true\n1 | b | null | false\nduplicates 3");
  equal(
    run(dedupe, { inputs: [payments], settings: { key: "account + string(id)" } }).text,
    "1 | a | 1 | true\n1 | b | null | false\n2 | a | 2 | true\nduplicates 2",
  );
});

Deno.test("a record that where drops, or whose key fails, is not remembered", () => {
  equal(
    run(dedupe, { inputs: [payments], settings: { where: "ok", key: "id", within: "account" } }).text,
    lines(`
    1 | a | 1 | true
    2 | a | 2 | true
    1 | b | 3 | true
    filtered 1
    duplicates 1
  `),
  );
  equal(
    run(dedupe, { inputs: [payments], settings: { key: "10 / (id - 1)" } }).text,
    lines(`
    2 | a | 2 | true
    rejected 1: divisor_zero
    rejected 2: divisor_zero
    rejected 3: divisor_zero
    rejected 5: divisor_zero
  `),
  );
});

Deno.test("the lane owner is the field of within, else of the key, else all rows meet", () => {
  const keyedBy = (settings: Parameters<typeof run>[1]["settings"]) => planOf(dedupe, { inputs: [payments], settings }).plan!.keyedBy;
  equal(keyedBy({ key: "id", within: "account" }), "account");
  equal(keyedBy({ key: "id" }), "id");
  equal(keyedBy({ key: "id + 1" }), "*");
});

Deno.test("faults of a dedupe", () => {
  const faults = (settings: Parameters<typeof run>[1]["settings"]) => faultsOf(dedupe, { inputs: [payments], settings });
  deepEqual(faults({ key: "maybe" }), [
    'key:1 the key may be null, and records without a key cannot be told apart (pass on only those that have one: where = "maybe != null")',
  ]);
  deepEqual(faults({ key: "[id]" }), [
    "key:1 the key cannot be a list<int> (keys are int, decimal, string, bool, timestamp, date or duration)",
  ]);
  deepEqual(faults({ key: "id", keep: { count: 5, for: "1m" } }), [
    'keep:1 `keep` says either `for` how long or the `count` of keys (keep = { for = "10m" })',
  ]);
});
