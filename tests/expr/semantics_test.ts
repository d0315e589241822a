/** The definition, row by row: values, types, failures. */
import assert from "node:assert/strict";
import { typeText } from "../../src/data/types.ts";
import { type Binding, EvaluationError } from "../../src/expr/contracts.ts";
import { expressions } from "../../src/expr/mod.ts";
import { check, checkedOf, run, scopeOf, typeOf } from "./support.ts";

const MAX = Number.MAX_SAFE_INTEGER;
const scope = scopeOf({
  i: "int",
  d: "decimal(2)",
  e: "decimal(4)",
  x: "double",
  s: "string",
  b: "bool",
  n: "int?",
  nd: "decimal(2)?",
  ns: "string?",
  ts: "timestamp",
  day: "date",
  l: "list<int>",
  lns: "list<string?>",
  m: "map<string, int>",
  row: "struct{a: int, b: string?, inner: struct{c: decimal(2)}?}?",
});
const values = {
  i: 7,
  d: 150,
  e: 12345,
  x: 0.25,
  s: "naïve \u{1F600} text",
  b: true,
  n: null,
  nd: null,
  ns: null,
  ts: Date.UTC(2025, 0, 16, 23, 30, 5) * 1000 + 123456,
  day: 20104,
  l: [3, 1, 2, 3],
  lns: ["a", null],
  m: new Map([["k", 1]]),
  row: null,
};

