/** What a decide remembers besides values: lists taken whole, sets and their bounds, records that find no room, and what must not check. */
import { deepEqual, equal, match } from "node:assert/strict";
import { decide } from "../../src/transforms/decide.ts";
import { type Plain } from "../support/settings.ts";
import { faultsOf, lines, planOf, run, table } from "./support.ts";

type Settings = { readonly [name: string]: Plain };
const visits = table(`
  id int | account string | shop string? | at timestamp | amount decimal(2) | paid bool?
  1 | a | x | 1000 | 5.00 | true
  2 | a | y | 3000 | 7.00 | null
  3 | b | x | 2000 | 1.00 | false
  4 | a | x | 2000 | 6.00 | true
  5 | a | null | 9000 | 2.00 | false
  6 | a | z | 4000 | 3.00 | true
`);
const LAST_TWO = {
  type: "history",
  keep: { count: 2 },
  fields: { id: "id", shop: "shop", paid: "paid", twice: "amount * 2", all: "[id, id + 1]" },
};
const BY_TIME = { type: "history", time: "at", keep: { for: 3 }, fields: { at: "at", id: "id" } };
const decided = (settings: Settings, more = {}) => run(decide, { inputs: [visits], settings: { key: "account", ...settings }, ...more });

Deno.test("a history can be taken whole: a list of structs, with the record and without it", () => {
  const settings = {
    state: { last: LAST_TWO },
    emit: { now: "last", before: "old.last.map(e, e.id)", first: "last[0].shop", all: "last.last().all" },
  };
  for (const cut of [{ rowsMax: 10 }, { rowsMax: 1, recovers: () => true }]) {
    const { plan } = planOf(decide, { inputs: [visits], settings: { key: "account", ...settings } });
    equal(plan!.outputs.get("out")!.fields[0].type.kind, "list");
    equal(
      run(decide, { inputs: [visits], settings: { key: "account", ...settings } }, cut).text,
      lines(`
        [{id: 1, shop: x, paid: true, twice: 10.00, all: [1, 2]}] | [] | x | [1, 2]
        [{id: 1, shop: x, paid: true, twice: 10.00, all: [1, 2]}, {id: 2, shop: y, paid: null, twice: 14.00, all: [2, 3]}] | [1] | x | [2, 3]
        [{id: 3, shop: x, paid: false, twice: 2.00, all: [3, 4]}] | [] | x | [3, 4]
        [{id: 2, shop: y, paid: null, twice: 14.00, all: [2, 3]}, {id: 4, shop: x, paid: true, twice: 12.00, all: [4, 5]}] | [1, 2] | y | [4, 5]
        [{id: 4, shop: x, paid: true, twice: 12.00, all: [4, 5]}, {id: 5, shop: null, paid: false, twice: 4.00, all: [5, 6]}] | [2, 4] | x | [5, 6]
        [{id: 5, shop: null, paid: false, twice: 4.00, all: [5, 6]}, {id: 6, shop: z, paid: true, twice: 6.00, all: [6, 7]}] | [4, 5] | null | [6, 7]
      `),
    );
  }
});

Deno.test("a history by time lies in its order; lateness keeps more; a record too late for it is seen by no other", () => {
  const settings = { state: { day: BY_TIME }, emit: { id: "id", day: "day.map(e, e.id)" } };
  equal(decided(settings).text, "1 | [1]\n2 | [1, 2]\n3 | [3]\n4 | [1, 4, 2]\n5 | [5]\n6 | [6, 5]");
  equal(
    decided(settings, { latenessMicros: 5000 }).text,
    "1 | [1]\n2 | [1, 2]\n3 | [3]\n4 | [1, 4, 2]\n5 | [1, 4, 2, 5]\n6 | [1, 4, 2, 6, 5]",
  );
  const older = { state: { day: { ...BY_TIME, keep: { for: 3, older: 1 } } }, emit: settings.emit };
  equal(decided(older).text, "1 | [1]\n2 | [1, 2]\n3 | [3]\n4 | [1, 4, 2]\n5 | [2, 5]\n6 | [2, 6, 5]");
});

Deno.test("a history by time has room for `most`; one more is refused and leaves no trace", () => {
  const settings = { state: { day: { ...BY_TIME, keep: { for: 100 }, most: 3 } }, emit: { id: "id", size: "day.size()" } };
  equal(decided(settings).text, "1 | 1\n2 | 2\n3 | 1\n4 | 3\nrejected 5: full:day\nrejected 6: full:day");
});

Deno.test("a set counts different values exactly, knows who was there, and leaves null out", () => {
  const settings = {
    state: { shops: { type: "distinct", of: "shop" } },
    emit: { id: "id", size: "shops.size()", before: "size(old.shops)", again: "shop != null && shop in old.shops", x: "'x' in shops" },
  };
  for (const cut of [{ rowsMax: 10 }, { rowsMax: 1, recovers: () => true }]) {
    equal(
      run(decide, { inputs: [visits], settings: { key: "account", ...settings } }, cut).text,
      lines(`
        1 | 1 | 0 | false | true
        2 | 2 | 1 | false | true
        3 | 1 | 0 | false | true
        4 | 2 | 2 | true | true
        5 | 2 | 2 | false | true
        6 | 3 | 2 | false | true
      `),
    );
  }
});

Deno.test("beyond `most` a new value is refused, or not counted where `beyond` says so; known ones pass", () => {
  const state = (beyond: string) => ({ shops: { type: "distinct", of: "shop", most: 1, beyond } });
  const emit = { id: "id", size: "shops.size()" };
  equal(decided({ state: state("reject"), emit }).text, "1 | 1\n3 | 1\n4 | 1\n5 | 1\nrejected 2: full:shops\nrejected 6: full:shops");
  equal(decided({ state: state("saturate"), emit }).text, "1 | 1\n2 | 1\n3 | 1\n4 | 1\n5 | 1\n6 | 1");
});

