/** `join`: left rows with the one right row of the same key. Bounded: the right side is read to its end first. */
import { type TransformContext, type TransformPlan, type TransformSpec } from "../component/component.ts";
import { BATCH_ROWS_MAX } from "../data/limits.ts";
import type { Batch } from "../data/batch.ts";
import { type Field, type RecordType, type Type, typeText, withoutNull } from "../data/types.ts";
import type { Operator, OperatorContext, Output } from "../engine/contracts.ts";
import { LeftRows } from "./join/left_rows.ts";
import { bindRight, type RightPlan, RightRows } from "./join/right_rows.ts";
import { keyKind } from "./support/keys.ts";
import { type Loop, LoopBuilder } from "./support/loop_builder.ts";
import { nearestHint } from "./support/names.ts";
import { PlanChecker } from "./support/plan_checker.ts";
import { compileProjection, fieldsNeeded, planProjection, type Projection } from "./support/projection.ts";
import { RowOperator } from "./support/row_operator.ts";
import { LET, REQUIRE, SET } from "./support/settings.ts";

const [LEFT, RIGHT] = [0, 1];

interface JoinPlan {
  readonly projection: Projection;
  readonly right: RightPlan;
  readonly left: RecordType;
  readonly loop: Loop;
}

function plan(context: TransformContext): TransformPlan | null {
  const checker = new PlanChecker(context);
  const { settings } = context;
  const [left, right] = context.inputs.map((input) => input.type);
  const on = checkOn(settings.texts("on"), left, right, checker);
  const how = settings.text("how");
  const row: Type = { kind: "struct", fields: right.fields, nullable: how === "left" };
  const taken = left.fields.find((field) => field.name === "right");
  if (taken !== undefined) {
    checker.fault(settings.span, 'the left side has a field "right", which here means the right row', "rename the field in a map before");
  }
  const projection = planProjection({
    checker,
    settings,
    declared: join.settings,
    input: left,
    tables: context.tables,
    more: new Map([["right", row]]),
  });
  if (checker.failed) return null;
  const compiled = compileJoin(projection, on, right, how, context);
  const joined: JoinPlan = {
    projection,
    left,
    loop: compiled.loop,
    right: {
      node: context.name,
      on: on.map((pair) => pair.right),
      fields: compiled.fields,
      match: settings.text("match") as RightPlan["match"],
    },
  };
  const rightNeeds = new Set([...on.map((pair) => pair.right.name), ...compiled.fields.map((field) => field.name)]);
  return {
    outputs: new Map([["out", projection.shape.type]]),
    needs: (outputs) => {
      const leftNeeds = fieldsNeeded(projection, outputs.get("out") ?? new Set());
      for (const pair of on) leftNeeds.add(pair.left.name);
      return [leftNeeds, rightNeeds];
    },
    keyedBy: "*",
    needsEnd: true,
    create: (operatorContext) => new JoinOperator(joined, operatorContext),
  };
}

interface Pair {
  readonly left: Field;
  readonly right: Field;
}

function checkOn(names: readonly string[], left: RecordType, right: RecordType, checker: PlanChecker): Pair[] {
  const span = checker.context.settings.at("on");
  if (names.length === 0 || names.length > 4) checker.fault(span, `\`on\` names ${names.length} fields`, "a join compares 1 to 4 fields");
  const pairs: Pair[] = [];
  for (const name of names) {
    const sides = [left, right].map((type) => type.fields.find((field) => field.name === name));
    for (const [side, type] of [left, right].entries()) {
      if (sides[side] === undefined) {
        checker.fault(
          span,
          `the ${side === LEFT ? "left" : "right"} side has no field "${name}"`,
          nearestHint(name, type.fields.map((f) => f.name)),
        );
      }
    }
    const [a, b] = sides;
    if (a === undefined || b === undefined) continue;
    const [typeA, typeB] = [typeText(withoutNull(a.type)), typeText(withoutNull(b.type))];
    if (typeA !== typeB) {
      checker.fault(span, `"${name}" is ${typeA} on the left and ${typeB} on the right`, "convert one of them in a map before");
    } else if (keyKind(a.type) === null) {
      checker.fault(
        span,
        `"${name}" cannot be compared: it is ${typeA}`,
        "keys are int, decimal, string, bool, timestamp, date or duration",
      );
    } else pairs.push({ left: a, right: b });
  }
  return pairs;
}

