/**
 * Well-typed expressions from one number. Invariant: every text checks, but for products with too many decimals, rounded quotients of ints and comprehensions nested too deep. Nullable
 * variables are used where a condition made them safe, and as operands of what takes null.
 */

/** The variables of generated expressions: type notation by name. The oracle reads from d..., nd, ld and e... that they are decimals. */
export const VARIABLES: Readonly<Record<string, string>> = {
  i: "int",
  j: "int",
  d1: "decimal(1)",
  d2: "decimal(2)",
  d4: "decimal(4)",
  s: "string",
  t: "string",
  b: "bool",
  ni: "int?",
  nd: "decimal(2)?",
  ns: "string?",
  li: "list<int>",
  ld: "list<decimal(2)>",
};

/** mulberry32: small, fast, the same on every machine. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 4294967296;
  };
}

const MODES = ["half_even", "half_up", "down", "up", "floor", "ceil"];
const TEXTS = ["''", "'a'", "'Ab'", "'zz é'", "'\u{1F600}x'", "'\uFFFDq'"];

export class Generator {
  readonly #random: () => number;
  /** Nullable variables that a condition around this place made safe. */
  #safe: readonly string[] = [];
  #items: readonly { readonly name: string; readonly type: "int" | "decimal" }[] = [];
  constructor(random: () => number) {
    this.#random = random;
  }

  expression(depth: number): string {
    return this.#pick([() => this.#bool(depth), () => this.#int(depth), () => this.#number(depth), () => this.#text(depth)])();
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)];
  }
  #with<T>(name: string, make: () => T): T {
    const before = this.#safe;
    this.#safe = [...before, name];
    try {
      return make();
    } finally {
      this.#safe = before;
    }
  }
  #inside<T>(name: string, type: "int" | "decimal", make: () => T): T {
    const before = this.#items;
    this.#items = [...before, { name, type }];
    try {
      return make();
    } finally {
      this.#items = before;
    }
  }

  #int(depth: number): string {
    const leaves = [
      () => String(this.#pick([0, 1, 2, 3, 7, 10, 100, 4503599627370496, 9007199254740991])),
      () => this.#pick(["i", "j"]),
      ...(this.#safe.includes("ni") ? [() => "ni"] : []),
      ...this.#items.filter((item) => item.type === "int").map((item) => () => item.name),
    ];
    if (depth <= 0) return this.#pick(leaves)();
    const sub = () => this.#int(depth - 1);
    return this.#pick([
      ...leaves,
      () => `(${sub()} ${this.#pick(["+", "-", "*", "/", "%"])} ${sub()})`,
      () => `(${sub()} ${this.#pick(["+", "-", "*"])} ${sub()})`,
      () => `abs(${sub()})`,
      () => `-(${sub()})`,
      () => `(${this.#bool(depth - 1)} ? ${sub()} : ${sub()})`,
      () => `coalesce(ni, ${sub()})`,
      () => `${this.#pick(["greatest", "least"])}(${this.#pick(["ni", "i"])}, ${sub()}, ${sub()})`,
      () => `size(${this.#text(depth - 1)})`,
      () => `li[${sub()}]`,
      () => `li.sum()`,
      () => `(ni != null ? ${this.#with("ni", sub)} : ${sub()})`,
    ])();
  }

  #number(depth: number): string {
    const leaves = [
      () => this.#pick(["0.0", "0.5", "1.25", "-3.75", "0.10", "99.999", "12345678.9012", "9007199254740.99"]),
      () => this.#pick(["d1", "d2", "d4"]),
      ...(this.#safe.includes("nd") ? [() => "nd"] : []),
      ...this.#items.filter((item) => item.type === "decimal").map((item) => () => item.name),
    ];
    if (depth <= 0) return this.#pick(leaves)();
    const sub = () => this.#number(depth - 1);
    const either = () => this.#random() < 0.7 ? sub() : this.#int(depth - 1);
    const rounding = () => `${this.#pick([-2, -1, 0, 1, 2, 3])}, '${this.#pick(MODES)}'`;
    return this.#pick([
      ...leaves,
      () => `(${sub()} ${this.#pick(["+", "-"])} ${either()})`,
      () => `(${either()} ${this.#pick(["+", "-"])} ${sub()})`,
      () => `(${sub()} * ${either()})`,
      () => `round(${sub()}, ${rounding()})`,
      () => `round(${sub()} / ${either()}, ${rounding()})`,
      () => `abs(${sub()})`,
      () => `(${this.#bool(depth - 1)} ? ${sub()} : ${either()})`,
      () => `coalesce(nd, ${either()})`,
      () => `${this.#pick(["greatest", "least"])}(nd, ${sub()}, ${either()})`,
      () => `(nd == null ? ${either()} : ${this.#with("nd", sub)})`,
      () => `ld.sum()`,
    ])();
  }

  #text(depth: number): string {
    const leaves = [() => this.#pick(TEXTS), () => this.#pick(["s", "t"]), ...(this.#safe.includes("ns") ? [() => "ns"] : [])];
    if (depth <= 0) return this.#pick(leaves)();
    const sub = () => this.#text(depth - 1);
    return this.#pick([
      ...leaves,
      () => `(${sub()} + ${sub()})`,
      () => `${sub()}.upperAscii()`,
      () => `${sub()}.substring(${this.#pick([0, 1])}, ${this.#pick([1, 2, 3])})`,
      () => `(${this.#bool(depth - 1)} ? ${sub()} : ${sub()})`,
      () => `coalesce(ns, ${sub()})`,
      () => `string(${this.#number(depth - 1)})`,
      () => `string(${this.#int(depth - 1)})`,
    ])();
  }

  #bool(depth: number): string {
    const leaves = [
      () => "b",
      () => `(${this.#pick(["ni", "nd", "ns"])}${this.#pick([" == null", " != null"])})`,
      () => this.#pick(["true", "false"]),
    ];
    if (depth <= 0) return this.#pick(leaves)();
    const sub = () => this.#bool(depth - 1);
    const relation = () => this.#pick(["<", "<=", ">", ">=", "==", "!="]);
    const number = () => this.#random() < 0.6 ? this.#number(depth - 1) : this.#int(depth - 1);
    const nullable = this.#pick(["ni", "nd", "ns"]);
    return this.#pick([
      ...leaves,
      () => `(${sub()} && ${sub()})`,
      () => `(${sub()} || ${sub()})`,
      () => `!${sub()}`,
      () => `(${number()} ${relation()} ${number()})`,
      () => `(${number()} ${relation()} ${number()})`,
      () => `(${this.#number(depth - 1)} / ${number()} ${relation()} ${number()})`,
      () => `(${number()} ${relation()} ${number()} / ${this.#number(depth - 1)})`,
      () => `(nd ${this.#pick(["==", "!="])} ${number()})`,
      () => `(ni ${this.#pick(["==", "!="])} ${number()})`,
      () => `(${this.#text(depth - 1)} ${relation()} ${this.#text(depth - 1)})`,
      () => `${this.#text(depth - 1)}.${this.#pick(["contains", "startsWith"])}(${this.#text(depth - 1)})`,
      () => `(${this.#int(depth - 1)} in ${this.#pick(["li", "[1, 2, 3]", "[1, 2, 3, 4, 5, 6, 7, 100]"])})`,
      () => `(${this.#number(depth - 1)} in ${this.#pick(["ld", "[1.25, 0.50]", "[1, 2]"])})`,
      () => `(${nullable} != null && ${this.#with(nullable, sub)})`,
      () => `((${sub()} && ${nullable} != null) && ${this.#with(nullable, sub)})`,
      () => `(${nullable} == null || ${this.#with(nullable, sub)})`,
      () => `li.${this.#pick(["all", "exists", "exists_one"])}(x, ${this.#inside("x", "int", sub)})`,
      () => `ld.${this.#pick(["all", "exists", "exists_one"])}(e, ${this.#inside("e", "decimal", sub)})`,
      () => `(li.filter(x, ${this.#inside("x", "int", sub)}).size() > 1)`,
      () => `(li.map(x, ${this.#inside("x", "int", () => this.#int(depth - 1))}) == li)`,
    ])();
  }

  /** Values in run-time representation. */
  values(): Readonly<Record<string, unknown>> {
    const number = () =>
      this.#pick([0, 1, -1, 2, 5, -7, 10, 99, 125, -150, 1000, 12345, -99999, 4503599627370497, 9007199254740991, -9007199254740991]);
    const small = () => Math.floor(this.#random() * 2000) - 1000;
    const any = () => this.#random() < 0.7 ? small() : number();
    const orNull = <T>(make: () => T) => this.#random() < 0.4 ? null : make();
    const text = () => this.#pick(["", "a", "Ab", "ab", "zz é", "\u{1F600}x", "\uFFFDq"]);
    const list = () => Array.from({ length: Math.floor(this.#random() * 4) }, any);
    return {
      i: any(),
      j: any(),
      d1: any(),
      d2: any(),
      d4: any(),
      s: text(),
      t: text(),
      b: this.#random() < 0.5,
      ni: orNull(any),
      nd: orNull(any),
      ns: orNull(text),
      li: list(),
      ld: list(),
    };
  }
}
