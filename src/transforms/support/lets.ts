/**
 * `let`: named values of a record, evaluated at most once per record and only where something reads them; a text that follows from a
 * looked-up row alone, at most once per row of its table.
 */
import type { TableRows } from "../../component/component.ts";
import { isNumeric } from "../../data/types.ts";
import type { CelTable } from "../../component/settings.ts";
import type { Checked, Scope } from "../../expr/contracts.ts";
import { dependencyOrder } from "./dependency_order.ts";
import type { LoopBuilder } from "./loop_builder.ts";
import { nameFault } from "./names.ts";
import { type PlanChecker, rootsOf, withVariables } from "./plan_checker.ts";

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
    const code = builder.memo(name, onceByRow(builder, checked) ?? builder.emit(checked));
    builder.bindings.set(name, { code: code.length <= INLINE_LENGTH_MAX ? code : builder.outOfLine(name, code) });
  }
}

/**
 * Code that keeps the value of a text expression which reads one looked-up row and nothing else: tables stay as they are while a
 * pipeline runs. null for any other expression; numbers are as cheap to compute as to keep.
 */
function onceByRow(builder: LoopBuilder, checked: Checked): string | null {
  const [root, ...others] = rootsOf(checked);
  const looked = root === undefined || others.length > 0 ? undefined : builder.looked.get(root);
  if (looked === undefined || isNumeric(checked.type) || /^[\w.\s]+$/.test(checked.source.text)) return null;
  const kept = builder.hoist("kept", `${builder.unit.constant(keptByRow(), "keptByRow")}(${looked.table})`);
  const row = builder.local("row");
  const value = builder.local("value");
  const known = `(${row} = ${looked.row} + 1, ${value} = ${kept}[${row}])`;
  return `(${known} === undefined ? ${kept}[${row}] = ${builder.emit(checked)} : ${value})`;
}

/** Gives the values kept for a table, by row number + 1; begins anew when the table was loaded again. */
function keptByRow(): (table: TableRows) => unknown[] {
  let loaded: unknown = null;
  let kept: unknown[] = [];
  return (table) => {
    const { values } = table.columns[0];
    if (loaded !== values) {
      loaded = values;
      kept = new Array(values.length + 1).fill(undefined);
    }
    return kept;
  };
}
