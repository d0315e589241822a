/** One evaluation of a checked expression: for start-up conditions, parameters and tests, where no loop is generated. */
import type { Binding, Checked } from "./contracts.ts";
import { emitTree } from "./emit/emit.ts";
import { Unit } from "./emit/unit.ts";
import { type Node, pathsOf } from "./tree.ts";

/** Compiles and runs once; `values` by variable, in run-time representation. Throws EvaluationError. */
export function evaluate(checked: Checked, values: ReadonlyMap<string, unknown>): unknown {
  return compileToFunction(checked)(values);
}

/** The expression as a function of its variables. */
export function compileToFunction(checked: Checked): (values: ReadonlyMap<string, unknown>) => unknown {
  const unit = new Unit();
  const node = checked.tree as Node;
  const bindings = new Map<string, Binding>();
  const declarations: string[] = [];
  for (const path of pathsOf(node)) {
    if (path.local !== null || bindings.has(path.root)) continue;
    const local = unit.local("v");
    declarations.push(`const ${local} = values.get(${JSON.stringify(path.root)}) ?? null;`);
    bindings.set(path.root, { code: local });
  }
  const code = emitTree(node, bindings, unit);
  return unit.build(["values"], `${declarations.join("\n")}\nreturn ${code};`);
}
