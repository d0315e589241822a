/**
 * Lists that lie in columns: what loops make of them, against the same expressions over lists that were made; and that no list is made where
 * none need be.
 */
import assert from "node:assert/strict";
import type { Binding, ColumnList, ColumnMember } from "../../src/expr/contracts.ts";
import { EvaluationError } from "../../src/expr/contracts.ts";
import { compileToFunction } from "../../src/expr/evaluate.ts";
import { expressions } from "../../src/expr/mod.ts";
import { randomFrom } from "./oracle/generator.ts";
import { check, checkedOf, faultsOf, faultText, scopeOf } from "./support.ts";

const MEMBERS = {
  at: "timestamp",
  n: "int",
  d: "decimal(2)",
  nd: "decimal(2)?",
  s: "string?",
  t: "string",
  b: "bool",
  nb: "bool?",
  x: "double",
  l: "list<int>",
} as const;
const ROW = `struct{${Object.entries(MEMBERS).map(([name, type]) => `${name}: ${type}`).join(", ")}}`;
const VARIABLES = {
  h: `list<${ROW}>`,
  now: "timestamp",
  k: "int",
  m: "decimal(2)",
  str: "string",
  ns: "string?",
  nt: "timestamp?",
} as const;
const LETS = {
  since: "h.filter(e, e.at > now - duration('20s') && e.at <= now)",
  wide: "h.filter(q, q.n >= 0 && q.at >= now)",
} as const;
const scope = scopeOf({ ...VARIABLES, since: VARIABLES.h, wide: VARIABLES.h });

interface Row {
  readonly [member: string]: unknown;
}
interface Case {
  readonly rows: readonly Row[];
  /** A place that does not count, or -1. */
  readonly without: number;
  readonly values: Readonly<Record<string, unknown>>;
}

const TYPES = new Map(Object.keys(MEMBERS).map((name) => [name, checkedOf(`h[0].${name}`, scope).type]));

/** How generated code reads the columns; `without`: a place of theirs does not count. */
function columnsOf(without: "without" | "all"): ColumnList {
  const members = new Map([...TYPES].map(([name, type]): [string, ColumnMember] => {
    const values = `arrays.${name}`;
    if (type.kind === "string") return [name, { kind: "text", type, values, texts: `${values}_texts`, same: null }];
    if (type.kind === "list") return [name, { kind: "value", type, values }];
    return [name, { kind: "number", type, values, valid: type.nullable ? `${values}_valid` : null }];
  }));
  return { from: "arrays.from", to: "arrays.to", without: without === "all" ? null : "arrays.without", ascending: "at", members };
}

/** The rows as columns, among other rows which must not be seen. */
function arraysOf({ rows, without }: Case, dirt: Row): Record<string, unknown> {
  const all = [dirt, dirt, ...rows, dirt];
  // What is left out stands in its order all the same.
  if (without >= 0) all.splice(2 + without, 0, { ...dirt, at: (rows[without] ?? rows.at(-1) ?? dirt).at });
  const arrays: Record<string, unknown> = { from: 2, to: all.length - 1, without: without + 2 };
  for (const [name, { kind }] of TYPES) {
    const values = all.map((row) => row[name]);
    if (kind === "string") {
      const texts = [...new Set(values.filter((value) => value !== null))];
      arrays[name] = Int32Array.from(values, (value) => value === null ? -1 : texts.indexOf(value));
      arrays[`${name}_texts`] = {
        find: (text: string | null) => text === null ? -1 : texts.includes(text) ? texts.indexOf(text) : -2,
        at: (code: number) => code < 0 ? null : texts[code],
      };
    } else if (kind === "list") arrays[name] = values;
    else {
      arrays[name] = Float64Array.from(values, (value) => Number(value ?? 0));
      arrays[`${name}_valid`] = Uint8Array.from(values, (value) => value === null ? 0 : 1);
    }
  }
  return arrays;
}

/** The expression as a function of columns and variables; its code too. */
function compileOverColumns(text: string, list: ColumnList) {
  const unit = expressions.unit();
  const bindings = new Map<string, Binding>(Object.keys(VARIABLES).map((name) => [name, { code: `values.${name}` }]));
  const bound = { columns: list, stages: [] };
  bindings.set("h", { code: expressions.wholeList(bound, unit), list: bound });
  const locals: string[] = [];
  for (const [name, source] of Object.entries(LETS)) {
    const made = expressions.listOf(checkedOf(source, scope), bindings, unit, (hint, reset) => {
      const local = unit.local(hint);
      locals.push(`let ${local} = ${reset};`);
      return local;
    })!;
    bindings.set(name, { code: expressions.wholeList(made, unit), list: made });
  }
  const code = expressions.emit(checkedOf(text, scope), bindings, unit);
  const run = unit.build<(arrays: unknown, values: unknown) => unknown>(["arrays", "values"], `${locals.join("\n")}\nreturn ${code};`);
  return { run, code };
}

