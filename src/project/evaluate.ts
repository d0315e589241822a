/** Runs conditions of the configuration itself: warnings over parameters, checks over totals. */
import type { Type } from "../data/types.ts";
import { type Binding, type Checked, EvaluationError, type Expressions } from "../expr/contracts.ts";

/** Compiles a checked condition over `variables`, whose values are handed in in that order. Not evaluable counts as false. */
export function compileCondition(
  checked: Checked,
  variables: readonly { readonly name: string; readonly type: Type }[],
  expressions: Expressions,
): (values: readonly unknown[]) => boolean {
  const unit = expressions.unit();
  const bindings = new Map<string, Binding>(variables.map(({ name }, index) => [name, { code: `values[${index}]` }]));
  const code = expressions.emit(checked, bindings, unit);
  const run = unit.build<(values: readonly unknown[]) => unknown>(["values"], `return ${code};`);
  return (values) => {
    try {
      return run(values) === true;
    } catch (error) {
      if (error instanceof EvaluationError) return false;
      throw error;
    }
  };
}
