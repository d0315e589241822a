import { deepEqual, equal, throws } from "node:assert/strict";
import type { Plain } from "../support/settings.ts";
import { decide } from "../../src/transforms/decide.ts";
import { batchOf, Collected, Lane, lines, planOf, run, table } from "./support.ts";

type Settings = { readonly [name: string]: Plain };
const events = table(`
  id int | account string | amount decimal(2) | note string?
  1 | a | 5.00 | null
  2 | b | 7.00 | x
  3 | a | 6.00 | null
  4 | a | 1.00 | y
`);
const TOTAL = { state: { total: { as: "decimal(2)", initial: "0.00" } }, key: "account" };
const decided = (settings: Settings, inputs = [events], more = {}) => run(decide, { inputs, settings, ...more });

Deno.test("a value state runs per key and emit reads it after the update, old before", () => {
  const settings = {
    ...TOTAL,
    otherwise: { update: { total: "total + amount" } },
    emit: { id: "id", total: "total", before: "old.total" },
  };
  equal(decided(settings).text, "1 | 5.00 | 0.00\n2 | 7.00 | 0.00\n3 | 11.00 | 5.00\n4 | 12.00 | 11.00");
});

Deno.test("updates of one table are simultaneous", () => {
  const state = { a: { as: "int", initial: "1" }, b: { as: "int", initial: "2" } };
  const settings = { key: "account", state, otherwise: { update: { a: "b", b: "a + b" } }, emit: { a: "a", b: "b" } };
  equal(decided(settings).text, "2 | 3\n2 | 3\n3 | 5\n5 | 8");
});

Deno.test("before changes states ahead of lets and rules, after_rules behind them", () => {
  const settings = {
    key: "account",
    state: { seen: { as: "int", initial: "0" }, last: { as: "string?", initial: "null" } },
    before: { seen: "seen + 1" },
    let: { nth: "seen * 10" },
    rules: [{ code: "second", when: "seen == 2", set: { tag: "'second'" } }],
    otherwise: { set: { tag: "'other'" } },
    after_rules: { last: "tag", seen: "seen + 100" },
    emit: { nth: "nth", tag: "tag", seen: "seen", last: "last", was: "old.last" },
  };
  equal(
    decided(settings, [table("account string\na\na\na")]).text,
    lines(`
    10 | other | 101 | other | null
    1020 | other | 202 | other | other
    2030 | other | 303 | other | other
  `),
  );
});

Deno.test("first: the first rule that holds fires; its own set and update stand before those of matched", () => {
  const settings: Settings = {
    ...TOTAL,
    rules: [
      { code: "small", when: "amount < 2.00" },
      { code: "big", when: "amount > 6.00", set: { status: "'own'" }, update: { total: "-1.00" } },
      { code: "never", when: "amount > 6.50" },
    ],
    matched: { set: { status: "'matched ' + code" }, update: { total: "total + 1.00" } },
    otherwise: { code: "fine", set: { status: "code" }, update: { total: "total + amount" } },
    emit: { id: "id", status: "status", code: "code", total: "total" },
  };
  equal(
    decided(settings).text,
    lines(`
    1 | fine | fine | 5.00
    2 | own | big | -1.00
    3 | fine | fine | 11.00
    4 | matched small | small | 12.00
  `),
  );
});

Deno.test("last: the last rule that holds fires", () => {
  const rules = [{ code: "any", when: "true", points: 1 }, { code: "large", when: "amount >= 6.00", points: 2 }, {
    code: "b",
    when: "account == 'b'",
    points: 3,
  }];
  equal(decided({ match: "last", rules, emit: { code: "code", points: "points" } }).text, "any | 1\nb | 3\nlarge | 2\nany | 1");
});

Deno.test("all: every rule that holds fires in order, with their points and the states the ones before it left", () => {
  const settings: Settings = {
    ...TOTAL,
    match: "all",
    rules: [
      { code: "large", when: "amount > 5.00", points: 30, update: { total: "total + 1.00" } },
      { code: "b", when: "account == 'b'", points: 12, update: { total: "total * 2" }, set: { note: "'is b'" } },
    ],
    otherwise: { update: { total: "total - 1.00" } },
    emit: { matched: "matched", points: "points", total: "total", note: "note" },
  };
  equal(decided(settings).text, "[] | 0 | -1.00 | null\n[large, b] | 42 | 2.00 | is b\n[large] | 30 | 0.00 | null\n[] | 0 | -1.00 | y");
});

