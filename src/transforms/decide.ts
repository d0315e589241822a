/** `decide`: ordered rules over a record, looked-up rows and the state of its key. */
import type { TransformContext, TransformPlan, TransformSpec } from "../component/component.ts";
import type { CelTableSetting, GroupSetting } from "../component/settings.ts";
import type { StateTableSpec } from "../engine/contracts.ts";
import { compileDecide, compileDecideAgain } from "./decide/compile.ts";
import { MOST_PER_KEY } from "./decide/histories.ts";
import { decideWork } from "./decide/history_code.ts";
import { isKeyed, planDecide } from "./decide/plan.ts";
import { keyedName, keyKind, typedName } from "./support/keys.ts";
import { keptTableNames, keptTablesOf } from "./support/lookups.ts";
import { MissingRowsOperator, planMissing, type ProbedOperator } from "./missing/operator.ts";
import { compileProbe } from "./missing/probe.ts";
import { type Loop, LoopBuilder } from "./support/loop_builder.ts";
import { PlanChecker } from "./support/plan_checker.ts";
import { once, RowOperator } from "./support/row_operator.ts";
import { INPUTS, LET, LOOKUP, SET } from "./support/settings.ts";

function plan(context: TransformContext): TransformPlan | null {
  const checked = planDecide(context, new PlanChecker(context));
  if (checked === null) return null;
  const { input, shape, states, histories, sets, key } = checked;
  const loop = once(() => compileDecide(checked, new LoopBuilder(context.expressions)));
  const counts = sets.map(({ count }) => ({ name: count, kind: "number" as const }));
  const tables: StateTableSpec[] = !isKeyed(checked) || key === null ? [] : [{
    name: keyedName("state", [key.type]),
    key: [keyKind(key.type)!],
    columns: [...states.map(({ name, type, kind }) => ({ name: typedName(name, type), kind })), ...counts],
    version: 1,
  }, ...sets.map(({ spec }) => spec)];
  const kept = keptTableNames(checked.lookups);
  const again = once(() => compileDecideAgain(checked, new LoopBuilder(context.expressions)));
  const probe = once(() => compileProbe(checked, new LoopBuilder(context.expressions)));
  const missing = planMissing(checked, probe, key === null ? null : keyKind(key.type));
  return {
    outputs: new Map([["out", shape.type], ["skipped", input]]),
    needs: (outputs) => {
      const wanted = outputs.get("out") ?? new Set();
      const passed = shape.type.fields.flatMap(({ name }, k) =>
        shape.inputs[k] >= 0 && wanted.has(name) ? [input.fields[shape.inputs[k]].name] : []
      );
      const names = new Set([...checked.used, ...passed, ...(outputs.get("skipped") ?? [])]);
      return [new Set(input.fields.map((f) => f.name).filter((name) => names.has(name)))];
    },
    keyedBy: tables.length === 0 && (missing === null || key === null) ? null : checked.keyField ?? "*",
    needsEnd: false,
    tables: kept,
    create: (operatorContext) => {
      const { state } = operatorContext;
      const own = tables.map((table) => state.table(table));
      const remembered = histories.map(({ spec }) => state.history(spec));
      const made = (by: Loop): ProbedOperator => {
        const work = decideWork(remembered, keptTablesOf(kept, operatorContext));
        return { operator: new RowOperator(by, shape, own, { port: "skipped", count: "filtered" }, work), work };
      };
      const decides = made(loop());
      return missing === null ? decides.operator : new MissingRowsOperator(decides, made(again()).operator, missing(), operatorContext);
    },
  };
}

