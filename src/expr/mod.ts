/** CEL with exact decimals: the public face of this folder. DESIGN.md section 4 is the definition, docs/expressions.md its form for users. */
import type { Type } from "../data/types.ts";
import { checkSource } from "./check/source.ts";
import type { Bindings, Checked, CodeUnit, Expressions } from "./contracts.ts";
import { conversion } from "./conversions.ts";
import { emitTree, emitWholeList, listOfTree } from "./emit/emit.ts";
import { Unit, UnitEmitter } from "./emit/unit.ts";
import type { Node } from "./tree.ts";

export { type AggregateFunction, checkAggregate, type CheckedAggregate } from "./aggregates.ts";
export { EvaluationError } from "./contracts.ts";
export { evaluate } from "./evaluate.ts";

export const expressions: Expressions = {
  check: checkSource,
  emit(checked: Checked, bindings: Bindings, unit: CodeUnit): string {
    return emitTree(checked.tree as Node, bindings, unit);
  },
  convert(code: string, from: Type, to: Type, unit: CodeUnit): string {
    return conversion(from, to)?.([code], new UnitEmitter(unit)) ?? code;
  },
  listOf: (checked, bindings, unit, local) => listOfTree(checked.tree as Node, bindings, unit, local),
  wholeList: emitWholeList,
  unit: () => new Unit(),
};
