/** `map`: sets, keeps and drops fields of each record, and filters. */
import type { TransformContext, TransformPlan, TransformSpec } from "../component/component.ts";
import type { GroupSetting } from "../component/settings.ts";
import { MissingRowsOperator, planMissing } from "./missing/operator.ts";
import { compileProbe, type Probed, refuseChanging } from "./missing/probe.ts";
import { LoopBuilder } from "./support/loop_builder.ts";
import { PlanChecker } from "./support/plan_checker.ts";
import { compileProjection, fieldsNeeded, planProjection } from "./support/projection.ts";
import { keptTableNames, keptTablesOf } from "./support/lookups.ts";
import { once, RowOperator } from "./support/row_operator.ts";
import { newWork } from "./support/work.ts";
import { INPUTS, LET, REQUIRE, SET, WHERE } from "./support/settings.ts";

/** The plan of a transform that turns one record into one record. */
export function planRowTransform(context: TransformContext, declared: GroupSetting): TransformPlan | null {
  const checker = new PlanChecker(context);
  const projection = planProjection({
    checker,
    settings: context.settings,
    declared,
    input: context.inputs[0].type,
    tables: context.tables,
  });
  const probed: Probed = { ...projection, key: null };
  refuseChanging(probed, checker);
  if (checker.failed) return null;
  const loop = once(() => compileProjection(projection, context.name, new LoopBuilder(context.expressions)));
  const missing = planMissing(probed, once(() => compileProbe(probed, new LoopBuilder(context.expressions))), null);
  const tables = keptTableNames(projection.lookups);
  return {
    outputs: new Map([["out", projection.shape.type]]),
    needs: (outputs) => [fieldsNeeded(projection, outputs.get("out") ?? new Set())],
    keyedBy: null,
    needsEnd: false,
    tables,
    create: (operatorContext) => {
      const work = newWork(keptTablesOf(tables, operatorContext));
      const operator = new RowOperator(loop(), projection.shape, [], null, work);
      return missing ? new MissingRowsOperator({ operator, work }, operator, missing(), operatorContext) : operator;
    },
  };
}

/** One record in, at most one record out. */
export const map: TransformSpec = {
  role: "transform",
  type: "map",
  summary: "Sets, keeps and drops fields of each record; rows that fail `where` end here.",
  notes: `The stages of a record: \`where\` → \`let\` → \`set\` → \`keep\` or \`drop\` → \`require\`.
All right-hand sides of \`set\` see the record as it came in. Fields that are not set cost nothing: their columns are passed on as they are.`,
  inputs: ["inputs"],
  settings: {
    kind: "group",
    doc: "Settings of a map.",
    fields: {
      inputs: INPUTS,
      where: WHERE,
      let: LET,
      set: SET,
      keep: { kind: "text_list", optional: true, doc: "The fields of the result, in this order." },
      drop: { kind: "text_list", optional: true, doc: "Fields to leave out of the result." },
      require: REQUIRE,
    },
  },
  examples: [{
    title: "Approve what is pending",
    toml: `[sources.orders]
type   = "csv"
path   = "orders.csv"
fields = { id = "int", status = "string" }

[transforms.settled]
type   = "map"
inputs = ["orders"]
set    = { status = "status == 'pending' ? 'approved' : status" }

[sinks.out]
type   = "csv"
inputs = ["settled"]
path   = "settled.csv"

[[tests]]
name         = "a pending order is approved"
given.orders = [{ id = 1, status = "pending" }, { id = 2, status = "declined" }]
expect.out   = [{ id = 1, status = "approved" }, { id = 2, status = "declined" }]
`,
  }],
  plan: (context) => planRowTransform(context, map.settings),
};
