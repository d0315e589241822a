/**
 * Calls of aggregate functions, which stand only at the top of an expression under `aggregate` and `value`. This file checks
 * them; the transform that runs them keeps their state. Rows whose argument is null are skipped, as are those the filter drops.
 */
import { INT, type Type, withNull, withoutNull } from "../data/types.ts";
import type { Fault } from "../data/fault.ts";
import type { RoundingMode } from "../data/decimal.ts";
import { nearestName } from "./check/context.ts";
import { checkSyntax, finish, parseSource } from "./check/source.ts";
import type { Checked, ExprSource, Scope } from "./contracts.ts";
import { constantMode, constantPlaces, type Reporting } from "./functions/definition.ts";
import type { Syntax } from "./syntax.ts";
import type { Node } from "./tree.ts";

/** The aggregate functions. */
export type AggregateFunction =
  | "count"
  | "sum"
  | "min"
  | "max"
  | "avg"
  | "first"
  | "last"
  | "first_by"
  | "last_by"
  | "count_distinct"
  | "counts"
  | "mode";

export interface CheckedAggregate {
  readonly function: AggregateFunction;
  /** What is aggregated; absent for count. */
  readonly argument?: Checked;
  /** first_by, last_by: what orders. */
  readonly by?: Checked;
  /** Only rows for which this holds. */
  readonly filter?: Checked;
  /** avg: decimals of the result. */
  readonly places?: number;
  readonly mode?: RoundingMode;
  /** The result: count and sum are never null, the others are null where no row passed. */
  readonly type: Type;
}

interface Shape {
  readonly usage: string;
  /** The parameters before the optional filter. */
  readonly parameters: readonly ("argument" | "by" | "places" | "mode")[];
  /** The kinds an argument may have; empty: any. */
  readonly kinds: readonly Type["kind"][];
}
const ORDERED: readonly Type["kind"][] = ["int", "decimal", "double", "string", "bool", "timestamp", "date", "duration"];
const SHAPES: Readonly<Record<AggregateFunction, Shape>> = {
  count: { usage: "count([filter])", parameters: [], kinds: [] },
  sum: { usage: "sum(x[, filter])", parameters: ["argument"], kinds: ["int", "decimal", "double", "duration"] },
  min: { usage: "min(x[, filter])", parameters: ["argument"], kinds: ORDERED },
  max: { usage: "max(x[, filter])", parameters: ["argument"], kinds: ORDERED },
  avg: { usage: "avg(x, places, mode[, filter])", parameters: ["argument", "places", "mode"], kinds: ["int", "decimal"] },
  first: { usage: "first(x[, filter])", parameters: ["argument"], kinds: [] },
  last: { usage: "last(x[, filter])", parameters: ["argument"], kinds: [] },
  first_by: { usage: "first_by(x, by[, filter])", parameters: ["argument", "by"], kinds: [] },
  last_by: { usage: "last_by(x, by[, filter])", parameters: ["argument", "by"], kinds: [] },
  count_distinct: { usage: "count_distinct(x[, filter])", parameters: ["argument"], kinds: ORDERED },
  counts: { usage: "counts(x[, filter])", parameters: ["argument"], kinds: ["string", "int", "bool"] },
  mode: { usage: "mode(x[, filter])", parameters: ["argument"], kinds: ORDERED },
};

/** Checks one aggregate call; null with faults reported. */
export function checkAggregate(source: ExprSource, scope: Scope, fault: (fault: Fault) => void): CheckedAggregate | null {
  const syntax = parseSource(source, fault);
  if (syntax === null) return null;
  return new AggregateCheck(source, scope, fault).check(syntax);
}

class AggregateCheck {
  readonly #source: ExprSource;
  readonly #scope: Scope;
  readonly #fault: (fault: Fault) => void;
  constructor(source: ExprSource, scope: Scope, fault: (fault: Fault) => void) {
    this.#source = source;
    this.#scope = scope;
    this.#fault = fault;
  }

