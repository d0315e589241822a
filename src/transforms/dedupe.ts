/** `dedupe`: passes on the first record of each key; a repeat goes to the port `duplicates` and is counted. */
import { scopeOf, type TransformContext, type TransformPlan, type TransformSpec } from "../component/component.ts";
import { isNumeric, type RecordType } from "../data/types.ts";
import type { StateTableSpec } from "../engine/contracts.ts";
import type { Checked } from "../expr/contracts.ts";
import { keyedName, requireKeyKind } from "./support/keys.ts";
import { type Loop, LoopBuilder } from "./support/loop_builder.ts";
import { narrow, PlanChecker, rootsOf } from "./support/plan_checker.ts";
import { plainField } from "./support/projection.ts";
import { once, RowOperator } from "./support/row_operator.ts";
import { INPUTS, WHERE } from "./support/settings.ts";
import type { OutputShape } from "./support/work.ts";

interface DedupePlan {
  readonly input: RecordType;
  readonly where: Checked | null;
  /** [within, key] or [key]. */
  readonly parts: readonly Checked[];
  readonly used: ReadonlySet<string>;
}

function planDedupe(context: TransformContext): TransformPlan | null {
  const checker = new PlanChecker(context);
  const { settings } = context;
  const input = context.inputs[0].type;
  let scope = scopeOf(input, context);
  const where = settings.has("where") ? checker.condition(settings.cel("where"), scope) : null;
  if (where !== null) scope = narrow(scope, where.whenTrue);
  const key = checker.check(settings.cel("key"), scope);
  const within = settings.has("within") ? checker.check(settings.cel("within"), scope) : null;
  if (key !== null && key.type.nullable) {
    checker.fault(
      key.source.span,
      "the key may be null, and records without a key cannot be told apart",
      `pass on only those that have one: where = "${key.source.text.trim()} != null"`,
    );
  }
  if (settings.has("keep")) {
    checker.fault(settings.at("keep"), "`keep` with a bound is not there yet", "leave `keep` out: every key is remembered for ever");
  }
  const parts = [
    ...(within === null ? [] : [{ checked: within, what: "`within`" }]),
    ...(key === null ? [] : [{ checked: key, what: "the key" }]),
  ];
  const kinds = parts.map(({ checked, what }) => requireKeyKind(checked, what, checker));
  if (checker.failed) return null;
  const checked = parts.map((part) => part.checked);
  const used = new Set([...checked, ...(where === null ? [] : [where])].flatMap((c) => [...rootsOf(c)]));
  const shape: OutputShape = { type: input, inputs: input.fields.map((_, index) => index) };
  const loop = once(() => compileDedupe({ input, where, parts: checked, used }, new LoopBuilder(context.expressions)));
  const table: StateTableSpec = {
    name: keyedName("seen", checked.map((part) => part.type)),
    key: kinds.map((kind) => kind!),
    columns: [],
    version: 1,
  };
  const owner = plainField(checked[0], input);
  return {
    outputs: new Map([["out", input], ["duplicates", input]]),
    needs: (
      outputs,
    ) => [new Set([...used, ...(outputs.get("out") ?? []), ...(outputs.get("duplicates") ?? [])].filter((name) => isField(input, name)))],
    keyedBy: owner < 0 ? "*" : input.fields[owner].name,
    needsEnd: false,
    create: ({ state }) => new RowOperator(loop(), shape, [state.table(table)], { port: "duplicates", count: "duplicates" }),
  };
}

function isField(type: RecordType, name: string): boolean {
  return type.fields.some((field) => field.name === name);
}

function compileDedupe(plan: DedupePlan, builder: LoopBuilder): Loop {
  builder.readRecord(plan.input, plan.used);
  const locals = plan.parts.map(() => builder.local("key"));
  const body = [
    plan.where === null ? "" : `if (!(${builder.emit(plan.where)})) { filtered++; continue; }`,
    ...plan.parts.map((part, index) => `${locals[index]} = ${builder.keyPart(builder.emit(part), part.type)};`),
    // One search: a key that was there already gets a slot below the size before.
    `known = seen.size; if (seen.insert(${locals.join(", ")}) < known) { others[d++] = i; continue; }`,
    "rows[o++] = i;",
  ];
  const columns = plan.parts.map((part) => plainField(part, plan.input));
  const areNumbers = columns.every((index) => index >= 0 && isNumeric(plan.input.fields[index].type));
  const arrays = columns.map((index) => `batch.columns[${index}].values`).join(", ");
  return builder.build("dedupe", body.join("\n"), {
    before: [
      "const seen = state[0], rows = work.rows, others = work.others;",
      "let o = work.count, d = work.otherCount, filtered = 0, known = 0;",
      areNumbers ? `seen.warm([${arrays}], from, to);` : "",
    ].join("\n"),
    after: "work.count = o; work.otherCount = d; work.filtered += filtered;",
  });
}

/** The first record of each key. */
export const dedupe: TransformSpec = {
  role: "transform",
  type: "dedupe",
  summary: "Passes on the first record of each key; repeats go to the port `duplicates`.",
  notes: `Every key is remembered for ever, in the pipeline's state. With \`within\`, a key is compared only among records with the same
\`within\`, so that the result does not depend on how the input is divided into lanes.`,
  inputs: ["inputs"],
  settings: {
    kind: "group",
    doc: "Settings of a dedupe.",
    fields: {
      inputs: INPUTS,
      where: WHERE,
      key: { kind: "cel", doc: "What makes two records the same; never null." },
      within: { kind: "cel", optional: true, doc: "Keys are compared only among records with the same value of this." },
      keep: {
        kind: "group",
        optional: true,
        doc: "How long keys are remembered. Left out: for ever.",
        fields: {
          count: { kind: "int", unit: "keys", min: 1, max: Number.MAX_SAFE_INTEGER, optional: true, doc: "The newest keys by arrival." },
          for: { kind: "duration", optional: true, doc: "Event time." },
        },
      },
    },
  },
  examples: [{
    title: "Each payment once per account",
    toml: `[sources.payments]
type   = "csv"
path   = "payments.csv"
fields = { id = "int", account = "string" }

[transforms.first]
type   = "dedupe"
inputs = ["payments"]
key    = "id"
within = "account"

[sinks.out]
type   = "csv"
inputs = ["first"]
path   = "first.csv"

[[tests]]
name           = "a repeat on the same account is dropped"
given.payments = [{ id = 1, account = "a" }, { id = 1, account = "a" }, { id = 1, account = "b" }]
expect.out     = [{ id = 1, account = "a" }, { id = 1, account = "b" }]
`,
  }],
  plan: planDedupe,
};