Deno.test("all: matched_points has the points of each code that fired", () => {
  const rules = [{ code: "large", when: "amount > 5.00", points: 30 }, { code: "b", when: "account == 'b'", points: 12 }];
  const emit = { large: "get(matched_points, 'large', 0)", b: "get(matched_points, 'b', 0)", all: "matched_points.size()" };
  equal(decided({ match: "all", rules, emit }).text, "0 | 0 | 0\n30 | 12 | 2\n30 | 0 | 1\n0 | 0 | 0");
});

Deno.test("all: a name that no rule may set is null there", () => {
  const rules = [{ code: "b", when: "account == 'b'", set: { group: "1" } }];
  equal(decided({ match: "all", rules, emit: { group: "group" } }).text, "null\n1\nnull\nnull");
});

Deno.test("emit_when false gives no row but keeps the state", () => {
  const settings = {
    ...TOTAL,
    otherwise: { update: { total: "total + amount" } },
    emit_when: "total > 8.00",
    emit: { id: "id", total: "total" },
  };
  equal(decided(settings).text, "3 | 11.00\n4 | 12.00\nfiltered 2");
});

Deno.test("where skips a row before anything of it is looked at, and the port skipped has it", () => {
  const settings = {
    ...TOTAL,
    where: "note == null",
    otherwise: { update: { total: "total + amount" } },
    emit: { id: "id", total: "total" },
  };
  const out = decided(settings);
  equal(out.text, "1 | 5.00\n3 | 11.00\nfiltered 2");
  deepEqual(out.ports.get("skipped"), ["2 | b | 7.00 | x", "4 | a | 1.00 | y"]);
});

Deno.test("a record rejected in any stage changes no state", () => {
  const failing = "(amount == 6.00 ? 1 / (id - id) : 1)";
  const base = { ...TOTAL, otherwise: { update: { total: "total + amount" } }, emit: { id: "id", total: "total" } };
  const expected = "1 | 5.00\n2 | 7.00\n4 | 6.00\nrejected 3: divisor_zero";
  const stages: Settings[] = [
    { ...base, where: `${failing} == 1` },
    { ...base, let: { x: failing }, rules: [{ code: "never", when: "x != 1" }] },
    { ...base, rules: [{ code: "never", when: `${failing} != 1` }] },
    { ...base, state: { ...TOTAL.state, other: { as: "int", initial: "0" } }, before: { other: failing } },
    { ...base, state: { ...TOTAL.state, other: { as: "int", initial: "0" } }, after_rules: { other: failing } },
    { ...base, emit_when: `${failing} == 1` },
    { ...base, otherwise: { ...base.otherwise, set: { x: failing } } },
  ];
  for (const settings of stages) equal(decided(settings).text, expected, JSON.stringify(settings));
  equal(
    decided({ ...base, emit: { ...base.emit, x: failing } }).text,
    "1 | 5.00 | 1\n2 | 7.00 | 1\n4 | 6.00 | 1\nrejected 3: divisor_zero",
  );
});

Deno.test("a total beyond 2^53 rejects the record and leaves the total", () => {
  const rows = table("account string | amount int\na | 9007199254740990\na | 5\na | 1");
  const settings = {
    key: "account",
    state: { total: { as: "int", initial: "0" } },
    otherwise: { update: { total: "total + amount" } },
    emit: { total: "total" },
  };
  equal(decided(settings, [rows]).text, "9007199254740990\n9007199254740991\nrejected 2: overflow");
});

Deno.test("the first value of a state may come from a look-up, and may reject the key's first record only", () => {
  const tables = { limits: { key: "account", rows: table("account string | size int\na | 0\nb | 2") } };
  const settings = {
    key: "account",
    lookup: { own: "limits[account]" },
    state: { share: { as: "int?", initial: "own != null ? 10 / own.size : null" } },
    otherwise: { update: { share: "share != null ? share + 1 : null" } },
    emit: { id: "id", share: "share" },
  };
  equal(
    decided(settings, [events], { tables }).text,
    "2 | 6\nrejected 1: divisor_zero\nrejected 3: divisor_zero\nrejected 4: divisor_zero",
  );
});

Deno.test("states hold texts, bools and lists, and int widens into a decimal state", () => {
  const settings = {
    key: "account",
    state: {
      text: { as: "string", initial: "'-'" },
      flag: { as: "bool?", initial: "null" },
      sum: { as: "decimal(2)", initial: "0" },
      list: { as: "list<int>", initial: "[0]" },
    },
    otherwise: { update: { text: "text + string(id)", flag: "amount > 5.50", sum: "sum + id", list: "[id]" } },
    emit: { text: "text", flag: "flag", sum: "sum", list: "list", was: "old.flag" },
  };
  equal(
    decided(settings).text,
    "-1 | false | 1.00 | [1] | null\n-2 | true | 2.00 | [2] | null\n-13 | true | 4.00 | [3] | false\n-134 | false | 8.00 | [4] | true",
  );
});

