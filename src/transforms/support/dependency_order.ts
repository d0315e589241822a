/** The order in which named expressions can be evaluated: `let` and `lookup` entries may use each other in any order of writing. */
import type { Cel, CelTable } from "../../component/settings.ts";
import type { Span } from "../../data/fault.ts";
import { identifiersIn } from "./names.ts";
import type { PlanChecker } from "./plan_checker.ts";

export interface NamedExpression {
  readonly name: string;
  readonly keySpan: Span;
  readonly value: Cel;
}

/** Each entry behind those it uses; otherwise in document order. Entries of a cycle, and those behind them, are left out with a fault. */
export function dependencyOrder(table: CelTable, what: string, checker: PlanChecker): NamedExpression[] {
  const entries = new Map<string, NamedExpression>();
  for (const { path, keySpan, value } of table.entries) {
    if (path.length > 1) checker.fault(keySpan, `${what} names have no dots: "${path.join(".")}"`, `write ${path.join("_")}`);
    else entries.set(path[0], { name: path[0], keySpan, value });
  }
  const ordered: NamedExpression[] = [];
  const done = new Set<string>();
  const visit = (entry: NamedExpression, trail: readonly string[]): boolean => {
    if (done.has(entry.name)) return true;
    if (trail.includes(entry.name)) {
      const cycle = [...trail.slice(trail.indexOf(entry.name)), entry.name].join(" -> ");
      checker.fault(
        entry.value.span,
        `${what} "${entry.name}" needs its own value: ${cycle}`,
        "break the cycle: none of them can be evaluated first",
      );
      return false;
    }
    for (const used of identifiersIn(entry.value.text)) {
      const other = entries.get(used);
      if (other !== undefined && !visit(other, [...trail, entry.name])) return false;
    }
    done.add(entry.name);
    ordered.push(entry);
    return true;
  };
  for (const entry of entries.values()) {
    if (!visit(entry, [])) break;
  }
  return ordered;
}