  check(syntax: Syntax): CheckedAggregate | null {
    const names = Object.keys(SHAPES);
    if (syntax.kind !== "call" || !Object.hasOwn(SHAPES, syntax.name)) {
      const near = syntax.kind === "call" ? nearestName(syntax.name, names) : null;
      const hint = near === null ? `one call of ${names.join(", ")}` : `did you mean ${SHAPES[near as AggregateFunction].usage}?`;
      return this.#report("expression-type", syntax.at, "an aggregate is one call of an aggregate function", hint);
    }
    const name = syntax.name as AggregateFunction;
    const shape = SHAPES[name];
    const args = syntax.target === null ? syntax.args : [syntax.target, ...syntax.args];
    const extra = args.length - shape.parameters.length;
    if (extra !== 0 && extra !== 1) {
      return this.#report(
        "expression-type",
        syntax.at,
        `${name} does not take ${args.length} ${args.length === 1 ? "argument" : "arguments"}`,
        `usage: ${shape.usage}`,
      );
    }
    return this.#call(name, shape, args, extra === 1 ? args[args.length - 1] : null);
  }

  #call(name: AggregateFunction, shape: Shape, args: readonly Syntax[], filterSyntax: Syntax | null): CheckedAggregate | null {
    const filter = filterSyntax === null ? undefined : this.#filter(filterSyntax);
    if (filter === null) return null;
    // The filter has passed when the argument is evaluated, so what it says about null holds there.
    const scope = filter === undefined
      ? this.#scope
      : { ...this.#scope, narrowed: new Set([...this.#scope.narrowed ?? [], ...filter.whenTrue]) };
    const given = new Map(shape.parameters.map((parameter, i) => [parameter, args[i]]));
    const argument = given.has("argument") ? this.#argument(given.get("argument")!, name, shape, scope) : undefined;
    const by = given.has("by") ? this.#orderKey(given.get("by")!, scope) : undefined;
    const places = given.has("places")
      ? this.#constant(given.get("places")!, (node, context) => constantPlaces(node, "the number of places", context))
      : undefined;
    const mode = given.has("mode") ? this.#constant(given.get("mode")!, constantMode) : undefined;
    if (argument === null || by === null || places === null || mode === null) return null;
    return {
      function: name,
      ...(argument === undefined ? {} : { argument }),
      ...(by === undefined ? {} : { by }),
      ...(filter === undefined ? {} : { filter }),
      ...(places === undefined ? {} : { places }),
      ...(mode === undefined ? {} : { mode }),
      type: resultType(name, argument?.type ?? INT, places ?? 0),
    };
  }

  #filter(syntax: Syntax): Checked | null {
    const node = checkSyntax(syntax, this.#source, this.#scope, this.#fault);
    return node === null ? null : finish(node, this.#source, this.#fault, { kind: "bool", nullable: false });
  }

  #argument(syntax: Syntax, name: AggregateFunction, shape: Shape, scope: Scope): Checked | null {
    const node = checkSyntax(syntax, this.#source, scope, this.#fault);
    if (node === null) return null;
    if (shape.kinds.length > 0 && !shape.kinds.includes(node.type.kind)) {
      const hint = name === "avg" && node.type.kind === "double"
        ? "of doubles: avg(decimal(x, 6, 'half_even'), 2, 'half_even')"
        : `usage: ${shape.usage}`;
      return this.#report("expression-type", node.at, `${name} does not take ${node.type.kind}`, hint);
    }
    return finish(node, this.#source, this.#fault);
  }

  #orderKey(syntax: Syntax, scope: Scope): Checked | null {
    const node = checkSyntax(syntax, this.#source, scope, this.#fault);
    if (node === null) return null;
    if (node.type.nullable || !ORDERED.includes(node.type.kind)) {
      const hint = node.type.nullable ? "leave such rows out with the filter: x != null" : "order by a number, a text or a time";
      return this.#report(
        "expression-type",
        node.at,
        `rows cannot be ordered by this (${node.type.kind}${node.type.nullable ? "?" : ""})`,
        hint,
      );
    }
    return finish(node, this.#source, this.#fault);
  }

  #constant<T>(syntax: Syntax, read: (node: Node, reporting: Reporting) => T | null): T | null {
    const node = checkSyntax(syntax, this.#source, this.#scope, this.#fault);
    if (node === null) return null;
    return read(node, { context: { report: (code, at, message, hint) => this.#report(code, at, message, hint) } });
  }

  #report(code: string, at: number, message: string, hint?: string): null {
    const fault = { code, message, span: this.#source.place(at) };
    this.#fault(hint === undefined ? fault : { ...fault, hint });
    return null;
  }
}

function resultType(name: AggregateFunction, argument: Type, places: number): Type {
  switch (name) {
    case "count":
    case "count_distinct":
      return INT;
    case "sum":
      return withoutNull(argument);
    case "avg":
      return { kind: "decimal", scale: places, nullable: true };
    case "counts":
      return { kind: "map", key: withoutNull(argument), value: INT, nullable: false };
    default:
      return withNull(argument);
  }
}
