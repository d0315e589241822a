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
import type { OutputShape, Work } from "./support/work.ts";
import { type Keep, keepCode, keepColumns, RememberingOperator } from "./dedupe/key_memory.ts";

interface DedupePlan {
  readonly input: RecordType;
  readonly where: Checked | null;
  /** [within, key] or [key]. */
  readonly parts: readonly Checked[];
  readonly used: ReadonlySet<string>;
  readonly keep: Keep | null;
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
  const keep = settings.has("keep") ? readKeep(context, checker) : null;
  const parts = [
    ...(within === null ? [] : [{ checked: within, what: "`within`" }]),
    ...(key === null ? [] : [{ checked: key, what: "the key" }]),
  ];
  const kinds = parts.map(({ checked, what }) => requireKeyKind(checked, what, checker));
  if (checker.failed) return null;
  const checked = parts.map((part) => part.checked);
  const used = new Set([...checked, ...(where === null ? [] : [where])].flatMap((c) => [...rootsOf(c)]));
  const shape: OutputShape = { type: input, inputs: input.fields.map((_, index) => index) };
  const loop = once(() => compileDedupe({ input, where, parts: checked, used, keep }, new LoopBuilder(context.expressions)));
  const table: StateTableSpec = {
    name: keyedName("seen", checked.map((part) => part.type)),
    key: kinds.map((kind) => kind!),
    columns: keep === null ? [] : keepColumns(keep),
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
    create: ({ state }) => {
      const seen = state.table(table);
      const rows = (work?: Work) => new RowOperator(loop(), shape, [seen], { port: "duplicates", count: "duplicates" }, work);
      return keep === null ? rows() : new RememberingOperator(keep, seen, rows);
    },
  };
}

function readKeep({ settings, inputs: [input] }: TransformContext, checker: PlanChecker): Keep | null {
  const group = settings.group("keep");
  if (group.has("count") === group.has("for")) {
    checker.fault(group.span, "`keep` says either `for` how long or the `count` of keys", 'keep = { for = "10m" }');
    return null;
  }
  if (group.has("count")) return { kind: "count", keys: group.number("count") };
  if (!input.timed) {
    const hint = 'each source that they come from needs time = { field = "...", lateness = "2s" }; or keep = { count = 1_000_000 }';
    checker.fault(group.at("for"), `rows of "${input.node}" have no event time`, hint);
  }
  return { kind: "for", micros: group.number("for") * 1000 };
}

function isField(type: RecordType, name: string): boolean {
  return type.fields.some((field) => field.name === name);
}

function compileDedupe(plan: DedupePlan, builder: LoopBuilder): Loop {
  builder.readRecord(plan.input, plan.used);
  const locals = plan.parts.map(() => builder.local("key"));
  const whole = plan.parts.map((part, index) => `${locals[index]} = ${builder.keyPart(builder.emit(part), part.type)}`);
  const slice = plan.parts.length === 1 ? builder.textSlice(plan.parts[0]) : null;
  // A key that is one text is put in from where it lies.
  const insert = slice === null
    ? `seen.insert(${whole.join(", ")})`
    : `(${slice.bytes} !== null ? seen.insertText(${slice.bytes}, ${slice.from}, ${slice.to}) : seen.insert(${whole[0]}))`;
  const keep = plan.keep && keepCode(plan.keep, insert, builder);
  // One search: a key that was there already gets a slot below the size before. Either list takes the row, and only one of them counts
  // it: V8 throws compiled code away at the first repeat, should that come to a store of its own.
  const divide = `known = seen.size; fresh = ${insert} < known ? 0 : 1; rows[o] = others[d] = i; o += fresh; d += 1 - fresh;`;
  const body = [
    plan.where === null ? "" : `if (!(${builder.emit(plan.where)})) { filtered++; continue; }`,
    keep === null ? divide : `${keep.body}\nrows[o++] = i;`,
  ];
  const columns = plan.parts.map((part) => plainField(part, plan.input));
  const areNumbers = columns.every((index) => index >= 0 && isNumeric(plan.input.fields[index].type));
  const arrays = columns.map((index) => `batch.columns[${index}].values`).join(", ");
  return builder.build("dedupe", body.join("\n"), {
    before: [
      "const seen = state[0], rows = work.rows, others = work.others;",
      "let o = work.count, d = work.otherCount, filtered = 0, known = 0, fresh = 0;",
      areNumbers ? `seen.warm([${arrays}], from, to);` : "",
      keep?.before ?? "",
    ].join("\n"),
    after: "work.count = o; work.otherCount = d; work.filtered += filtered;",
  });
}

/** The first record of each key. */
export const dedupe: TransformSpec = {
  role: "transform",
  type: "dedupe",
  summary: "Passes on the first record of each key; repeats go to the port `duplicates`.",
  notes: `Every key is remembered for ever, in the pipeline's state, unless \`keep\` says for how long. Event time is that of the row which
brought the key: a repeat is a new row when the watermark has come further than \`for\` behind it. With \`within\`, a key is compared only among records with the same
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
          count: {
            kind: "int",
            unit: "keys",
            min: 1,
            max: Number.MAX_SAFE_INTEGER,
            optional: true,
            doc: "So many, in each lane: the newest by arrival.",
          },
          for: { kind: "duration", optional: true, doc: "For so much event time; the sources need `time`." },
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