const UPDATE: CelTableSetting = {
  kind: "cel_table",
  optional: true,
  doc: "New values of states. All right-hand sides see the states as they were.",
};
const STATE: GroupSetting = {
  kind: "group",
  doc: "What is remembered of one key.",
  fields: {
    type: {
      kind: "choice",
      default: "value",
      doc: "What is kept.",
      choices: {
        value: "One value.",
        history: "Records: the newest, or those of a span of time.",
        distinct: "Different values, to be counted exactly.",
      },
    },
    as: { kind: "text", optional: true, doc: "Value: its type, for example `decimal(2)?`." },
    initial: { kind: "cel", optional: true, doc: "Value: what it is at the key's first record; it may use look-ups." },
    fields: { kind: "cel_table", optional: true, doc: "History: what is kept of each record." },
    keep: {
      kind: "group",
      optional: true,
      doc: "History: which records are kept, the present one included. Either `count` or `for`.",
      fields: {
        count: { kind: "int", unit: "records", min: 1, max: 100_000, optional: true, doc: "The newest by arrival." },
        for: {
          kind: "duration",
          optional: true,
          doc:
            "Those not older than the key's greatest time less this and the source's `lateness`, in the order of `time`, in which they may come.",
        },
        older: {
          kind: "int",
          unit: "records",
          min: 0,
          max: 1_000,
          default: 0,
          doc: "With `for`: so many of those that are older, the newest.",
        },
      },
    },
    time: { kind: "text", optional: true, doc: "History with `for`: the member that says when a record happened." },
    of: { kind: "cel", optional: true, doc: "Distinct: the value that is collected; null is left out." },
    most: {
      kind: "int",
      unit: "records or values",
      min: 1,
      max: 10_000_000,
      optional: true,
      doc: `Distinct, and history with \`for\`: no key keeps more (default ${MOST_PER_KEY}). A record beyond it is refused, \`full:NAME\`.`,
    },
    beyond: {
      kind: "choice",
      default: "reject",
      doc: "Distinct: what happens to a new value when `most` are there.",
      choices: { reject: "The record is refused, `full:NAME`.", saturate: "It is not counted: the size stays at `most`." },
    },
  },
};
const RULE: GroupSetting = {
  kind: "group",
  doc: "One rule.",
  fields: {
    code: { kind: "text", doc: "Names the rule; `code` in its own `set` and in `matched`." },
    when: { kind: "cel", doc: "The condition. With `first`, it knows that the conditions before it were false." },
    points: { kind: "int", unit: "points", min: -1_000_000, max: 1_000_000, default: 0, doc: "Added to `points` when the rule fires." },
    set: { ...SET, doc: "Names that get a value when the rule fires, instead of those of `matched`." },
    update: { ...UPDATE, doc: "States that change when the rule fires, instead of those of `matched`." },
  },
};