/** Expressions over `h`, and what to run them on, from one number. */
class Generator {
  readonly random: () => number;
  #depth = 0;

  constructor(seed: number) {
    this.random = randomFrom(seed);
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.random() * choices.length)];
  }

  expression(): string {
    const list = this.#list();
    const numbers = this.#pick(["e.n", "e.d", "e.d * m", "e.n + k", "e.n / k", "e.nd != null, e.nd", "e.x > 0.5, e.x", "e.b, e.n"]);
    const any = this.#pick([numbers, "e.at", "e.t", "e.s", "e.b", "e.nb", "e.nd", "e.l", "e.t + 'x'", "e.x", "e.at - now"]);
    const there = this.#pick(["e.at", "e.t", "e.b", "e.x", "e.n", "e.s != null, e.s", "e.nd != null, e.nd"]);
    const rounded = numbers.endsWith("e.x") ? "avg()" : "avg(2, 'half_up')";
    return this.#pick([
      () => `${list}.size()`,
      () => `${list}.map(e, ${numbers}).sum()`,
      () => `${list}.map(e, ${numbers}).${rounded}`,
      () => `${list}.map(e, ${there}).${this.#pick(["min", "max"])}()`,
      () => `${list}.map(e, ${any}).${this.#pick(["first", "last"])}()`,
      () => `${list}.map(e, ${any}).distinct().size()`,
      () => `${list}.map(e, ${any}).distinct()`,
      () => `${list}.${this.#pick(["exists", "all", "exists_one"])}(e, ${this.#test("e")})`,
      () => `${list}.map(e, ${any})`,
      () => list,
      () => `${list}.${this.#pick(["first", "last"])}()`,
      () => `${list}.map(e, e.n).map(q, q * 2).filter(q, q > k).sum()`,
      () => `${list}.map(e, e.t).exists(q, q == str)`,
      () => `${list}.map(e, e.n).exists(q, q / k > 1)`,
      () => `k in ${list}.map(e, e.n) || ${list}.size() > 3`,
    ])();
  }

  #list(): string {
    const base = this.#pick(["h", "h", "since", "wide"]);
    return this.random() < 0.6 ? `${base}.filter(e, ${this.#test("e")})` : base;
  }

  #test(e: string): string {
    this.#depth++;
    const deep = this.#depth < 4 && this.random() < 0.6;
    const test = deep
      ? this.#pick([
        () => `${this.#test(e)} && ${this.#test(e)}`,
        () => `(${this.#test(e)} || ${this.#test(e)})`,
        () => `!(${this.#test(e)})`,
      ])()
      : this.#atom(e);
    this.#depth--;
    return test;
  }

  #atom(e: string): string {
    const relation = this.#pick(["<", "<=", ">", ">="]);
    return this.#pick([
      `${e}.at ${relation} now`,
      `${e}.at ${relation} now - duration('10s')`,
      `now + duration('5s') ${relation} ${e}.at`,
      `now - ${e}.at ${relation} duration('7s')`,
      `(nt != null && ${e}.at ${relation} nt)`,
      `${e}.n ${relation} k`,
      `${e}.n / k > 1`,
      `${e}.d * m > 10.00`,
      `${e}.s == str`,
      `${e}.t != ns`,
      `${e}.s != null`,
      `(${e}.s != null && ${e}.s.startsWith('a'))`,
      `'b' == ${e}.t`,
      `${e}.s == ${e}.t`,
      `${e}.b`,
      `${e}.x > 0.5`,
      `(${e}.nd != null && ${e}.nd > m)`,
      `${e}.nb == null`,
      `${e}.l.exists(q, q == ${e}.n)`,
      `${e}.l.exists(q, q == k)`,
      `${e}.l.size() > 1`,
    ]);
  }

  case(): Case {
    const count = Math.floor(this.random() ** 2 * 40);
    const times = Array.from({ length: count }, () => Math.floor(this.random() * 40) * 1e6).sort((a, b) => a - b);
    const rows = times.map((at) => this.#row(at));
    const extreme = this.random() < 0.03;
    return {
      rows,
      without: this.random() < 0.2 ? Math.floor(this.random() * (count + 1)) : -1,
      values: {
        now: extreme ? -(2 ** 53 - 1) : Math.floor(this.random() * 45) * 1e6,
        k: this.#pick([0, 1, 2, 3, -1]),
        m: this.#pick([0, 100, 250, 2 ** 50]),
        str: this.#pick(["a", "b", "ab", "none"]),
        ns: this.#pick([null, "a", "b", "none"]),
        nt: this.#pick([null, 2e7]),
      },
    };
  }

  row(): Row {
    return this.#row(Math.floor(this.random() * 40) * 1e6);
  }

  #row(at: number): Row {
    return {
      at,
      n: this.#pick([0, 1, 2, 3, 4, 5, 2 ** 53 - 1]),
      d: this.#pick([0, 100, 205, 1000, 2 ** 52]),
      nd: this.#pick([null, 0, 150, 300]),
      s: this.#pick([null, "a", "ab", "b", "é"]),
      t: this.#pick(["a", "b", "c"]),
      b: this.random() < 0.5,
      nb: this.#pick([null, true, false]),
      x: this.#pick([0, 0.25, 0.75, NaN, -0, 1e300]),
      l: this.#pick([[], [1], [1, 2]]),
    };
  }
}

