/** `aggregate`: one row per key, given out when the input has ended; or one per window and key, given out as event time goes on. */
import {
  type ExchangeWish,
  scopeOf,
  type TransformContext,
  type TransformPlan,
  type TransformSpec,
  type TwoPhases,
} from "../component/component.ts";
import type { CelTable } from "../component/settings.ts";
import type { Field, RecordType } from "../data/types.ts";
import { checkAggregate, type CheckedAggregate } from "../expr/mod.ts";
import type { Checked, Scope } from "../expr/contracts.ts";
import { type Accumulator, accumulatorOf, type FoldNames } from "./aggregate/accumulators.ts";
import { AggregateOperator } from "./aggregate/operator.ts";
import { ValueCounts } from "./aggregate/value_counts.ts";
import type { Window } from "./aggregate/window.ts";
import {
  planWindows,
  readTwoPhase,
  readWindowing,
  WINDOW_EXAMPLE,
  WINDOW_NOTES,
  WINDOW_RESULTS,
  WINDOW_SETTINGS,
  windowLoopParts,
} from "./aggregate/window_plan.ts";
import { keyedName, keyKind, requireKeyKind } from "./support/keys.ts";
import { type Loop, LoopBuilder } from "./support/loop_builder.ts";
import { narrow, PlanChecker, rootsOf } from "./support/plan_checker.ts";
import { computedField, plainField } from "./support/projection.ts";
import { once } from "./support/row_operator.ts";
import { INPUTS, WHERE } from "./support/settings.ts";

/** State keys have at most this many parts; a window's start is one. */
const BY_MAX = 4;

interface Named<T> {
  readonly name: string;
  readonly value: T;
}
interface AggregatePlan {
  readonly input: RecordType;
  readonly where: Checked | null;
  readonly by: readonly Named<Checked>[];
  readonly aggregates: readonly Named<CheckedAggregate>[];
  readonly accumulators: readonly (Accumulator | ValueCounts)[];
  readonly used: ReadonlySet<string>;
  readonly window: { readonly window: Window; readonly emit: string } | null;
}

function plan(context: TransformContext): TransformPlan | null {
  const checker = new PlanChecker(context);
  const { settings } = context;
  const input = context.inputs[0].type;
  let scope = scopeOf(input, context);
  const where = settings.has("where") ? checker.condition(settings.cel("where"), scope) : null;
  if (where !== null) scope = narrow(scope, where.whenTrue);
  const windowing = readWindowing(context, checker);
  const by = settings.has("by") ? checkBy(settings.celTable("by"), scope, windowing === null ? BY_MAX : BY_MAX - 1, checker) : [];
  const aggregates = checkAggregates(settings.celTable("aggregate"), scope, by, checker);
  if (windowing !== null) refuseWindowNames(checker);
  if (checker.failed) return null;
  const accumulators = planAccumulators(aggregates);
  const checked = [where, ...by.map((b) => b.value), ...aggregates.flatMap(({ value }) => [value.argument, value.by, value.filter])];
  const used = new Set(checked.flatMap((c) => c ? [...rootsOf(c)] : []));
  const checkedPlan: AggregatePlan = { input, where, by, aggregates, accumulators, used, window: windowing };
  const results = {
    by: by.map((b) => resultField(b.name, b.value, input)),
    fields: aggregates.map((a) => aggregateField(a, input)),
    aggregates: accumulators,
  };
  const loop = once(() => compile(checkedPlan, new LoopBuilder(context.expressions)));
  const key = by.map((b) => keyKind(b.value.type)!);
  const keyTypes = by.map((b) => b.value.type);
  const columns = accumulators.flatMap((a) => a.columns);
  const isInput = (name: string): boolean => input.fields.some((field) => field.name === name);
  const needs = (late: Iterable<string>) => [new Set([...used, ...late].filter(isInput))];
  if (windowing !== null) {
    const fields = by.map((b) => plainField(b.value, input)).filter((index) => index >= 0).map((index) => input.fields[index].name);
    const { phases, ...windowed } = planWindows({ context, windowing, results, key, keyTypes, columns, loop }, checker);
    const wish = readTwoPhase(context, windowing, checker);
    const common = { needs: (outputs: ReadonlyMap<string, ReadonlySet<string>>) => needs(outputs.get("late") ?? []), needsEnd: false };
    const whole = { ...windowed, ...common, keyedBy: fields.length === 0 ? "*" as const : fields };
    if (checker.failed) return null;
    return wish === null
      ? whole
      : { ...whole, phases: twoPhases({ ...phases.first, ...common, keyedBy: null }, phases.second, by.map((b) => b.name), wish) };
  }
  const type = { fields: [...results.by, ...results.fields] };
  const groups = { name: keyedName("groups", keyTypes), key: by.length === 0 ? ["number" as const] : key, columns, version: 1 };
  return {
    outputs: new Map([["out", type]]),
    needs: () => needs([]),
    keyedBy: "*",
    needsEnd: true,
    timeless: true,
    create: (operatorContext) => new AggregateOperator({ ...results, node: context.name, type, groups, loop: loop() }, operatorContext),
  };
}

