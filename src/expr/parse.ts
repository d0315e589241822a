/**
 * Text to syntax tree. The grammar is the library's; this file undoes its macro expansion (by `macroCalls`, never by the
 * shape alone) and its rounding of literals. Wrapped here so that nothing else depends on the library.
 */
import { parse as parseCel } from "@bufbuild/cel";
import type { Expr, SourceInfo } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import { fractionLiteral, intLiteral } from "./literals.ts";
import { type MacroName, type Syntax, SyntaxFault } from "./syntax.ts";
import { explainSyntaxError } from "./syntax_errors.ts";

/** Longer expressions belong into several `let` names. */
export const EXPRESSION_LENGTH_MAX = 20_000;
/** Deeper nesting would risk the stack of parser, checker and compiler. */
export const NESTING_MAX = 100;
/** A chain such as a + b + c nests to the left, one level per operator, hence the larger bound. */
export const CHAIN_MAX = 500;

/** Parses one expression; throws SyntaxFault. */
export function parse(text: string): Syntax {
  if (text.length > EXPRESSION_LENGTH_MAX) {
    throw new SyntaxFault(
      0,
      `the expression is longer than ${EXPRESSION_LENGTH_MAX} characters`,
      "split it into several names under `let`",
    );
  }
  refuseDeepNesting(text);
  let parsed;
  try {
    parsed = parseCel(text);
  } catch (error) {
    throw explainSyntaxError(text, error);
  }
  return new Reader(text, parsed.sourceInfo!).read(parsed.expr, 0);
}

/** The library's parser recurses per bracket, so brackets are counted before it sees the text. Those inside strings count too: harmless. */
function refuseDeepNesting(text: string): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x28 || c === 0x5b || c === 0x7b) {
      if (++depth > NESTING_MAX) throw tooDeep(i);
    } else if (c === 0x29 || c === 0x5d || c === 0x7d) depth--;
  }
}
function tooDeep(at: number): SyntaxFault {
  return new SyntaxFault(at, `the expression is nested deeper than ${NESTING_MAX} levels`, "split it into several names under `let`");
}

/** White space and comments, and the dot of a method. */
const BEFORE_NAME = /(?:\s|\/\/[^\n]*\n)*(?:\.\s*(?=[A-Za-z_]))?/y;

class Reader {
  readonly #text: string;
  readonly #info: SourceInfo;
  constructor(text: string, info: SourceInfo) {
    this.#text = text;
    this.#info = info;
  }

