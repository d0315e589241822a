/**
 * What a schema asks of whole records, right behind its source: `require` in document order, then `unique`. A refused record is
 * not remembered, so a correct one with the same value may still come.
 */
import { type PlanContext, type SchemaPlan, scopeOf, type TransformPlan } from "../component/component.ts";
import { assert } from "../data/fault.ts";
import type { Field } from "../data/types.ts";
import type { StateTableSpec } from "../engine/contracts.ts";
import { keyKind, typedName } from "./support/keys.ts";
import { type Loop, LoopBuilder } from "./support/loop_builder.ts";
import { nearestHint } from "./support/names.ts";
import { narrow, PlanChecker, rootsOf } from "./support/plan_checker.ts";
import { requireCode, type Requirement } from "./support/requirements.ts";
import { once, RowOperator } from "./support/row_operator.ts";
import type { OutputShape } from "./support/work.ts";
import { typeText } from "../data/types.ts";

/** The operator behind a source of this schema; null when the schema asks for nothing, or faults were reported. */
export function planIntake(schema: SchemaPlan, context: PlanContext): TransformPlan | null {
  if (schema.unique.length === 0 && schema.require.length === 0) return null;
  const checker = new PlanChecker(context);
  const requirements = planRequires(schema, checker);
  const unique = schema.unique.map((name) => uniqueField(name, schema, checker)).filter((field) => field !== null);
  if (checker.failed) return null;
  const { type } = schema;
  const used = new Set([...requirements.flatMap(({ that }) => [...rootsOf(that)]), ...schema.unique]);
  const shape: OutputShape = { type, inputs: type.fields.map((_, index) => index) };
  const loop = once(() => compileIntake(schema, requirements, unique, used, new LoopBuilder(context.expressions), context.name));
  const tables = unique.map((field): StateTableSpec => ({
    name: typedName(`unique ${field.name}`, field.type),
    key: [keyKind(field.type)!],
    columns: [],
    version: 1,
  }));
  return {
    outputs: new Map([["out", type]]),
    needs: (
      outputs,
    ) => [new Set(type.fields.map((f) => f.name).filter((name) => used.has(name) || (outputs.get("out")?.has(name) ?? false)))],
    keyedBy: unique.length === 0 ? null : "*",
    needsEnd: false,
    create: ({ state }) => new RowOperator(loop(), shape, tables.map((table) => state.table(table))),
  };
}

function planRequires(schema: SchemaPlan, checker: PlanChecker): Requirement[] {
  let scope = scopeOf(schema.type, checker.context);
  return schema.require.flatMap(({ code, that }) => {
    const checked = checker.condition(that, scope);
    if (checked === null) return [];
    scope = narrow(scope, checked.whenTrue);
    return [{ code, that: checked, otherwise: "reject" as const }];
  });
}

function uniqueField(name: string, schema: SchemaPlan, checker: PlanChecker): Field | null {
  const field = schema.type.fields.find((f) => f.name === name);
  const { span } = checker.context.settings;
  if (field === undefined) {
    checker.fault(
      span,
      `\`unique\` of schema "${schema.name}": there is no field "${name}"`,
      nearestHint(name, schema.type.fields.map((f) => f.name)),
    );
    return null;
  }
  if (keyKind(field.type) === null) {
    checker.fault(
      span,
      `\`unique\` of schema "${schema.name}": "${name}" is a ${typeText(field.type)}`,
      "unique fields are int, decimal, string, bool, timestamp, date or duration",
    );
    return null;
  }
  return field;
}

function compileIntake(
  schema: SchemaPlan,
  requirements: readonly Requirement[],
  unique: readonly Field[],
  used: ReadonlySet<string>,
  builder: LoopBuilder,
  node: string,
): Loop {
  builder.readRecord(schema.type, used);
  const find: string[] = [];
  const insert: string[] = [];
  for (const [index, field] of unique.entries()) {
    const binding = builder.bindings.get(field.name);
    assert(binding !== undefined, "a unique field is read");
    const seen = builder.hoist("seen", `state[${index}]`);
    const value = builder.local(field.name);
    // Nulls are not equal to each other, as in SQL.
    const there = field.type.nullable ? `${value} !== null && ` : "";
    find.push(`${value} = ${builder.keyPart(binding.code, field.type)};`);
    find.push(`if (${there}${seen}.find(${value}) >= 0) { out.reject(batch, i, ${JSON.stringify(`duplicate:${field.name}`)}); continue; }`);
    insert.push(field.type.nullable ? `if (${value} !== null) ${seen}.insert(${value});` : `${seen}.insert(${value});`);
  }
  const body = [requireCode(builder, requirements, node), ...find, ...insert, "rows[o++] = i;"];
  return builder.build("intake", body.join("\n"), { before: "let o = work.count; const rows = work.rows;", after: "work.count = o;" });
}
