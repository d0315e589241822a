/**
 * What a loop over a list ends in, as statements in front of it, for each element, and behind it. Invariant: a loop ends early only where
 * no later element could have failed.
 */
import { INTEGER_MAX } from "../../data/limits.ts";
import { isNumeric, type Type } from "../../data/types.ts";
import type { Binding } from "../contracts.ts";
import * as folds from "../runtime/folds.ts";
import { distinct } from "../runtime/lists.ts";
import { roundRatio } from "../runtime/numbers.ts";
import { compareText } from "../runtime/text.ts";
import type { Fold, Node } from "../tree.ts";
import type { Stage } from "./list_chain.ts";
import type { Inputs } from "./list_inputs.ts";

/** What ends a chain. `collect` makes the list. */
export type Ending =
  | Fold
  | { readonly kind: "collect" | "distinct_size" }
  | {
    readonly kind: "exists" | "all" | "exists_one";
    readonly variable: string;
    readonly test: Node;
    /** As a filter's. */
    readonly range?: Stage["range"];
  };

/** A value that changes from element to element. */
export interface Element {
  readonly type: Type;
  readonly binding: Binding;
}

/** Statements in front of the loop, for one element, and behind it. */
export interface Parts {
  readonly before: string;
  readonly each: string;
  readonly after: string;
  readonly order?: "forwards" | "backwards";
}

/** The places that an ending's own condition leaves. */
export function rangeOfEnding(ending: Ending): Stage["range"] {
  return "range" in ending ? ending.range : undefined;
}

/** Code that tests an element; the condition is that of a filter, or the ending's own. */
type EmitTest = (test: Pick<Stage, "node" | "variable" | "range">, element: Element) => string;

export class LoopEndings {
  readonly #inputs: Inputs;
  readonly #test: EmitTest;

  constructor(inputs: Inputs, test: EmitTest) {
    this.#inputs = inputs;
    this.#test = test;
  }

  /** `upstream`: whether an element can fail on its way to the ending. */
  ending(ending: Ending, element: Element, upstream: boolean): Parts {
    const value = element.binding.code;
    switch (ending.kind) {
      case "collect":
        return { before: "const list = [];", each: `list.push(${value});`, after: "return list;" };
      case "size":
        return { before: "let count = 0;", each: "count++;", after: "return count;" };
      case "first":
      case "last":
        return this.#edge(ending.kind, value, upstream);
      case "least":
      case "greatest":
        return this.#extreme(ending.kind, value, element.type);
      case "sum":
        return this.#sum(ending.numbers, value, (total) => `return ${total};`);
      case "average":
        return this.#average(ending, value);
      case "distinct": {
        const list = this.#inputs.helper(distinct, "distinct");
        return { before: "const list = [];", each: `list.push(${value});`, after: `return ${list}(list);` };
      }
      case "distinct_size":
        return this.#distinctSize(element);
      case "exists":
      case "all":
      case "exists_one":
        return this.#quantifier(ending, element, upstream);
    }
  }

  /** The first one may end the loop only where no later element can fail. */
  #edge(kind: "first" | "last", value: string, upstream: boolean): Parts {
    if (!upstream) {
      return { before: "", each: `return ${value};`, after: "return null;", order: kind === "first" ? "forwards" : "backwards" };
    }
    const each = kind === "last" ? `found = ${value};` : `if (!any) { found = ${value}; any = true; }`;
    return { before: "let found = null, any = false;", each, after: "return found;" };
  }

  #extreme(kind: "least" | "greatest", value: string, type: Type): Parts {
    const sign = kind === "least" ? "<" : ">";
    const better = type.kind === "string" ? `${this.#inputs.helper(compareText, "compareText")}(one, best) ${sign} 0` : `one ${sign} best`;
    return { before: "let best = null;", each: `const one = ${value}; if (best === null || ${better}) best = one;`, after: "return best;" };
  }

  #sum(numbers: "exact" | "double", value: string, after: (total: string) => string): Parts {
    if (numbers === "double") return { before: "let sum = 0;", each: `sum += ${value};`, after: after("sum") };
    const [add, total] = [this.#inputs.helper(folds.addWide, "addWide"), this.#inputs.helper(folds.wideTotal, "wideTotal")];
    return {
      before: "let sum = 0, wide = null;",
      each: `const one = ${value}, next = sum + one;
if (next > ${INTEGER_MAX} || next < -${INTEGER_MAX}) { wide = ${add}(wide, sum, one); sum = 0; } else sum = next;`,
      after: after(`(wide === null ? sum : ${total}(wide, sum))`),
    };
  }

  #average(fold: Extract<Fold, { kind: "average" }>, value: string): Parts {
    const sum = this.#sum(fold.numbers, value, (total) => {
      if (fold.numbers === "double") return `return count === 0 ? null : ${total} / count;`;
      const round = this.#inputs.helper(roundRatio, "roundRatio");
      return `return count === 0 ? null : ${round}(${total}, ${fold.scale}, count, 0, ${fold.places}, ${JSON.stringify(fold.mode)});`;
    });
    return { before: `${sum.before} let count = 0;`, each: `${sum.each} count++;`, after: sum.after };
  }

  #distinctSize({ binding, type }: Element): Parts {
    if (binding.coded === undefined && !isNumeric(type)) {
      const list = this.#inputs.helper(distinct, "distinct");
      return { before: "const list = [];", each: `list.push(${binding.code});`, after: `return ${list}(list).length;` };
    }
    const counter = this.#inputs.helper(new folds.DistinctNumbers(), "distinctNumbers");
    const value = binding.coded?.code ?? (type.kind === "bool" ? `(${binding.code} ? 1 : 0)` : binding.code);
    const counted = binding.coded === undefined && type.kind === "bool" && type.nullable
      ? `(${binding.code} === null ? null : ${value})`
      : value;
    return { before: `${counter}.begin();`, each: `${counter}.add(${counted});`, after: `return ${counter}.size;` };
  }

  /** An element that decides, decides even where another one failed; failures on the way to the elements always count. */
  #quantifier(ending: Extract<Ending, { readonly test: Node }>, element: Element, upstream: boolean): Parts {
    const { kind, test, variable } = ending;
    const code = this.#test({ node: test, variable, range: rangeOfEnding(ending) }, element);
    if (kind === "exists_one") return { before: "let count = 0;", each: `if (${code}) count++;`, after: "return count === 1;" };
    const deciding = kind === "exists";
    const decides = deciding ? `(${code})` : `!(${code})`;
    const decided = upstream ? "decided = true;" : `return ${deciding};`;
    const before = upstream ? "let decided = false;" : "";
    const after = upstream ? `return decided ? ${deciding} : ${!deciding};` : `return ${!deciding};`;
    if (!test.canFail) return { before, each: `if (${upstream ? "!decided && " : ""}${decides}) ${decided}`, after };
    const failed = this.#inputs.helper(folds.failureOf, "failureOf");
    return {
      before: `${before} let failure = null;`,
      each: `${upstream ? "if (!decided) " : ""}try { if (${decides}) ${
        upstream ? "decided = true;" : `return ${deciding};`
      } } catch (error) { failure = ${failed}(failure, error); }`,
      after: upstream
        ? `if (decided) return ${deciding}; if (failure !== null) throw failure; return ${!deciding};`
        : `if (failure !== null) throw failure; ${after}`,
    };
  }
}