/** text, type, value for the values above. */
const VALUES: readonly (readonly [string, string, unknown])[] = [
  // literals
  ["1", "int", 1],
  ["1.50", "decimal(2)", 150],
  ["-0.05", "decimal(2)", -5],
  ["1e3", "double", 1000],
  ["x < 0.5", "bool", true],
  ["x + 1.50", "double", 1.75],
  ["b ? 1 : 2.50", "decimal(2)", 100],
  ["[1, 2.5]", "list<decimal(1)>", [10, 25]],
  ["0x1F", "int", 31],
  // exact arithmetic
  ["i + d", "decimal(2)", 850],
  ["d + e", "decimal(4)", 27345],
  ["e - d", "decimal(4)", -2655],
  ["d * e", "decimal(6)", 1851750],
  ["d * 2", "decimal(2)", 300],
  ["-d", "decimal(2)", -150],
  ["0 * -5", "int", 0],
  ["d == 1.5", "bool", true],
  ["d < 1.5001", "bool", true],
  ["e > 1.23", "bool", true],
  // division
  ["7 / 2", "int", 3],
  ["-7 / 2", "int", -3],
  ["-7 % 2", "int", -1],
  ["9007199254740991 / 2", "int", 4503599627370495],
  ["d / 3 > 0.49", "bool", true],
  ["d / 3 == 0.5", "bool", true],
  ["d / -3 < 0", "bool", true],
  ["d / 3 > e / 2", "bool", false],
  ["round(d / 7, 4, 'half_even')", "decimal(4)", 2143],
  ["round(2.5, 0, 'half_even')", "decimal(0)", 2],
  ["round(-2.5, 0, 'half_up')", "decimal(0)", -3],
  ["round(1250, -2, 'half_even')", "int", 1200],
  ["round(1350.00, -2, 'half_even')", "decimal(0)", 1400],
  ["round(d, 4, 'down')", "decimal(4)", 15000],
  // conversions
  ["double(d) * x", "double", 0.375],
  ["decimal(x, 1, 'half_even')", "decimal(1)", 2],
  ["decimal(1.005e0, 2, 'half_up')", "decimal(2)", 101],
  ["decimal('12.345', 2, 'down')", "decimal(2)", 1234],
  ["decimal('12.3', 2)", "decimal(2)", 1230],
  ["decimal(i, 2)", "decimal(2)", 700],
  ["int(1.9e0)", "int", 1],
  ["int('42')", "int", 42],
  ["int(round(d, 0, 'up'))", "int", 2],
  ["string(d)", "string", "1.50"],
  ["string(-0.05)", "string", "-0.05"],
  ["string(ts)", "string", "2025-01-16T23:30:05.123456Z"],
  ["string(day)", "string", "2025-01-16"],
  ["string(duration('1h30m'))", "string", "5400s"],
  // null
  ["n == null", "bool", true],
  ["n == 3", "bool", false],
  ["n != 3", "bool", true],
  ["nd == 1", "bool", false],
  ["n != null && n > 3", "bool", false],
  ["n == null || n > 3", "bool", true],
  ["n != null ? n + 1 : 0", "int", 0],
  ["!(n == null) && n > 3", "bool", false],
  ["ns == 'US' && ns.size() == 2", "bool", false],
  ["coalesce(n, 5)", "int", 5],
  ["coalesce(n, nd, 5)", "decimal(2)", 500],
  ["coalesce(n, nd)", "decimal(2)?", null],
  ["row.a", "int?", null],
  ["row.inner.c", "decimal(2)?", null],
  ["row != null && row.a > 1", "bool", false],
  ["row.inner.c != null && row.a > 1 && row.inner.c > 1", "bool", false],
  ["has(row.b)", "bool", false],
  ["has(this.n)", "bool", false],
  ["has(m.k) && m.k == 1", "bool", true],
  // logic absorbs failures in either order
  ["1 / (i - 7) > 0 || true", "bool", true],
  ["b || 1 / (i - 7) > 0", "bool", true],
  ["1 / (i - 7) > 0 || b", "bool", true],
  ["1 / (i - 7) > 0 && !b", "bool", false],
  ["1 / (i - 7) > 0 && l[0] > 3", "bool", false],
  ["l.exists(v, 1 / (v - 1) == 0)", "bool", true],
  ["l.all(v, 1 / (v - 1) == 5)", "bool", false],
  // strings, in code points
  ["s.size()", "int", 12],
  ["s.substring(6, 7)", "string", "\u{1F600}"],
  ["s.substring(8)", "string", "text"],
  ["s.indexOf('text')", "int", 8],
  ["s.lastIndexOf('t')", "int", 11],
  ["s.charAt(6) < '\uFFFD'", "bool", false],
  ["'a,b,c'.split(',', 2)", "list<string>", ["a", "b,c"]],
  ["['a', 'b'].join('-')", "string", "a-b"],
  ["'aXbX'.replace('X', 'y', 1)", "string", "aybX"],
  ["' x '.trim() + upperAscii('é' + 'a')", "string", "xéA"],
  ["mask('123-45-6789', 4)", "string", "*******6789"],
  ["mask('é😀ab', 1)", "string", "***b"],
  ["mask('1234', 4) + mask('1234', 0) + mask('', 2) + mask('ab', -1)", "string", "**********"],
  ["sha256('abc')", "string", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ["sha256('é')", "string", "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"],
  ["s.contains('ï') && s.startsWith('na') && s.endsWith('ext')", "bool", true],
  // patterns
  ["'abc 12'.matches(r'\\d+')", "bool", true],
  ["extract('abc 12 34', r'\\d+')", "string?", "12"],
  ["extract('k=v', r'(\\w)=(\\w)', 2)", "string?", "v"],
  ["extract('abc', r'\\d')", "string?", null],
  ["extract('ab', r'(a)|(b)', 2)", "string?", null],
  ["'abc'.matches(s)", "bool", false],
  // numbers
  ["abs(-2.50)", "decimal(2)", 250],
  ["greatest(n, 2, 1.5)", "decimal(1)", 20],
  ["least(n, nd)", "decimal(2)?", null],
  ["clamp(i, n, 5)", "int", 5],
  ["clamp(i, 8, n)", "int", 8],
  ["clamp(i, null, null)", "int", 7],
  // lists and maps
  ["i in [1, 7]", "bool", true],
  ["d in [1, 1.5]", "bool", true],
  ["9007199254740991 in [0.5]", "bool", false],
  ["s in ['a', 'b', 'c', 'd', 'e', 'f', 'g']", "bool", false],
  ["'a' in lns", "bool", true],
  ["'k' in m", "bool", true],
  ["m['k'] + m.k", "int", 2],
  ["l[0] + l[-1 + 1]", "int", 6],
  ["get(m, 'z', 5)", "int", 5],
  ["get(l, 9, 1.5)", "decimal(1)", 15],
  ["l.filter(v, v > 1).map(v, v * 2)", "list<int>", [6, 4, 6]],
  ["lns.map(v, v != null, v.size())", "list<int>", [1]],
  ["l.exists_one(v, v == 1)", "bool", true],
  ["l.distinct().sort()", "list<int>", [1, 2, 3]],
  ["l.first() == 3 && l.last() == 3", "bool", true],
  ["[].sum()", "int", 0],
  ["l.filter(v, v > 9).max()", "int?", null],
  ["l.min()", "int?", 1],
  ["l.avg(2, 'half_up')", "decimal(2)?", 225],
  ["[9007199254740991, 1, -5].sum()", "int", 9007199254740987],
  ["[1.5, 2.25].sum()", "decimal(2)", 375],
  ["l + [4] == [3, 1, 2, 3, 4]", "bool", true],
  // time
  ["ts.getHours()", "int", 23],
  ["ts.getHours('Asia/Kolkata')", "int", 5],
  ["ts.getDate('+01:00')", "int", 17],
  ["ts.getFullYear() + ts.getMonth() + ts.getDayOfMonth()", "int", 2040],
  ["day.getDayOfWeek()", "int", 4],
  ["ts - duration('24h') < ts", "bool", true],
  ["ts - timestamp('2025-01-16T00:00:00Z') > duration('23h')", "bool", true],
  ["date(ts) == day", "bool", true],
  ["date(ts, '+01:00') - day == duration('24h')", "bool", true],
  ["timestamp(day) <= ts", "bool", true],
  ["day + duration('48h') == date('2025-01-18')", "bool", true],
  ["duration('90m').getMinutes()", "int", 90],
];
for (const [text, type, value] of VALUES) {
  Deno.test(`value: ${text}`, () => {
    const checked = checkedOf(text, scope);
    assert.equal(typeText(checked.type), typeText(typeOf(type)));
    assert.deepEqual(run(text, scope, values), value);
  });
}

/** text, code of the EvaluationError. */
const FAILURES: readonly (readonly [string, string])[] = [
  [`i + ${MAX}`, "overflow"],
  [`i * ${MAX}`, "overflow"],
  ["d * 9007199254740.99", "overflow"],
  ["1 / (i - 7)", "divisor_zero"],
  ["1 % (i - 7)", "divisor_zero"],
  ["round(d / (d - 1.5), 2, 'up')", "divisor_zero"],
  ["d / (d - 1.5) > 1", "divisor_zero"],
  ["l[i]", "index"],
  ["m['z']", "index"],
  ["m.z", "index"],
  ["s.substring(5, 50)", "index"],
  ["s.substring(3, 2)", "index"],
  ["int('4x')", "type"],
  ["decimal('1.005', 2)", "scale"],
  ["decimal(s, 2)", "type"],
  ["ts + duration('2500000h')", "range"],
  ["timestamp(s)", "type"],
  ["date(s)", "type"],
  ["[9007199254740991, i].sum()", "overflow"],
  ["l.all(v, 1 / (v - 1) >= 0)", "divisor_zero"],
  ["1 / (i - 7) > 0 && b", "divisor_zero"],
  ["'x'.matches(s + '(')", "pattern"],
  ["ts.getHours(s)", "zone"],
];
for (const [text, code] of FAILURES) {
  Deno.test(`failure: ${text}`, () => {
    assert.equal(checkedOf(text, scope).canFail, true);
    assert.throws(() => run(text, scope, values), (error) => error instanceof EvaluationError && error.code === code);
  });
}

Deno.test("storing widens without loss, and refuses what would lose digits or nulls", () => {
  const stored = (from: string, to: string, value: unknown) => {
    const unit = expressions.unit();
    return unit.build<(value: unknown) => unknown>(["value"], `return ${expressions.convert("value", typeOf(from), typeOf(to), unit)};`)(
      value,
    );
  };
  assert.equal(stored("int", "decimal(2)", 5), 500);
  assert.equal(stored("int?", "decimal(2)?", null), null);
  assert.equal(stored("decimal(2)", "decimal(2)?", 7), 7);
  assert.deepEqual(stored("list<int>", "list<decimal(1)>", [1, 2]), [10, 20]);
  assert.throws(() => stored("int", "decimal(2)", MAX), { code: "overflow" });
  assert.equal(check("i", scope, "decimal(2)").checked?.canFail, true);
  assert.equal(check("d", scope, "decimal(2)").checked?.canFail, false);
  assert.deepEqual(check("5", scope, "decimal(2)").checked?.constant, { value: 500 });
  assert.deepEqual(check("0.5", scope, "double").checked?.constant, { value: 0.5 });
  for (const [text, type] of [["e", "decimal(2)"], ["n", "int"], ["x", "decimal(2)"], ["d", "double"], ["s", "int"]]) {
    assert.equal(check(text, scope, type).checked, null);
  }
});

Deno.test("a condition tells what is not null when it holds and when it does not", () => {
  const facts = (text: string) => {
    const { whenTrue, whenFalse } = checkedOf(text, scope);
    return [[...whenTrue].sort(), [...whenFalse].sort()];
  };
  assert.deepEqual(facts("n == null"), [[], ["n"]]);
  assert.deepEqual(facts("n == null || ns == null"), [[], ["n", "ns"]]);
  assert.deepEqual(facts("!(n != null && ns != null)"), [[], ["n", "ns"]]);
  assert.deepEqual(facts("row.inner.c != null"), [["row", "row.inner", "row.inner.c"], []]);
  assert.deepEqual(facts("b ? n != null : false"), [["n"], []]);
  assert.deepEqual(facts("n != null || ns != null"), [[], []]);
});

Deno.test("a looked-up row is read field by field, and never made", () => {
  const checked = checkedOf("row != null && row.a > 1 && row.inner.c > 1.00 || row.b == 'x'", {
    ...scope,
    narrowed: new Set(["row.inner"]),
  });
  const unit = expressions.unit();
  const inner = { code: "neverMade()", fields: new Map([["c", { code: "column[2]" }]]) };
  const fields = new Map<string, Binding>([["a", { code: "column[0]" }], ["b", { code: "column[1]" }], ["inner", inner]]);
  const code = expressions.emit(checked, new Map([["row", { code: "neverMade()", isNull: "slot < 0", fields }]]), unit);
  assert.ok(!code.includes("neverMade"), code);
  const evaluate = unit.build<(slot: number, column: unknown[]) => boolean>(["slot", "column"], `return ${code};`);
  assert.deepEqual([evaluate(0, [2, null, 101]), evaluate(0, [2, "x", 100]), evaluate(-1, [null, null, null])], [true, true, false]);
});

Deno.test("a hot comparison is a few operations without a call", () => {
  const unit = expressions.unit();
  const bindings = new Map([["d", { code: "amounts[i]" }], ["e", { code: "limits[i]" }]]);
  const code = expressions.emit(checkedOf("2 * abs(d) >= e", scope), bindings, unit);
  assert.equal(
    code.replace(/\$\d+/g, ""),
    "((Math.abs(t = 2 * Math.abs(amounts[i]) + 0) <= 9007199254740991 ? t : overflow()) * 100 >= limits[i])",
  );
});