Deno.test("a name set by branches has one type with the larger scale, and null where one gives null", () => {
  const rules = [{ code: "a", when: "account == 'a'", set: { rate: "1.5", label: "null" } }];
  const settings = { rules, otherwise: { set: { rate: "0.125", label: "'b'" } }, emit: { rate: "rate", label: "label" } };
  equal(decided(settings).text, "1.500 | null\n0.125 | b\n1.500 | null\n1.500 | null");
});

Deno.test("without emit: the record with what was set in its place, then the new names", () => {
  const rules = [{ code: "a", when: "account == 'a'", set: { size: "1", note: "'set'" } }];
  equal(
    decided({ rules, otherwise: { set: { size: 2 } } }).text,
    "1 | a | 5.00 | set | 1\n2 | b | 7.00 | x | 2\n3 | a | 6.00 | set | 1\n4 | a | 1.00 | set | 1",
  );
});

Deno.test("emit copies the record first, replaces in place, and dotted keys make objects in place", () => {
  const emit = { "box.id": "id", "...": true, amount: "amount * 2", "box.deep.account": "account", tail: "1", "box.note": "note" };
  const { plan } = planOf(decide, { inputs: [events], settings: { emit } });
  deepEqual(plan!.outputs.get("out")!.fields.map((f) => f.name), ["id", "account", "amount", "note", "box", "tail"]);
  equal(
    decided({ emit, where: "id < 3" }).text,
    lines(`
    1 | a | 10.00 | null | {id: 1, deep: {account: a}, note: null} | 1
    2 | b | 14.00 | x | {id: 2, deep: {account: b}, note: x} | 1
    filtered 2
  `),
  );
});

Deno.test("a later rule knows that earlier conditions failed, otherwise that all did", () => {
  const settings = {
    rules: [{ code: "none", when: "note == null", set: { size: "0" } }, {
      code: "long",
      when: "note.size() > 1",
      set: { size: "note.size()" },
    }],
    otherwise: { set: { size: "note.size() * 10" } },
    emit: { size: "size" },
  };
  equal(decided(settings).text, "0\n10\n0\n10");
});

Deno.test("lets are evaluated only where something reads them", () => {
  const settings = {
    let: { bad: "1 / (id - id)", unused: "1 / (id - id)" },
    rules: [{ code: "b", when: "account == 'b' && bad == 1" }],
    emit: { id: "id" },
  };
  equal(decided(settings).text, "1\n3\n4\nrejected 2: divisor_zero");
});

Deno.test("a long chain of lets that read each other twice stays small code", () => {
  const chain = Object.fromEntries(Array.from({ length: 24 }, (_, i) => [`v${i}`, i === 0 ? "id % 2" : `v${i - 1} > 0 ? v${i - 1} : 0`]));
  equal(decided({ let: chain, emit: { last: "v23" } }).text, "1\n0\n1\n0");
});

Deno.test("a state begun from a looked-up row is known where the row is; a null beside a row that came later is refused", () => {
  const settings = {
    key: "account",
    lookup: { own: "limits[account]" },
    state: { n: { as: "int?", initial: "own.start" } },
    rules: [{ code: "unknown", when: "own == null" }],
    otherwise: { update: { n: "n + 1" } },
    emit: { n: "n", code: "code" },
  };
  const planWith = (rows: string) => {
    const tables = { limits: { key: "account", rows: table(`account string | start int\n${rows}`) } };
    return planOf(decide, { inputs: [events], settings, tables }).plan!;
  };
  const out = new Collected();
  const lane = new Lane(planWith("a | 1"));
  lane.operator.process(0, batchOf(events, "in0", 0, 2), out);
  lane.recover(planWith("a | 1\nb | 1"));
  lane.operator.process(0, batchOf(events, "in0", 0, 2), out);
  equal(out.text, "2 | null\nnull | unknown\n3 | null\nrejected 2: null:n");
});

Deno.test("stored state of another type or another key is refused, never misread", () => {
  const planWith = (key: string, as: string) => {
    return planOf(decide, { inputs: [events], settings: { key, state: { total: { as, initial: "0" } }, emit: { total: "total" } } }).plan!;
  };
  for (const other of [planWith("account", "decimal(3)"), planWith("account", "int"), planWith("note", "decimal(2)")]) {
    const lane = new Lane(planWith("account", "decimal(2)"));
    lane.operator.process(0, batchOf(events, "in0", 0, 2), new Collected());
    throws(() => lane.recover(other), { code: "state_incompatible" });
  }
});

