/**
 * Typed tree to one JavaScript expression. Invariant: evaluation order never shows (everything is pure), a value that can be
 * null is never touched, and code that sits inside a closure uses locals of that closure only.
 */
import { assert } from "../../data/fault.ts";
import { isNumeric, type Type } from "../../data/types.ts";
import type { Binding, Bindings, CodeUnit, Keeper, ListBinding } from "../contracts.ts";
import { absorb } from "../runtime/failures.ts";
import * as comprehensions from "../runtime/comprehensions.ts";
import { asciiCharacter } from "../runtime/text.ts";
import {
  type CallNode,
  childrenOf,
  type Emitter,
  type LogicNode,
  type MacroNode,
  type Node,
  type NullTestNode,
  type PathNode,
} from "../tree.ts";
import { type Chain, chainOf } from "./list_chain.ts";
import type { Surroundings } from "./list_inputs.ts";
import { emitLoop, withRange } from "./list_loop.ts";
import { literalCode, UnitEmitter } from "./unit.ts";

/** The JavaScript expression that gives the node's value. */
export function emitTree(node: Node, bindings: Bindings, unit: CodeUnit): string {
  return treeEmitter(bindings, unit).emit(node);
}
/** Expressions.listOf. */
export function listOfTree(
  node: Node,
  bindings: Bindings,
  unit: CodeUnit,
  local: (hint: string, reset: string) => string,
): ListBinding | null {
  const chain = chainOf(node, bindings);
  if (chain === null) return null;
  const bounded = withRange(chain, null, treeEmitter(bindings, unit).around());
  if (bounded.found === "none") return chain;
  const [{ range, ...first }, ...others] = bounded.chain.stages;
  const name = local("range", "-2");
  const code = `(${name} === -2 ? ${name} = ${range!.code} : ${name})`;
  return { columns: chain.columns, stages: [{ ...first, range: { ...range!, code } }, ...others] };
}
/** Expressions.wholeList. */
export function emitWholeList({ columns, stages }: ListBinding, unit: CodeUnit): string {
  const item: Type = { kind: "struct", fields: [], nullable: false };
  return emitLoop({ columns, stages: stages as Chain["stages"] }, { kind: "collect" }, item, treeEmitter(new Map(), unit).around());
}

function treeEmitter(bindings: Bindings, unit: CodeUnit): TreeEmitter {
  return new TreeEmitter({ bindings, unit, keeping: "keep", locals: NO_LOCALS, steady: () => null }, new UnitEmitter(unit));
}
const NO_LOCALS: ReadonlyMap<string, Binding> = new Map();

/** What all of one expression's code shares. */
interface Place {
  readonly bindings: Bindings;
  readonly unit: CodeUnit;
  /** Whether results may be kept: not again inside of what is kept already, and not inside closures. */
  readonly keeping: "keep" | "compute";
  /** Variables of comprehensions that are more than a value. */
  readonly locals: ReadonlyMap<string, Binding>;
  /** The code that a text which does not change here has among `texts`; null where it changes. */
  steady(texts: string, node: Node): string | null;
}

class TreeEmitter {
  readonly #place: Place;
  readonly #bindings: Bindings;
  readonly #unit: CodeUnit;
  readonly #emitter: Emitter;
  constructor(place: Place, emitter: Emitter) {
    this.#place = place;
    this.#bindings = place.bindings;
    this.#unit = place.unit;
    this.#emitter = emitter;
  }