  read(expr: Expr | undefined, depth: number): Syntax {
    if (expr === undefined) throw new SyntaxFault(0, "the expression is incomplete");
    const at = this.#info.positions[expr.id.toString()] ?? 0;
    if (depth > CHAIN_MAX) {
      throw new SyntaxFault(at, `the expression chains more than ${CHAIN_MAX} operators`, "split it into several names under `let`");
    }
    const kind = expr.exprKind;
    switch (kind.case) {
      case "constExpr":
        return this.#literal(kind.value, at);
      case "identExpr":
        return { kind: "name", name: kind.value.name.replace(/^\./, ""), at };
      case "selectExpr": {
        const operand = this.read(kind.value.operand, depth + 1);
        // A select points at its dot; people look for the start of the path.
        return {
          kind: kind.value.testOnly ? "has" : "select",
          operand,
          field: kind.value.field,
          at: kind.value.testOnly ? at : operand.at,
        };
      }
      case "callExpr": {
        const target = kind.value.target === undefined ? null : this.read(kind.value.target, depth + 1);
        const args = kind.value.args.map((arg) => this.read(arg, depth + 1));
        return { kind: "call", name: kind.value.function, target, args, at: this.#nameAt(at) };
      }
      case "listExpr":
        return { kind: "list", items: kind.value.elements.map((item) => this.read(item, depth + 1)), at };
      case "structExpr":
        return this.#map(kind.value, at, depth);
      case "comprehensionExpr":
        return this.#macro(expr, kind.value, at, depth);
      default:
        throw new SyntaxFault(at, "the expression is incomplete");
    }
  }

  /** The parser places operators at the white space before them and methods at their dot. */
  #nameAt(at: number): number {
    BEFORE_NAME.lastIndex = at;
    BEFORE_NAME.exec(this.#text);
    return Math.max(at, BEFORE_NAME.lastIndex);
  }

  #literal(constant: Extract<Expr["exprKind"], { case: "constExpr" }>["value"], at: number): Syntax {
    const kind = constant.constantKind;
    switch (kind.case) {
      case "nullValue":
        return { kind: "literal", literal: { kind: "null", value: null }, at };
      case "boolValue":
        return { kind: "literal", literal: { kind: "bool", value: kind.value }, at };
      case "stringValue":
        return { kind: "literal", literal: { kind: "string", value: kind.value }, at };
      case "int64Value":
        return { kind: "literal", literal: intLiteral(kind.value, at), at };
      case "doubleValue":
        return { kind: "literal", literal: fractionLiteral(this.#text, at), at };
      case "uint64Value":
        throw new SyntaxFault(at, "there are no unsigned integers here", "leave out the `u`");
      case "bytesValue":
        throw new SyntaxFault(at, "there are no byte strings here", 'leave out the `b`: "..." is a string');
      default:
        throw new SyntaxFault(at, "this literal is not supported");
    }
  }

  #map(struct: Extract<Expr["exprKind"], { case: "structExpr" }>["value"], at: number, depth: number): Syntax {
    if (struct.messageName !== "") {
      throw new SyntaxFault(at, `there are no message types such as ${struct.messageName}`, "a map is written {'key': value}");
    }
    const entries = struct.entries.map((entry) => {
      const key = entry.keyKind.case === "mapKey" ? entry.keyKind.value : undefined;
      return [this.read(key, depth + 1), this.read(entry.value, depth + 1)] as const;
    });
    return { kind: "map", entries, at };
  }

  /** The loop step of each macro holds its arguments at fixed places; only the call's name has to come from macroCalls. */
  #macro(expr: Expr, loop: Extract<Expr["exprKind"], { case: "comprehensionExpr" }>["value"], at: number, depth: number): Syntax {
    const call = this.#info.macroCalls[expr.id.toString()]?.exprKind;
    const range = this.read(loop.iterRange, depth + 1);
    const step = argumentsOf(loop.loopStep);
    const argument = (value: Expr | undefined) => this.read(value, depth + 1);
    const common = { kind: "macro", range, variable: loop.iterVar, at: this.#nameAt(at) } as const;
    const macro = call?.case === "callExpr" ? call.value.function : "";
    const macroArguments = call?.case === "callExpr" ? call.value.args.length : 0;
    switch (macro) {
      case "all":
      case "exists":
        return { ...common, macro: macro satisfies MacroName, test: argument(step[1]), step: null };
      case "exists_one":
      case "existsOne":
        return { ...common, macro: "exists_one", test: argument(step[0]), step: null };
      case "filter":
        return { ...common, macro: "filter", test: argument(step[0]), step: null };
      case "map": {
        const appended = macroArguments === 3 ? argumentsOf(step[1]) : step;
        const test = macroArguments === 3 ? argument(step[0]) : null;
        return { ...common, macro: "map", test, step: argument(onlyItem(appended[1])) };
      }
      default:
        throw new SyntaxFault(at, "this comprehension is not supported");
    }
  }
}

function argumentsOf(expr: Expr | undefined): readonly Expr[] {
  return expr?.exprKind.case === "callExpr" ? expr.exprKind.value.args : [];
}
function onlyItem(expr: Expr | undefined): Expr | undefined {
  return expr?.exprKind.case === "listExpr" ? expr.exprKind.value.elements[0] : undefined;
}