/** Rules over records and their key's state. */
export const decide: TransformSpec = {
  role: "transform",
  type: "decide",
  summary: "Ordered rules over each record, rows looked up for it, and the state of its key.",
  notes:
    `The stages of a record, in this order: \`where\` → \`lookup\` → the record enters its histories → \`before\` → \`let\` → \`rules\` or
\`otherwise\` → \`after_rules\` → \`emit_when\` → \`emit\`. A state's name is its value at that moment, \`old.NAME\` its value before the record. A record that \`where\`
skips, or that is rejected anywhere in the list, changes no state at all.

- \`match = "first"\`: the first rule whose condition holds fires. Rules below it know that it did not.
- \`match = "last"\`: the last one that holds fires.
- \`match = "all"\`: all that hold fire, in order, each seeing the states the ones before it left. \`matched\` lists their codes, \`points\` is the sum, \`matched_points\` maps
  codes to points.

A rule without its own \`set\` or \`update\` has those of \`matched\`. With \`first\` and \`last\` every branch sets the same names. A name gets
one type: the larger number of decimals of its branches. \`emit\` gives the result's fields; without it they are the record's, then the
names that were set. Rows that \`where\` skips can be read from the port \`skipped\`.

Where a state's first value comes from a row looked up by the key alone, the state is known not to be null as soon as that row is.

**Histories.** \`type = "history"\` remembers \`fields\` of the records of a key, as a list of structs that has the present record in it; \`old.NAME\`
is without it. \`keep = { count = 100 }\` keeps the newest by arrival, in that order. \`time = "at"\` with \`keep = { for = "24h" }\` keeps what is not
older than the key's greatest time less 24 hours and the source's \`lateness\`, ordered by time, equal times by arrival; a record that comes too late
for that is seen by no other. \`filter\`, \`map\`, \`exists\`, \`all\` and \`exists_one\` over a history, and sum, avg, min, max, size, first, last and
distinct().size() of what they give, run as one loop over columns: no list is made, and a range of the \`time\` member is found by binary search. A
remembered record costs its members (8 bytes a number or time, a text once however often it occurs, and 4 bytes each time); a checkpoint writes it once.

**Sets.** \`type = "distinct"\` counts the different values of \`of\` exactly: \`NAME.size()\`, and \`x in NAME\` for whether one was there. Nothing else
can be asked of it.`,
  inputs: ["inputs"],
  settings: {
    kind: "group",
    doc: "Settings of a decide.",
    fields: {
      inputs: INPUTS,
      where: {
        kind: "cel",
        optional: true,
        doc: "Rows for which this is false are skipped: they go to the port `skipped` and count as filtered.",
      },
      key: { kind: "cel", optional: true, doc: "Whose state it is. Needed with `state`." },
      lookup: LOOKUP,
      state: { kind: "map", optional: true, doc: "What is remembered by key.", item: STATE },
      before: { ...UPDATE, doc: "States that every record changes, before the rules see them." },
      let: LET,
      match: {
        kind: "choice",
        default: "first",
        doc: "Which of the rules that hold fire.",
        choices: { first: "The first one.", last: "The last one.", all: "All of them." },
      },
      rules: { kind: "list", optional: true, doc: "The rules, in order.", item: RULE },
      matched: {
        kind: "group",
        optional: true,
        doc: "What a rule does that has no `set` or `update` of its own.",
        fields: { set: { ...SET, doc: "Names that get a value; `code` is the rule's." }, update: UPDATE },
      },
      otherwise: {
        kind: "group",
        optional: true,
        doc: "What happens when no rule fires. It knows that all conditions were false.",
        fields: {
          code: { kind: "text", optional: true, doc: "The code of this branch." },
          set: { ...SET, doc: "Names that get a value." },
          update: UPDATE,
        },
      },
      after_rules: { ...UPDATE, doc: "States that every record changes, after the rules." },
      emit_when: {
        kind: "cel",
        optional: true,
        doc: "Rows for which this is false change state but give no result; they count as filtered.",
      },
      emit: {
        kind: "cel_table",
        optional: true,
        doc: 'The fields of the result, in this order. `"..." = true` copies the record\'s fields first; dotted keys make nested objects.',
      },
    },
  },
  examples: [{
    title: "A running total with a limit",
    toml: `[sources.payments]
type   = "csv"
path   = "payments.csv"
fields = { account = "string", amount = "decimal(2)" }

[transforms.limited]
type      = "decide"
inputs    = ["payments"]
key       = "account"
rules     = [{ code = "over_limit", when = "spent + amount > 100.00", set = { status = "code" } }]
otherwise = { set = { status = "'ok'" }, update = { spent = "spent + amount" } }

[transforms.limited.state.spent]
as      = "decimal(2)"
initial = "0.00"

[sinks.out]
type   = "csv"
inputs = ["limited"]
path   = "limited.csv"

[[tests]]
name           = "a refused payment does not count"
given.payments = [{ account = "a", amount = 60.00 }, { account = "a", amount = 60.00 }, { account = "a", amount = 40.00 }]
expect.out     = [{ status = "ok" }, { status = "over_limit" }, { status = "ok" }]
`,
  }, {
    title: "Rules with points over what an account did before",
    toml: `[sources.payments]
type   = "csv"
path   = "payments.csv"
fields = { account = "string", amount = "decimal(2)", shop = "string", at = "timestamp" }
time   = { field = "at", lateness = "1h" }

[transforms.watched]
type      = "decide"
inputs    = ["payments"]
key       = "account"
match     = "all"
let       = { today = "day.filter(p, p.at > at - duration('24h') && p.at <= at)" }
rules     = [
  { code = "large",   points = 20, when = "amount > 3 * recent.map(p, p.amount).avg(2, 'half_up')" },
  { code = "often",   points = 30, when = "today.size() > 2" },
  { code = "new_day", points = 5,  when = "today.map(p, p.shop).distinct().size() == 1 && old.day.size() > 0" },
]
emit_when = "points > 0"
emit      = { account = "account", found = "matched", points = "points", shops = "shops.size()" }

[transforms.watched.state.recent]
type   = "history"
keep   = { count = 10 }
fields = { amount = "amount" }

[transforms.watched.state.day]
type   = "history"
time   = "at"
keep   = { for = "24h" }
fields = { at = "at", shop = "shop" }

[transforms.watched.state.shops]
type = "distinct"
of   = "shop"

[sinks.out]
type   = "ndjson"
inputs = ["watched"]
path   = "watched"

[[tests]]
name           = "the third payment of a day, and a large one a week later"
defaults       = { account = "a", shop = "s1" }
given.payments = [
  { amount = 10.00, at = 2025-01-01T09:00:00Z },
  { amount = 10.00, at = 2025-01-01T11:00:00Z, shop = "s2" },
  { amount = 10.00, at = 2025-01-01T10:00:00Z },
  { amount = 90.00, at = 2025-01-01T12:00:00Z, shop = "s2" },
  { amount = 10.00, at = 2025-01-08T12:00:00Z },
]
expect.out     = [
  { found = ["large", "often"], points = 50, shops = 2 },
  { found = ["new_day"], points = 5, shops = 2 },
]
`,
  }],
  plan,
};