/** The loop over left rows, and the fields of the right side that it reads. */
function compileJoin(
  projection: Projection,
  on: readonly Pair[],
  right: RecordType,
  how: string,
  context: TransformContext,
): { loop: Loop; fields: Field[] } {
  const compile = (wholeRow: "absent" | "present") => {
    const builder = new LoopBuilder(context.expressions);
    const withKey = { ...projection, used: new Set([...projection.used, ...on.map((pair) => pair.left.name)]) };
    const slot = builder.local("slot");
    const bound = bindRight(builder, right.fields, slot, wholeRow);
    builder.bindings.set("right", bound.binding);
    const prelude = (): string => {
      const keys = on.map(({ left }) => ({
        local: builder.local(left.name),
        code: builder.keyPart(builder.bindings.get(left.name)!.code, left.type),
        left,
      }));
      const nulls = keys.filter(({ left }) => left.type.nullable).map(({ local }) => `${local} === null`);
      const find = `state[0].find(${keys.map(({ local }) => local).join(", ")})`;
      return [
        ...keys.map(({ local, code }) => `${local} = ${code};`),
        `${slot} = ${nulls.length === 0 ? find : `${nulls.join(" || ")} ? -1 : ${find}`};`,
        how === "inner" ? `if (${slot} < 0) { filtered++; continue; }` : "",
      ].join("\n");
    };
    const loop = compileProjection(withKey, context.name, builder, prelude);
    const all = wholeRow === "present";
    return { loop, whole: builder.mentions(bound.whole), fields: right.fields.filter((field) => all || bound.asked.has(field.name)) };
  };
  const compiled = compile("absent");
  return compiled.whole ? compile("present") : compiled;
}

class JoinOperator implements Operator {
  readonly #right: RightRows;
  readonly #left: LeftRows;
  readonly #rows: RowOperator;
  #rightEnded = false;

  constructor(join: JoinPlan, { state }: OperatorContext) {
    this.#right = new RightRows(join.right, state);
    this.#left = new LeftRows(join.left, state);
    this.#rows = new RowOperator(join.loop, join.projection.shape, [this.#right.table]);
  }

  process(input: number, batch: Batch, out: Output): void {
    if (input === RIGHT) this.#right.add(batch, out);
    // Behind rows that still wait a row waits too: the order of the left side is the order of the result.
    else if (this.#rightEnded && this.#left.drained === this.#left.size) this.#rows.process(LEFT, batch, out);
    else this.#left.hold(batch);
  }

  inputEnded(input: number): void {
    if (input === RIGHT) this.#rightEnded = true;
  }

  backlog(at: number): number {
    return this.#rightEnded ? this.#left.size - at : 0;
  }

  drain(at: number, rowsMax: number, out: Output): number {
    const to = Math.min(this.#left.size, at + Math.min(rowsMax, BATCH_ROWS_MAX));
    for (const batch of this.#left.batches(at, to)) this.#rows.process(LEFT, batch, out);
    this.#left.drained = to;
    return to;
  }
}

/** Two inputs of one key, one row out for each left row. */
export const join: TransformSpec = {
  role: "transform",
  type: "join",
  summary: "Sets fields of each left row from the right row with the same key.",
  notes: `The right side is read to its end first; left rows that come earlier wait, in the checkpoint. So both inputs must end.
The result's fields are those of the left row, then those that \`set\` adds; \`right\` is the matching row. With \`how = "left"\` it is null
where nothing matches: test it (\`right != null\`) or give a default (\`coalesce(right.total, 0.00)\`). A null never matches. A row of the
result comes from where its left row came from: \`meta.position\` is that of the left row.`,
  inputs: ["left", "right"],
  settings: {
    kind: "group",
    doc: "Settings of a join.",
    fields: {
      left: { kind: "text", doc: "The node whose rows come out." },
      right: { kind: "text", doc: "The node whose rows are matched." },
      on: { kind: "text_list", doc: "The fields that must be equal, by name on both sides." },
      how: {
        kind: "choice",
        default: "left",
        doc: "What happens to a left row that nothing matches.",
        choices: { left: "It comes out, with `right` null.", inner: "It ends here and counts as filtered." },
      },
      match: {
        kind: "choice",
        default: "one",
        doc: "What a second right row with the same key means.",
        choices: { one: "The run stops.", first: "It is passed over." },
      },
      let: LET,
      set: SET,
      keep: { kind: "text_list", optional: true, doc: "The fields of the result, in this order." },
      drop: { kind: "text_list", optional: true, doc: "Fields to leave out of the result." },
      require: { ...REQUIRE, doc: "Conditions that every result must fulfil; they see it and `right`." },
    },
  },
  examples: [{
    title: "What each account gained",
    toml: `[sources.accounts]
type   = "csv"
path   = "accounts.csv"
fields = { id = "int", balance = "decimal(2)" }

[sources.gains]
type   = "csv"
path   = "gains.csv"
fields = { id = "int", gain = "decimal(2)" }

[transforms.closed]
type  = "join"
left  = "accounts"
right = "gains"
on    = ["id"]
set   = { balance = "balance + coalesce(right.gain, 0.00)" }

[sinks.out]
type   = "csv"
inputs = ["closed"]
path   = "closed.csv"

[[tests]]
name           = "an account that gained nothing keeps its balance"
given.accounts = [{ id = 1, balance = 10.00 }, { id = 2, balance = 20.00 }]
given.gains    = [{ id = 1, gain = 0.50 }]
expect.out     = [{ id = 1, balance = 10.50 }, { id = 2, balance = 20.00 }]
`,
  }],
  plan,
};