/** Functions that count the same values of the same rows share one table of them. */
function planAccumulators(aggregates: readonly Named<CheckedAggregate>[]): (Accumulator | ValueCounts)[] {
  const keepers = new Map<string, ValueCounts>();
  return aggregates.map(({ name, value }) => {
    if (!["count_distinct", "counts", "mode"].includes(value.function)) return accumulatorOf(name, value);
    const counted = argumentsText(value);
    const keeper = keepers.get(counted) ?? null;
    const counts = new ValueCounts(name, value, { table: keeper?.table ?? keepers.size + 1, keeper });
    if (keeper === null) keepers.set(counted, counts);
    return counts;
  });
}

/** What stands between the parentheses: two calls with the same text there count the same. */
function argumentsText({ function: name, argument }: CheckedAggregate): string {
  const text = argument!.source.text.trim();
  const isPlainCall = text.startsWith(name) && text.endsWith(")");
  return isPlainCall ? text.slice(name.length, -1).trim().slice(1).trim() : text;
}

/** Partial results of one key, whatever lane they are from, come to one lane. */
function twoPhases(
  first: TransformPlan,
  second: Pick<TransformPlan, "outputs" | "create">,
  by: readonly string[],
  wish: Pick<ExchangeWish, "lanes" | "connection" | "topic">,
): TwoPhases {
  const all = new Set(first.outputs.get("out")!.fields.map((field) => field.name));
  return {
    first,
    exchange: { ...wish, key: by, keyField: by.length === 1 ? by[0] : null },
    second: { ...second, needs: () => [all], keyedBy: by.length === 0 ? "*" : null, needsEnd: false },
  };
}

function checkBy(table: CelTable, scope: Scope, most: number, checker: PlanChecker): Named<Checked>[] {
  if (table.entries.length > most) {
    checker.fault(
      checker.context.settings.at("by"),
      `\`by\` has ${table.entries.length} parts`,
      `at most ${most}; join the least of them into one text`,
    );
  }
  return plainNames(table, "by", checker).flatMap(({ name, value }) => {
    const checked = checker.check(value, scope);
    if (checked === null) return [];
    requireKeyKind(checked, `\`by\` ${name}`, checker);
    return [{ name, value: checked }];
  });
}

function checkAggregates(table: CelTable, scope: Scope, by: readonly Named<Checked>[], checker: PlanChecker): Named<CheckedAggregate>[] {
  const report = (fault: Parameters<typeof checker.context.report>[0]): void => {
    checker.failed = true;
    checker.context.report(fault);
  };
  return plainNames(table, "aggregate", checker).flatMap(({ name, keySpan, value }) => {
    if (by.some((b) => b.name === name)) checker.fault(keySpan, `"${name}" is already a name of \`by\``, "give the aggregate another name");
    const checked = checkAggregate(value, scope, report);
    if (checked === null) checker.failed = true;
    return checked === null ? [] : [{ name, value: checked }];
  });
}

function refuseWindowNames(checker: PlanChecker): void {
  const { settings } = checker.context;
  for (const setting of ["by", "aggregate"]) {
    if (!settings.has(setting)) continue;
    for (const { path, keySpan } of settings.celTable(setting).entries) {
      if (!WINDOW_RESULTS.includes(path[0])) continue;
      checker.fault(keySpan, `"${path[0]}" is a column that every window's result has`, "give it another name");
    }
  }
}

function plainNames(table: CelTable, what: string, checker: PlanChecker) {
  return table.entries.flatMap(({ path, keySpan, value }) => {
    if (path.length === 1 && path[0] !== "...") return [{ name: path[0], keySpan, value }];
    checker.fault(keySpan, `\`${what}\` takes plain names, not "${path.join(".")}"`, `write ${path.join("_")}`);
    return [];
  });
}

function resultField(name: string, checked: Checked, input: RecordType): Field {
  const same = plainField(checked, input);
  return same < 0 ? { name, type: checked.type } : { ...input.fields[same], name, type: checked.type };
}

/** A value taken from one row keeps that field's text form and mask. */
function aggregateField({ name, value }: Named<CheckedAggregate>, input: RecordType): Field {
  const taken = value.argument === undefined ? null : argumentField(value, input);
  return computedField(name, value.type, taken);
}

function argumentField({ argument, function: name }: CheckedAggregate, input: RecordType): Field | null {
  if (!["min", "max", "first", "last", "first_by", "last_by", "mode"].includes(name)) return null;
  const [path, ...others] = argument!.uses;
  return others.length > 0 ? null : input.fields.find((field) => field.name === path) ?? null;
}