Deno.test("a set of numbers and one of bools keep their types", () => {
  const state = { amounts: { type: "distinct", of: "amount" }, kinds: { type: "distinct", of: "paid" } };
  const emit = { n: "amounts.size()", five: "5.00 in amounts", p: "kinds.size()", yes: "true in kinds" };
  equal(
    decided({ state, emit }).text,
    "1 | true | 1 | true\n2 | true | 1 | true\n1 | false | 1 | false\n3 | true | 1 | true\n4 | true | 2 | true\n5 | true | 2 | true",
  );
});

Deno.test("a record that fails anywhere is in no history and no set", () => {
  const settings = {
    state: { last: LAST_TWO, day: { ...BY_TIME, keep: { for: 100 } }, shops: { type: "distinct", of: "shop" } },
    emit: { id: "id", last: "last.map(e, e.id)", day: "day.map(e, e.id)", shops: "shops.size()", fails: "10 / (id - 2)" },
  };
  equal(
    decided(settings).text,
    lines(`
      1 | [1] | [1] | 1 | -10
      3 | [3] | [3] | 1 | 10
      4 | [1, 4] | [1, 4] | 1 | 5
      5 | [4, 5] | [1, 4, 5] | 1 | 3
      6 | [5, 6] | [1, 4, 6, 5] | 2 | 2
      rejected 2: divisor_zero
    `),
  );
});

Deno.test("a row that emit_when drops is remembered, one that where skips is not", () => {
  const settings = {
    where: "id != 2",
    state: { last: { ...LAST_TWO, keep: { count: 9 } } },
    emit_when: "id > 4",
    emit: { last: "last.map(e, e.id)" },
  };
  const out = decided(settings);
  equal(out.ports.get("out")!.join("\n"), "[1, 4, 5]\n[1, 4, 5, 6]");
  deepEqual([out.counts.filtered, out.ports.get("skipped")!.length], [4, 1]);
});

Deno.test("points and codes go into nested objects; an object that is there or not is null where it is not", () => {
  const settings = {
    match: "all",
    rules: [{ code: "big", points: 30, when: "amount > 5.00" }, { code: "late", points: 5, when: "at > ago" }],
    let: { ago: "at - duration('1us')" },
    emit_when: "points > 20 || matched.exists(code, code in ['late'])",
    emit: { id: "id", "found.codes": "matched", "found.points": "double(points)", "found.shop": "shop", "found.at.micros": "at" },
  };
  equal(
    decided(settings).ports.get("out")!.slice(0, 2).join("\n"),
    "1 | {codes: [late], points: 5, shop: x, at: {micros: 1000}}\n2 | {codes: [big, late], points: 35, shop: y, at: {micros: 3000}}",
  );
});

Deno.test("faults of histories and sets say what is wrong and what to write", () => {
  const faults = (state: Plain, more: Settings = {}) =>
    faultsOf(decide, { inputs: [visits], settings: { key: "account", state: { s: state }, ...more } }).join("\n");
  const fields = { at: "at", shop: "shop" };
  for (
    const [state, expected] of [
      [{ type: "history", fields }, /history "s" needs a bound/],
      [{ type: "history", keep: { count: 1 } }, /history "s" keeps nothing/],
      [{ type: "history", keep: {}, fields }, /either a `count` of records or `for` how long/],
      [{ type: "history", keep: { count: 1, for: 5 }, fields }, /either a `count` of records or `for` how long/],
      [{ type: "history", keep: { for: 5 }, fields }, /does not know the time of its records.*time = "at"/],
      [{ type: "history", time: "when", keep: { for: 5 }, fields }, /has no member "when"/],
      [{ type: "history", time: "shop", keep: { for: 5 }, fields }, /"shop" is string\?.*timestamp that is always there/],
      [{ type: "history", time: "at", keep: { count: 5 }, fields }, /`time` goes with keep = \{ for/],
      [{ type: "history", keep: { count: 5, older: 1 }, fields }, /`older` goes with `for`/],
      [{ type: "history", keep: { count: 5 }, fields, most: 7 }, /`count` says how many are kept already/],
      [{ type: "history", keep: { count: 5 }, fields, initial: "0" }, /`initial` says nothing of a history.*type = "value"/],
      [{ type: "history", keep: { count: 5 }, fields: { "a.b": "id" } }, /"a\.b" is not the name of a member/],
      [{ type: "history", keep: { count: 5 }, fields: { m: "{'a': 1}" } }, /cannot keep a map<string, int>/],
      [{ type: "value", as: "int", initial: "0", of: "shop" }, /`of` says nothing of a value/],
      [{ type: "distinct" }, /set "s" needs the value that it collects/],
      [{ type: "distinct", of: "[id]" }, /cannot be a list<int>/],
    ] as const
  ) match(faults(state), expected);
  const known = { type: "history", keep: { count: 5 }, fields };
  match(
    faults(known, { before: { s: "1" } }),
    /there is no state "s" to update \(records enter a history, and values a set, by themselves\)/,
  );
  match(faults(known, { emit: { x: "s.map(e, e.shop.size())" } }), /may be null/);
  match(faults(known, { emit: { x: "s.map(e, e.nothing)" } }), /there is no field "nothing"/);
  match(faults({ type: "distinct", of: "shop" }, { emit: { x: "s" } }), /is a set of values, not a list/);
  const noKey = faultsOf(decide, { inputs: [visits], settings: { state: { s: known } } }).join("\n");
  match(noKey, /there is no `key`/);
});