const shown = (value: unknown): string =>
  JSON.stringify(value, (_, item) => typeof item === "number" ? (Object.is(item, -0) ? "0" : String(item)) : item) ?? "undefined";

function outcome(run: () => unknown): string {
  try {
    return shown(run());
  } catch (error) {
    if (error instanceof EvaluationError) return "fails";
    throw error;
  }
}

/** Names that `lets` stand for, as variables of the expression over lists. */
function withLets(text: string): string {
  return text.replaceAll(/\b(since|wide)\b/g, (name) => `(${LETS[name as keyof typeof LETS]})`);
}

Deno.test("loops over columns give what lists give, on 40,000 expressions with rows", () => {
  const seed = 20_261_121;
  console.log(`seed ${seed}`);
  const generator = new Generator(seed);
  let compared = 0;
  let failed = 0;
  while (compared < 40_000) {
    const text = generator.expression();
    const { checked, faults } = check(text, scope);
    assert.ok(checked !== null, `${text}\n${faults.map(faultText).join("\n")}`);
    const slow = compileToFunction(checkedOf(withLets(text), scope));
    const fast = { all: compileOverColumns(text, columnsOf("all")), without: compileOverColumns(text, columnsOf("without")) };
    for (let i = 0; i < 20; i++, compared++) {
      const one = generator.case();
      const { run, code } = fast[one.without < 0 ? "all" : "without"];
      const expected = outcome(() => slow(new Map(Object.entries({ ...one.values, h: one.rows }))));
      const found = outcome(() => run(arraysOf(one, generator.row()), one.values));
      if (expected === "fails") failed++;
      if (found !== expected) assert.equal(found, expected, `${text}\n${code}\n${JSON.stringify(one)}`);
    }
  }
  console.log(`${compared} compared, ${failed} of them failing on both sides`);
  assert.ok(failed > 0.02 * compared && failed < 0.5 * compared, "failures and values both have to occur");
});

Deno.test("a chain of filters, maps and a sum is one call of one loop", () => {
  const code = (text: string) => compileOverColumns(text, columnsOf("all")).code;
  assert.equal(code("h.size()"), "(arrays.to - arrays.from)");
  assert.match(code("since.map(e, e.d).sum()"), /^sum\$\d+\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)$/);
  for (
    const text of ["since.map(e, e.d).sum()", "h.exists(e, e.t == str && e.at < now)", "h.filter(e, e.b).map(e, e.s).distinct().size()"]
  ) {
    assert.doesNotMatch(code(text), /=>|collect|\.map\(|\.filter\(/);
  }
});

Deno.test("a list that is never empty has a mean, a least and a last", () => {
  const type = scope.variables.get("h")!;
  const filled = { ...scope, variables: new Map([...scope.variables, ["h", { ...type, filled: true } as typeof type]]) };
  for (
    const text of [
      "h.map(e, e.d).avg(2, 'half_up') * 2",
      "h.map(e, e.n).min() + 1",
      "h.last().n + 1",
      "h.map(e, e.at).distinct().max() > now",
    ]
  ) {
    assert.equal(faultsOf(text, filled), "");
    assert.match(faultsOf(text, scope), /may be null/);
  }
  assert.match(faultsOf("h.filter(e, e.b).map(e, e.n).min() + 1", filled), /may be null/);
});

Deno.test("of a set, only its size and what is in it can be asked", () => {
  const sets = {
    ...scopeOf({ seen: "list<string>", other: "list<string>", old: "struct{seen: list<string>}" }),
    sets: new Set(["seen", "old.seen"]),
  };
  for (const text of ["seen.size() > 1", "'a' in seen", "'a' in old.seen && old.seen.size() == 0", "other.exists(x, x in seen)"]) {
    assert.equal(faultsOf(text, sets), "");
  }
  for (
    const text of [
      "seen",
      "seen.exists(x, x == 'a')",
      "seen[0] == 'a'",
      "seen.distinct().size()",
      "seen == other",
      "old.seen.first()",
      "seen + other",
    ]
  ) {
    assert.match(faultsOf(text, sets), /is a set of values, not a list/);
  }
});