  /** For loops over columns that stand here. */
  around(): Surroundings {
    return {
      unit: this.#unit,
      bindings: this.#bindings,
      outside: (node, bindings) => new TreeEmitter({ ...this.#place, bindings }, this.#emitter).emit(node),
      inside: (node, emitter, locals, steady) =>
        new TreeEmitter({ bindings: this.#bindings, unit: this.#unit, keeping: "compute", locals, steady }, emitter).emit(node),
    };
  }

  emit(node: Node): string {
    const keeper = this.#place.keeping === "keep" ? this.#keeperOf(node) : null;
    if (keeper === null) return this.#compute(node);
    return keeper.keep(new TreeEmitter({ ...this.#place, keeping: "compute" }, this.#emitter).#compute(node));
  }

  #compute(node: Node): string {
    switch (node.op) {
      case "constant":
        return literalCode(node.value, this.#emitter);
      case "path":
        return this.#path(node).value;
      case "select": {
        const access = fieldAccess(this.emit(node.operand), node.field, node.operand.type.nullable);
        return node.type.nullable ? `(${access} ?? null)` : access;
      }
      case "null_test":
        return this.#nullTest(node);
      case "call":
        return this.#special(node) ?? node.emit(node.args.map((arg) => this.emit(arg)), this.#emitter);
      case "if":
        return `(${this.emit(node.condition)} ? ${this.emit(node.then)} : ${this.emit(node.otherwise)})`;
      case "and":
      case "or":
        return this.#logic(node);
      case "macro":
        return this.#macro(node);
    }
  }

  /** What need not be computed the way it is for any operand. */
  #special(node: CallNode): string | null {
    return this.#fold(node) ?? this.#ofSet(node) ?? this.#sameText(node) ?? this.#oneCharacter(node);
  }

  /** What is made of a list in columns, by one loop. */
  #fold({ fold, args: [list] }: CallNode): string | null {
    if (fold === undefined) return null;
    if (fold.kind === "size" && list.op === "call" && list.fold?.kind === "distinct") {
      const chain = chainOf(list.args[0], this.#bindings);
      return chain && emitLoop(chain, { kind: "distinct_size" }, itemOf(list.type), this.around());
    }
    const chain = chainOf(list, this.#bindings);
    return chain && emitLoop(chain, fold, itemOf(list.type), this.around());
  }

  /** How many a set has, and whether it has a value. */
  #ofSet({ name, args }: CallNode): string | null {
    if (name !== "size" && name !== "@in") return null;
    const path = args.at(-1)!;
    const set = path.op === "path" ? this.#path(path).binding?.set : undefined;
    if (set === undefined) return null;
    return name === "size" ? set.size : set.has(this.emit(args[0]));
  }

  /** Whether a text that lies as a code is one that does not change: a comparison of codes. */
  #sameText({ name, args }: CallNode): string | null {
    if (name !== "_==_" && name !== "_!=_") return null;
    const sides = args.map((arg) => arg.op === "path" ? this.#path(arg).binding?.coded : undefined);
    const at = sides.findIndex((coded) => coded !== undefined);
    if (at < 0) return null;
    const { code, texts } = sides[at]!;
    const other = this.#place.steady(texts, args[1 - at]);
    return other && `(${code} ${name === "_==_" ? "===" : "!=="} ${other})`;
  }

  /** One character at a fixed place of a text that lies in bytes: most often found without making a string of the text. */
  #oneCharacter(node: CallNode): string | null {
    if (node.name !== "substring" || node.args.length !== 3) return null;
    const [text, from, to] = node.args;
    if (text.op !== "path" || from.op !== "constant" || to.op !== "constant") return null;
    const slice = this.#path(text).binding?.slice;
    const place = from.value as number;
    if (!slice || place < 0 || to.value !== place + 1) return null;
    const known = `${this.#emitter.use(asciiCharacter, "asciiCharacter")}(${slice.bytes}, ${slice.from}, ${slice.to}, ${place})`;
    return `(${known} ?? ${node.emit(node.args.map((arg) => this.emit(arg)), this.#emitter)})`;
  }

  /** The one keeper behind everything that the node reads, where text is among that: numbers are as cheap to compute as to keep. */
  #keeperOf(node: Node): Keeper | null {
    if (!COMPUTING.has(node.op) || !isKeptType(node.type)) return null;
    const paths = pathsOf(node);
    if (paths === null || !paths.some(({ type }) => type.kind === "string")) return null;
    const keepers = new Set(paths.map(({ root }) => this.#bindings.get(root)?.keeper ?? null));
    const [keeper] = keepers;
    return keepers.size === 1 ? keeper : null;
  }

  /** Follows the bindings as far as they have fields, then reads the rest from the struct itself. */
  #path(node: PathNode): { readonly value: string; readonly binding: Binding | null } {
    let binding: Binding | undefined = node.local === null
      ? this.#bindings.get(node.root)
      : this.#place.locals.get(node.local) ?? { code: node.local };
    assert(binding !== undefined, `no binding for ${node.root}`);
    let bound = 0;
    for (; bound < node.fields.length; bound++) {
      const next: Binding | undefined = binding.fields?.get(node.fields[bound]);
      if (next === undefined) break;
      binding = next;
    }
    if (bound === node.fields.length) return { value: node.type.nullable ? binding.code : binding.present ?? binding.code, binding };
    let code = binding.code;
    let mayMiss = false;
    for (let i = bound; i < node.fields.length; i++) {
      code = fieldAccess(code, node.fields[i], node.types[i].nullable || mayMiss);
      mayMiss ||= node.types[i + 1].nullable || node.types[i].nullable;
    }
    return { value: mayMiss ? `(${code} ?? null)` : code, binding: null };
  }

  #nullTest(node: NullTestNode): string {
    if (node.operand.op === "path") {
      const { value, binding } = this.#path(node.operand);
      if (binding?.isNull !== undefined) return node.whenNull ? `(${binding.isNull})` : `!(${binding.isNull})`;
      return `(${value} ${node.whenNull ? "===" : "!=="} null)`;
    }
    return `(${this.emit(node.operand)} ${node.whenNull ? "===" : "!=="} null)`;
  }

  /**
   * && and || of CEL commute. So a right side that cannot fail may go first, which absorbs failures of the left one without
   * try and catch; where it relies on what the left side says, a guard stands before it.
   */
  #logic(node: LogicNode): string {
    const sign = node.op === "and" ? "&&" : "||";
    if (!node.left.canFail) return `(${this.emit(node.left)} ${sign} ${this.emit(node.right)})`;
    const guards = node.guards.map((guard) =>
      this.#nullTest({ op: "null_test", operand: guard, whenNull: false, type: guard.type, at: guard.at, canFail: false })
    );
    if (!node.right.canFail) {
      const left = this.emit(node.left);
      const right = this.emit(node.right);
      if (guards.length === 0) return `(${right} ${sign} ${left})`;
      return node.op === "and"
        ? `(${guards.join(" && ")} && !(${right}) ? false : ${left})`
        : `(${guards.join(" && ")} && ${right} ? true : ${left})`;
    }
    const helper = this.#emitter.use(absorb, "absorb");
    const leftCode = this.#closure([], (inner) => inner.emit(node.left));
    const rightCode = this.#closure([], (inner) => {
      const right = inner.emit(node.right);
      return guards.length === 0 ? right : `(${guards.join(" && ")} ? ${right} : null)`;
    });
    return `${helper}(${leftCode}, ${rightCode}, ${node.op === "or"})`;
  }

  #macro(node: MacroNode): string {
    const chain = chainOf(node, this.#bindings);
    if (chain !== null) return emitLoop(chain, { kind: "collect" }, itemOf(node.type), this.around());
    const { macro, variable, test } = node;
    const over = chainOf(node.range, this.#bindings);
    if (over !== null && macro !== "filter" && macro !== "map") {
      return emitLoop(over, { kind: macro, variable, test: test! }, itemOf(node.range.type), this.around());
    }
    const range = this.emit(node.range);
    const testCode = node.test === null ? null : this.#closure([node.variable], (inner) => inner.emit(node.test!));
    const step = node.step === null ? null : this.#closure([node.variable], (inner) => inner.emit(node.step!));
    const helper = this.#emitter.use(helperOf(node), node.macro);
    return `${helper}(${[range, testCode, step].filter((part) => part !== null).join(", ")})`;
  }

  /** An arrow function with its own temporaries: those of the outer function would have to live in a shared context. */
  #closure(parameters: readonly string[], body: (inner: TreeEmitter) => string): string {
    const temporaries: string[] = [];
    const emitter = new UnitEmitter(this.#unit, () => {
      const name = this.#unit.local("t");
      temporaries.push(name);
      return name;
    });
    const code = body(new TreeEmitter({ ...this.#place, keeping: "compute" }, emitter));
    if (temporaries.length === 0) return `(${parameters.join(", ")}) => ${code.startsWith("{") ? `(${code})` : code}`;
    return `(${parameters.join(", ")}) => { let ${temporaries.join(", ")}; return ${code}; }`;
  }
}

function itemOf(type: Type): Type {
  assert(type.kind === "list", "what lies in columns is a list");
  return type.item;
}

const COMPUTING: ReadonlySet<Node["op"]> = new Set(["call", "if", "and", "or"]);
/** Other numbers would each take memory of their own in an array of values. */
const isKeptType = (type: Type): boolean => !isNumeric(type) || type.kind === "bool" || type.kind === "int";

/** All paths that a node reads; null where it has variables of its own. */
function pathsOf(node: Node): readonly PathNode[] | null {
  if (node.op === "path") return node.local === null ? [node] : null;
  const paths: PathNode[] = [];
  for (const child of childrenOf(node)) {
    const some = pathsOf(child);
    if (some === null) return null;
    paths.push(...some);
  }
  return paths;
}

const ASCII_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
function fieldAccess(code: string, field: string, nullable: boolean): string {
  if (ASCII_NAME.test(field)) return `${code}${nullable ? "?." : "."}${field}`;
  return `${code}${nullable ? "?." : ""}[${JSON.stringify(field)}]`;
}

function helperOf(node: MacroNode): unknown {
  const fails = node.test?.canFail ?? false;
  switch (node.macro) {
    case "all":
      return fails ? comprehensions.allAbsorbing : comprehensions.all;
    case "exists":
      return fails ? comprehensions.existsAbsorbing : comprehensions.exists;
    case "exists_one":
      return comprehensions.existsOne;
    case "filter":
      return comprehensions.filter;
    case "map":
      return node.test === null ? comprehensions.map : comprehensions.mapWhere;
  }
}
