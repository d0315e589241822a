/**
 * CEL over the rows of a batch, for sort keys and record keys of sinks. A sink cannot refuse a record, so an expression that
 * could fail is a fault of the configuration.
 */
import type { Batch } from "../data/batch.ts";
import type { RecordType, Type } from "../data/types.ts";
import { isNumeric } from "../data/types.ts";
import { lacksParameter, type PlanContext, scopeOf } from "../component/component.ts";
import type { Cel } from "../component/settings.ts";
import type { Binding, Checked, CodeUnit } from "../expr/contracts.ts";

/** Values in their run-time representation (data/types.ts). */
export type RowFunction = (row: number) => unknown;
export interface RowExpression {
  readonly type: Type;
  /** The place of the field that the expression only names; null for anything more. */
  readonly field: number | null;
  /** Fields of the record that are read. */
  readonly uses: ReadonlySet<string>;
  /** Looks the columns up once; the result is valid for this batch only. */
  readonly over: (batch: Batch) => RowFunction;
}

/** Checks and compiles one expression over records of `type`; null when faults were reported. */
export function compileRowExpression(cel: Cel, type: RecordType, context: PlanContext): RowExpression | null {
  const checked = context.expressions.check(cel, scopeOf(type, context), (fault) => context.report(fault));
  if (!checked || lacksParameter(checked)) return null;
  if (checked.canFail) {
    context.fault(
      cel.span,
      `this expression can fail for some records, and a sink cannot reject them`,
      "compute it in a `map` before the sink",
    );
    return null;
  }
  if (checked.uses.has("meta.epoch_time")) {
    context.fault(cel.span, "a sink does not know meta.epoch_time", "set a field from it in a `map` before the sink");
    return null;
  }
  const named = type.fields.findIndex(({ name }) => name === cel.text.trim());
  return { type: checked.type, field: named < 0 ? null : named, uses: fieldsOf(checked, type), over: build(checked, type, context) };
}

function fieldsOf(checked: Checked, type: RecordType): ReadonlySet<string> {
  const roots = new Set([...checked.uses].map((path) => path.split(".")[0]));
  return new Set(type.fields.map((field) => field.name).filter((name) => roots.has(name)));
}

function build(checked: Checked, type: RecordType, context: PlanContext): (batch: Batch) => RowFunction {
  const unit = context.expressions.unit();
  const perBatch: string[] = [];
  const perRow: string[] = [];
  const bindings = new Map<string, Binding>();
  const uses = fieldsOf(checked, type);
  type.fields.forEach((field, index) => {
    if (uses.has(field.name)) bindings.set(field.name, bindColumn(field.type, index, unit, perBatch, perRow));
  });
  bindings.set("meta", bindMeta(unit, perBatch));
  const value = context.expressions.emit(checked, bindings, unit);
  return unit.build(["batch"], `${perBatch.join("\n")}\nreturn (row) => {\n${perRow.join("\n")}\nreturn ${value};\n};`, "row_expression");
}

function bindColumn(type: Type, index: number, unit: CodeUnit, perBatch: string[], perRow: string[]): Binding {
  const column = unit.local("column");
  const value = unit.local("value");
  perBatch.push(`const ${column} = batch.columns[${index}];`);
  if (isNumeric(type)) {
    const values = unit.local("values");
    const valid = unit.local("valid");
    perBatch.push(`const ${values} = ${column}.values, ${valid} = ${column}.valid;`);
    const read = type.kind === "bool" ? `${values}[row] === 1` : `${values}[row]`;
    perRow.push(`const ${value} = ${valid} === null || ${valid}[row] !== 0 ? ${read} : null;`);
  } else {
    perRow.push(`const ${value} = ${column}.kind === "text" ? ${column}.at(row) : ${column}.values[row];`);
  }
  return { code: value };
}

function bindMeta(unit: CodeUnit, perBatch: string[]): Binding {
  const meta = unit.local("meta");
  const position = unit.local("position");
  const origin = unit.local("origin");
  perBatch.push(`const ${meta} = batch.meta, ${position} = ${meta}.position, ${origin} = ${meta}.origin;`);
  const fields = new Map<string, Binding>([
    ["source", { code: `${meta}.source` }],
    ["partition", { code: `${meta}.partition` }],
    ["position", { code: `${position}[row]` }],
    ["origin", { code: `${origin}[row]` }],
  ]);
  return { code: `({${[...fields].map(([name, { code }]) => `${name}: ${code}`).join(", ")}})`, fields };
}
