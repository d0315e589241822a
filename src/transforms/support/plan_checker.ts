/**
 * Checking a node's expressions while its plan is made. Invariant: `failed` is true as soon as one fault was reported, and
 * then the node has no plan. Checking goes on nevertheless, so that all faults are seen in one round trip.
 */
import type { PlanContext } from "../../component/component.ts";
import { BOOL, type Type } from "../../data/types.ts";
import type { Span } from "../../data/fault.ts";
import type { Checked, ExprSource, Scope } from "../../expr/contracts.ts";

/** Reports faults of one node and remembers that there were some. */
export class PlanChecker {
  failed = false;
  /** Every path that an expression of the node reads. */
  readonly uses = new Set<string>();
  readonly context: PlanContext;
  constructor(context: PlanContext) {
    this.context = context;
  }

  fault(span: Span, message: string, hint?: string): void {
    this.failed = true;
    this.context.fault(span, message, hint);
  }

  /** null when the expression cannot be used; the fault has then been reported. */
  check(source: ExprSource, scope: Scope, expected?: Type): Checked | null {
    const report = (fault: Parameters<PlanContext["report"]>[0]): void => {
      this.failed = true;
      this.context.report(fault);
    };
    const checked = this.context.expressions.check(source, scope, report, expected);
    if (checked === null) this.failed = true;
    else for (const path of checked.uses) this.uses.add(path);
    return checked;
  }

  /** A condition: a bool that is never null. */
  condition(source: ExprSource, scope: Scope): Checked | null {
    return this.check(source, scope, BOOL);
  }
}

/** `scope` with more variables; a name that is there already gets the new type. */
export function withVariables(scope: Scope, more: Iterable<readonly [string, Type]>): Scope {
  return { ...scope, variables: new Map([...scope.variables, ...more]) };
}

/** `scope` where the paths of `sets` are known not to be null. */
export function narrow(scope: Scope, ...sets: readonly Iterable<string>[]): Scope {
  const narrowed = new Set(scope.narrowed ?? []);
  for (const set of sets) for (const path of set) narrowed.add(path);
  return { ...scope, narrowed };
}

/** `scope` without what is known about `names`: they have new values from here on. */
export function forget(scope: Scope, names: Iterable<string>): Scope {
  const gone = new Set(names);
  const kept = (paths: Iterable<string>): Set<string> => new Set([...paths].filter((path) => !gone.has(path.split(".")[0])));
  const facts = new Map(
    [...scope.facts ?? []].map(([name, fact]) => [name, { whenTrue: kept(fact.whenTrue), whenFalse: kept(fact.whenFalse) }]),
  );
  return { ...scope, narrowed: kept(scope.narrowed ?? []), facts };
}

/** The variables that an expression reads: first segments of its paths. */
export function rootsOf(checked: Checked): Set<string> {
  const roots = new Set<string>();
  for (const path of checked.uses) roots.add(path.split(".")[0]);
  return roots;
}