/** Everything that can refuse the row comes before the first change. */
function compile(plan: AggregatePlan, builder: LoopBuilder): Loop {
  builder.readRecord(plan.input, plan.used);
  const keys = plan.by.map(({ name, value }) => ({ local: builder.local(name), code: builder.keyPart(builder.emit(value), value.type) }));
  const slot = builder.local("slot");
  const evaluated: string[] = [];
  const folds: string[] = [];
  plan.aggregates.forEach(({ name, value: aggregate }, index) => {
    const accumulator = plan.accumulators[index];
    if (accumulator instanceof ValueCounts && !accumulator.keeps) return;
    const { code, names } = evaluate(name, aggregate, slot, builder);
    evaluated.push(code);
    folds.push(accumulator.fold(builder, names));
  });
  const windows = plan.window && windowLoopParts(plan.window, builder);
  const fold = [...folds, windows?.told(slot) ?? "", `state[0].touch(${slot});`].filter((line) => line !== "").join("\n");
  const placed = keys.map(({ local, code }) => ({ local, code: `${local} = ${code};` }));
  const slice = plan.by.length === 1 && !plan.by[0].value.type.nullable ? builder.textSlice(plan.by[0].value) : null;
  const insert = (): string =>
    `${placed.map(({ code }) => code).join("\n")}
${slot} = state[0].insert(${keys.length === 0 ? "0" : keys.map(({ local }) => local).join(", ")});
${fold}`;
  const body = [
    plan.where === null ? "" : `if (!(${builder.emit(plan.where)})) { filtered++; continue; }`,
    windows?.judge ?? "",
    ...evaluated,
    windows?.place({ keys: placed, slice, slot }, fold) ?? insert(),
    "folded++;",
  ];
  return builder.build("aggregate", body.filter((line) => line !== "").join("\n"), {
    before: `let folded = 0, filtered = 0; ${windows?.before ?? ""}`,
    after: `work.count += folded; work.filtered += filtered; ${windows?.after ?? ""}`,
  });
}

function evaluate(name: string, aggregate: CheckedAggregate, slot: string, builder: LoopBuilder): { code: string; names: FoldNames } {
  const lines: string[] = [];
  let passes = "";
  if (aggregate.filter !== undefined) {
    passes = builder.local(`${name}_passes`);
    lines.push(`${passes} = ${builder.emit(aggregate.filter)};`);
  }
  const local = (hint: string, checked: Checked | undefined): string | null => {
    if (checked === undefined) return null;
    const variable = builder.local(hint);
    const code = builder.emit(checked);
    lines.push(`${variable} = ${passes === "" ? code : `${passes} ? ${code} : null`};`);
    return variable;
  };
  return { names: { slot, value: local(name, aggregate.argument), by: local(`${name}_by`, aggregate.by), passes }, code: lines.join("\n") };
}

/** One row per key. */
export const aggregate: TransformSpec = {
  role: "transform",
  type: "aggregate",
  summary: "Folds rows into one row per key, or per window and key: count, sum, min, max, avg, first, last and more.",
  notes:
    `The result's fields are the keys of \`by\`, then the aggregates. Rows come out when the input has ended, in the order in which their
keys first appeared; without \`by\` there is exactly one row, also for an empty input. Sums are kept wider than 2^53: only a result
beyond it is refused (\`range:NAME\`). The last argument of a function may be a filter: \`sum(amount, status == 'approved')\`. Nulls are skipped.

| function | result |
| --- | --- |
| \`count()\`, \`count_distinct(x)\`, \`sum(x)\` | 0 where no row passes |
| \`min(x)\`, \`max(x)\`, \`avg(x, places, mode)\` | null where no row passes |
| \`first(x)\`, \`last(x)\` | by order of arrival |
| \`first_by(x, by)\`, \`last_by(x, by)\` | of the least and the greatest \`by\`; of equals the first to arrive |
| \`counts(x)\` | a map of values to how often they came |
| \`mode(x)\` | the value that came most often; of several the smallest |

${WINDOW_NOTES}`,
  inputs: ["inputs"],
  settings: {
    kind: "group",
    doc: "Settings of an aggregate.",
    fields: {
      inputs: INPUTS,
      where: WHERE,
      by: {
        kind: "cel_table",
        names: true,
        optional: true,
        doc: "The key: a list of fields, or names with expressions. Left out: all rows are one group.",
      },
      aggregate: { kind: "cel_table", doc: 'The aggregates by name, for example `{ count = "count()", total = "sum(amount)" }`.' },
      ...WINDOW_SETTINGS,
    },
  },
  examples: [{
    title: "Totals per account",
    toml: `[sources.payments]
type   = "csv"
path   = "payments.csv"
fields = { account = "string", amount = "decimal(2)" }

[transforms.totals]
type      = "aggregate"
inputs    = ["payments"]
by        = ["account"]
aggregate = { payments = "count()", total = "sum(amount)", largest = "max(amount)" }

[sinks.out]
type   = "csv"
inputs = ["totals"]
path   = "totals.csv"

[[tests]]
name           = "one row per account, in order of appearance"
given.payments = [{ account = "b", amount = 1.50 }, { account = "a", amount = 2.00 }, { account = "b", amount = 0.25 }]
expect.out     = [{ account = "b", payments = 2, total = 1.75, largest = 1.50 }, { account = "a", payments = 1, total = 2.00 }]
`,
  }, WINDOW_EXAMPLE],
  plan,
};
