/** Checks of aggregate calls: functions, filters, result types, faults. */
import assert from "node:assert/strict";
import type { Fault } from "../../src/data/fault.ts";
import { typeText } from "../../src/data/types.ts";
import { checkAggregate, type CheckedAggregate } from "../../src/expr/mod.ts";
import { faultText, scopeOf, sourceOf } from "./support.ts";

const scope = scopeOf({ amount: "decimal(2)", status: "string", n: "int?", at: "timestamp", late: "timestamp?", score: "double" });

function aggregate(text: string): { readonly checked: CheckedAggregate | null; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  return { checked: checkAggregate(sourceOf(text), scope, (fault) => faults.push(fault)), faults };
}

const TYPES: readonly (readonly [string, string])[] = [
  ["count()", "int"],
  ["count(status == 'approved')", "int"],
  ["sum(amount)", "decimal(2)"],
  ["sum(amount, status == 'approved')", "decimal(2)"],
  ["sum(n)", "int"],
  ["sum(amount * 0.10)", "decimal(4)"],
  ["min(amount)", "decimal(2)?"],
  ["max(at)", "timestamp?"],
  ["avg(amount, 4, 'half_even')", "decimal(4)?"],
  ["first(status)", "string?"],
  ["last(amount, n != null)", "decimal(2)?"],
  ["first_by(status, at)", "string?"],
  ["last_by(amount, late, late != null)", "decimal(2)?"],
  ["count_distinct(status)", "int"],
  ["counts(status)", "map<string, int>"],
  ["mode(status)", "string?"],
];
for (const [text, type] of TYPES) {
  Deno.test(`an aggregate has its result type: ${text}`, () => {
    const { checked, faults } = aggregate(text);
    assert.ok(checked !== null, faults.map(faultText).join("\n"));
    assert.equal(typeText(checked.type), type);
    assert.equal(checked.function, text.slice(0, text.indexOf("(")));
    assert.equal(checked.argument === undefined, checked.function === "count");
    assert.equal(checked.by !== undefined, checked.function.endsWith("_by"));
  });
}

const FAULTS: readonly (readonly [string, string])[] = [
  [
    "amount + 1.00",
    "1:8 expression-type: an aggregate is one call of an aggregate function [one call of count, sum, min, max, avg, first, last, first_by, last_by, count_distinct, counts, mode]",
  ],
  ["summ(amount)", "1:1 expression-type: an aggregate is one call of an aggregate function [did you mean sum(x[, filter])?]"],
  ["sum(status)", "1:5 expression-type: sum does not take string [usage: sum(x[, filter])]"],
  ["sum()", "1:1 expression-type: sum does not take 0 arguments [usage: sum(x[, filter])]"],
  ["avg(amount)", "1:1 expression-type: avg does not take 1 argument [usage: avg(x, places, mode[, filter])]"],
  [
    "avg(amount, 2, 'half')",
    "1:16 expression-number: there is no rounding mode 'half' [one of 'half_even', 'half_up', 'down', 'up', 'floor', 'ceil']",
  ],
  ["avg(score, 2, 'up')", "1:5 expression-type: avg does not take double [of doubles: avg(decimal(x, 6, 'half_even'), 2, 'half_even')]"],
  [
    "last_by(amount, late)",
    "1:17 expression-type: rows cannot be ordered by this (timestamp?) [leave such rows out with the filter: x != null]",
  ],
  ["count(amount)", "1:7 expression-type: this is decimal(2), bool is wished [a condition is wished: compare the decimal(2)]"],
  ["sum(amont)", '1:5 expression-name: there is no name "amont" here [did you mean amount?]'],
];
for (const [text, wished] of FAULTS) {
  Deno.test(`a wrong aggregate is explained: ${text}`, () => {
    const { checked, faults } = aggregate(text);
    assert.equal(checked, null);
    assert.equal(faults.map(faultText).join("\n"), wished);
  });
}

Deno.test("the filter narrows what the argument may rely on", () => {
  const { checked, faults } = aggregate("sum(n + 1, n != null)");
  assert.deepEqual(faults, []);
  assert.equal(checked?.argument?.type.nullable, false);
});
