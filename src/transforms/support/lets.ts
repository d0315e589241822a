/**
 * `let`: named values of a record, evaluated at most once per record and only where something reads them; a text that follows from a
 * looked-up row alone, at most once per row of its table.
 */
import type { CelTable } from "../../component/settings.ts";
import type { Checked, Scope } from "../../expr/contracts.ts";
import { dependencyOrder } from "./dependency_order.ts";
import { rowBehind } from "./lookups.ts";
import type { LoopBuilder } from "./loop_builder.ts";
import { nameFault } from "./names.ts";
import { type PlanChecker, withVariables } from "./plan_checker.ts";

export interface LetPlan {
  readonly name: string;
  readonly checked: Checked;
}

/** Code above this many characters is not repeated at every place that reads the name. */
const INLINE_LENGTH_MAX = 600;

/** Checks a `let` table; returns its entries in order of dependency and the scope that knows them. */
export function planLets(
  table: CelTable,
  scope: Scope,
  checker: PlanChecker,
): { readonly lets: readonly LetPlan[]; readonly scope: Scope } {
  const lets: LetPlan[] = [];
  const facts = new Map(scope.facts);
  let known = scope;
  for (const { name, keySpan, value } of dependencyOrder(table, "let", checker)) {
    const wrong = nameFault(name) ?? (scope.variables.has(name) ? `"${name}" already means something else here` : null);
    if (wrong !== null) checker.fault(keySpan, wrong, "give the value another name");
    const checked = checker.check(value, known);
    if (checked === null || wrong !== null) continue;
    lets.push({ name, checked });
    if (checked.type.kind === "bool") facts.set(name, { whenTrue: checked.whenTrue, whenFalse: checked.whenFalse });
    known = { ...withVariables(known, [[name, checked.type]]), facts };
  }
  return { lets, scope: known };
}

/** Binds the names that are `used`; the order of `lets` makes sure that what one needs is bound before it. */
export function bindLets(builder: LoopBuilder, lets: readonly LetPlan[], used: ReadonlySet<string>): void {
  for (const { name, checked } of lets) {
    if (!used.has(name)) continue;
    const list = builder.listOf(checked);
    if (list !== null) {
      builder.bindings.set(name, builder.bindList(name, list));
      continue;
    }
    const keeper = rowBehind(builder, checked)?.keeper;
    const code = builder.memo(name, builder.emit(checked));
    builder.bindings.set(name, { code: code.length <= INLINE_LENGTH_MAX ? code : builder.outOfLine(name, code), keeper });
  }
}
