/**
 * The syntax tree of an expression, as the checker reads it: the parser's tree with macros recognised again (the parser hands
 * them out already expanded) and literals read from the text. `at` is the offset in the text that a fault points at.
 */

/** The comprehensions of CEL; `has` is a node of its own. */
export type MacroName = "all" | "exists" | "exists_one" | "filter" | "map";

export type Literal =
  | { readonly kind: "null"; readonly value: null }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "int"; readonly value: number }
  /** value is the integer count of 10^-scale. */
  | { readonly kind: "decimal"; readonly value: number; readonly scale: number }
  | { readonly kind: "double"; readonly value: number };

interface Placed {
  readonly at: number;
}
export type Syntax =
  & Placed
  & (
    | { readonly kind: "literal"; readonly literal: Literal }
    | { readonly kind: "name"; readonly name: string }
    | { readonly kind: "select"; readonly operand: Syntax; readonly field: string }
    | { readonly kind: "has"; readonly operand: Syntax; readonly field: string }
    /** Operators are calls too: "_+_", "!_", "_?_:_", "_[_]", "@in". `target` is x in x.f(y). */
    | { readonly kind: "call"; readonly name: string; readonly target: Syntax | null; readonly args: readonly Syntax[] }
    | { readonly kind: "list"; readonly items: readonly Syntax[] }
    | { readonly kind: "map"; readonly entries: readonly (readonly [Syntax, Syntax])[] }
    | {
      readonly kind: "macro";
      readonly macro: MacroName;
      readonly range: Syntax;
      readonly variable: string;
      /** The condition; null in the two-argument map. */
      readonly test: Syntax | null;
      /** What map gives; null in the others. */
      readonly step: Syntax | null;
    }
  );

/** A fault found while reading the text, before any types are known. */
export class SyntaxFault extends Error {
  readonly at: number;
  readonly hint: string | undefined;
  constructor(at: number, message: string, hint?: string) {
    super(message);
    this.name = "SyntaxFault";
    this.at = at;
    this.hint = hint;
  }
}