Deno.test("the lane owner is the key's field; without state there is none", () => {
  const keyedBy = (settings: Settings) => planOf(decide, { inputs: [events], settings }).plan!.keyedBy;
  equal(keyedBy(TOTAL), "account");
  equal(keyedBy({ ...TOTAL, key: "account + 'x'" }), "*");
  equal(keyedBy({ key: "account" }), null);
});

Deno.test("needs are the fields that stages read and those passed on that somebody wants", () => {
  const settings = { ...TOTAL, otherwise: { update: { total: "total + amount" } }, emit: { "...": true, total: "total" } };
  const { plan } = planOf(decide, { inputs: [events], settings });
  deepEqual([...plan!.needs(new Map([["out", new Set(["id", "total"])]]))[0]], ["id", "account", "amount"]);
  deepEqual([...plan!.needs(new Map([["out", new Set(["total"])], ["skipped", new Set(["note"])]]))[0]], ["account", "amount", "note"]);
});

Deno.test("a let hands on what its condition told about null", () => {
  const settings = {
    let: { known: "note != null && note.size() > 0", missing: "!known" },
    rules: [{ code: "long", when: "known ? note.size() > 1 : false" }, { code: "missing", when: "missing" }],
    otherwise: { set: { size: "known ? note.size() : 0" } },
    matched: { set: { size: "missing ? -1 : note.size()" } },
    emit: { size: "size", code: "code" },
  };
  equal(decided(settings).text, "-1 | missing\n1 | null\n-1 | missing\n1 | null");
});

Deno.test("a text that may be null is a key and looks up like any other, null included", () => {
  const people = table("id string | name string\na | Ada\nb | Bob");
  const rows = table("who string? | n int\na | 1\nnull | 2\nb | 3\nnull | 4\na | 5\nc | 6");
  const settings: Settings = {
    key: "who",
    lookup: { person: "people[who]" },
    state: { total: { as: "int", initial: "0" } },
    otherwise: { update: { total: "total + n" } },
    emit: { who: "who", name: "person.name", total: "total", there: "who != null" },
  };
  for (const cut of [{ rowsMax: 10 }, { rowsMax: 1, recovers: () => true }]) {
    equal(
      run(decide, { inputs: [rows], settings, tables: { people: { key: "id", rows: people } } }, cut).text,
      lines(`
        a | Ada | 1 | true
        null | null | 2 | false
        b | Bob | 3 | true
        null | null | 6 | false
        a | Ada | 6 | true
        c | null | 6 | true
      `),
    );
  }
});

Deno.test("a number that may be null is null or that number wherever it is read, kept and given, 0 included", () => {
  const limits = table("id string | most decimal(1)?\na | 0.0\nb | null");
  const rows = table("who string | x decimal(1)?\na | 1.5\na | null\na | 0.0\nb | null\nb | 2.0\nc | 3.0\nc | 3.0");
  const rules: Settings[] = [
    { code: "none", when: "last == null", update: { last: "x" } },
    { code: "same", when: "x != null && x == last", update: { twin: "last", last: "null" } },
    { code: "gone", when: "x == null", update: { last: "x", twin: "twin == null ? 7.00 : null" } },
  ];
  const settings: Settings = {
    key: "who",
    lookup: { limit: "limits[who]" },
    state: { last: { as: "decimal(2)?", initial: "limit.most" }, twin: { as: "decimal(2)?", initial: "null" } },
    rules: rules.map((rule): Settings => ({ ...rule, set: { sign: "code" } })),
    otherwise: { set: { sign: "'more'" }, update: { last: "last + x" } },
    emit: { sign: "sign", last: "last", twin: "twin", was: "old.last", most: "limit.most", both: "last != null && twin != null" },
  };
  for (const cut of [{ rowsMax: 10 }, { rowsMax: 1, recovers: () => true }]) {
    equal(
      run(decide, { inputs: [rows], settings, tables: { limits: { key: "id", rows: limits } } }, cut).text,
      lines(`
        more | 1.50 | null | 0.00 | 0.0 | false
        gone | null | 7.00 | 1.50 | 0.0 | false
        none | 0.00 | 7.00 | null | 0.0 | true
        none | null | null | null | null | false
        none | 2.00 | null | null | null | false
        none | 3.00 | null | null | null | false
        same | null | 3.00 | 3.00 | null | false
      `),
    );
  }
});
