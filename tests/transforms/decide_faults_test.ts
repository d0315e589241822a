/** What a decide refuses before any record comes, and how it says so. */
import { equal } from "node:assert/strict";
import type { Plain } from "../support/settings.ts";
import { decide } from "../../src/transforms/decide.ts";
import { faultsOf, run, table } from "./support.ts";

type Settings = { readonly [name: string]: Plain };
const events = table(`
  id int | account string | amount decimal(2) | note string?
  1 | a | 5.00 | null
`);
const TOTAL = { state: { total: { as: "decimal(2)", initial: "0.00" } }, key: "account" };

Deno.test("faults of a decide say what is wrong, where, and what to do", () => {
  const fault = (settings: Settings, input = events) => faultsOf(decide, { inputs: [input], settings })[0];
  const cases: [Settings, string][] = [
    [{ state: TOTAL.state }, 'state:1 state is kept by key, and there is no `key` (say whose state it is: key = "account_id")'],
    [
      { key: "account", state: { past: { type: "history", keep: { count: 100 } } } },
      'state.past:1 history "past" keeps nothing (say what of each record: fields = { at = "created_at", amount = "amount" })',
    ],
    [
      { key: "account", state: { x: { as: "money", initial: "0" } } },
      'state.x.as:1 "money" is not a type (write a type, for example as = "decimal(2)?"; a list is list<string>)',
    ],
    [
      { key: "account", state: { x: { as: "int" } } },
      'state.x:1 state "x" needs its first value (initial = "0", or "null" with a type that ends in ?)',
    ],
    [
      { key: "account", state: { note: { as: "int", initial: "0" } } },
      'state.note:1 "note" is already a field or a look-up (give the state another name)',
    ],
    [
      { ...TOTAL, otherwise: { update: { totl: "1.00" } } },
      'otherwise.update.totl:1 there is no state "totl" to update (did you mean "total"?)',
    ],
    [
      { otherwise: { update: { total: "1.00" } } },
      'otherwise.update.total:1 there is no state "total" to update (declare it: [transforms.node.state.total])',
    ],
    [
      { ...TOTAL, otherwise: { set: { total: "1.00" } } },
      'otherwise.set.total:1 "total" is already a state, a let or a look-up (`set` gives values to new names or to fields; a state changes in `update`)',
    ],
    [
      { rules: [{ code: "a", when: "true", set: { x: 1 } }] },
      'rules:1 `otherwise` does not set `x`, which other branches set (every branch sets the same names: add x to its `set`, "null" where there is no value)',
    ],
    [
      { rules: [{ code: "a", when: "true" }], otherwise: { set: { x: 1 } } },
      'rules:1 rule "a" does not set `x`, which other branches set (every branch sets the same names: add x to its `set`, "null" where there is no value)',
    ],
    [
      { rules: [{ code: "a", when: "true", set: { x: 1 } }], otherwise: { set: { x: "'1'" } } },
      "rules:1 `x` gets values of different types: int, string (all branches give one type; int and decimal go together)",
    ],
    [
      { rules: [{ code: "a", when: "true" }, { code: "a", when: "false" }] },
      'rules[1].code:1 two rules have the code "a" (a code names one rule: reports count by it)',
    ],
    [{ emit: { "...": "false" } }, 'emit....:1 "..." takes `true` (leave "..." out to emit only the named fields)'],
    [
      { emit: { "...": true, "note.x": "id" } },
      'emit.note.x:1 "note.x" is both a value and an object (emit either the whole or its members)',
    ],
    [{ emit: { a: "1", "b.c": "1", b: "2" } }, 'emit.b:1 "b" is both a value and an object (emit either the whole or its members)'],
    [{ key: "[id]" }, "key:1 the key cannot be a list<int> (keys are int, decimal, string, bool, timestamp, date or duration)"],
  ];
  for (const [settings, expected] of cases) equal(fault(settings), expected);
});

Deno.test("emit of an unknown name is a fault at its place", () => {
  equal(
    faultsOf(decide, { inputs: [events], settings: { emit: { a: "amont" } } })[0].split(" (")[0],
    'emit.a:1 there is no name "amont" here',
  );
});

Deno.test("a field named like what rules give is ambiguous only where it is read", () => {
  const input = table("code string | points int\nx | 1");
  equal(run(decide, { inputs: [input], settings: { emit: { "...": true } } }).text, "x | 1");
  equal(
    faultsOf(decide, { inputs: [input], settings: { emit: { c: "code" } } })[0],
    'emit.c:1 "code" is both a field of the record and what the rules gave (rename the field in a map before)',
  );
});

Deno.test("a state is not tied to a look-up when its key is not the state's, or when an update may give null", () => {
  const tables = { limits: { key: "account", rows: table("account string | start int\na | 1") } };
  const base = {
    key: "account",
    state: { n: { as: "int?", initial: "own.start" } },
    rules: [{ code: "unknown", when: "own == null" }],
    emit: { n: "n" },
  };
  const cases: Settings[] = [
    { ...base, lookup: { own: "limits[account + '']" }, key: "id", otherwise: { update: { n: "n + 1" } } },
    { ...base, lookup: { own: "limits[account]" }, otherwise: { update: { n: "id > 3 ? null : n + 1" } } },
  ];
  for (const settings of cases) equal(faultsOf(decide, { inputs: [events], tables, settings })[0].includes("n may be null (int?)"), true);
});

Deno.test("what conditions told about null is forgotten where the value has changed since", () => {
  const fault = (settings: Settings) => faultsOf(decide, { inputs: [events], settings })[0].split(" may be null")[0];
  const set = { otherwise: { set: { note: "amount > 5.50 ? null : note" } }, emit: { size: "note.size()" } };
  equal(fault({ ...set, where: "note != null" }), "emit.size:1 note");
  equal(fault({ ...set, let: { known: "note != null" }, emit: { size: "known ? note.size() : 0" } }), "emit.size:9 note");
  const state = { key: "account", state: { last: { as: "int?", initial: "1" } } };
  const later = { otherwise: { update: { last: "null" } }, emit: { next: "known ? last + 1 : 0" } };
  equal(fault({ ...state, ...later, let: { known: "last != null" } }), "emit.next:9 last");
  const rules = [{ code: "a", when: "true", update: { last: "null" } }, { code: "b", when: "last != null", update: { last: "last + 1" } }];
  equal(fault({ ...state, match: "all", rules }), "rules[1].update.last:1 last");
});
