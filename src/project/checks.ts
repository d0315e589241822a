/** [checks.X]: control totals over nodes and a condition between them, looked at before anything is published. */
import { lacksParameter, type TransformSpec } from "../component/component.ts";
import type { CheckBlueprint } from "./contracts.ts";
import type { Type } from "../data/types.ts";
import { BOOL } from "../data/types.ts";
import { type Document, isTable } from "./documents.ts";
import { compileCondition } from "./evaluate.ts";
import { type Origins, parseEdge } from "./graph.ts";
import { type PlanHidden, wireAggregate } from "./hidden.ts";
import type { Planning } from "./plan_context.ts";
import type { PlannedTransform } from "./plan_transforms.ts";
import { TableReader } from "./table_reader.ts";
import type { TomlEntry, TomlTable } from "./toml.ts";

/** Checks and the hidden transforms that hold their totals. */
export interface PlannedChecks {
  readonly checks: readonly CheckBlueprint[];
  readonly hidden: readonly PlannedTransform[];
}
interface Surroundings {
  readonly origins: Origins;
  readonly aggregate: TransformSpec;
  readonly plan: PlanHidden;
  readonly planning: Planning;
}
type Total = CheckBlueprint["totals"][number];

const IDENTIFIER = /^[A-Za-z_]\w*$/;

/** Plans the checks of a pipeline. */
export function planChecks(
  document: Document,
  origins: Origins,
  aggregate: TransformSpec,
  plan: PlanHidden,
  planning: Planning,
): PlannedChecks {
  const checks: CheckBlueprint[] = [];
  const hidden: PlannedTransform[] = [];
  for (const [name, { entry }] of document.section("checks")) {
    if (!isTable(entry, planning.settings.faults)) continue;
    const check = planCheck(name, entry.value, hidden, { origins, aggregate, plan, planning });
    if (check) checks.push(check);
  }
  return { checks, hidden };
}

function planCheck(name: string, table: TomlTable, hidden: PlannedTransform[], around: Surroundings): CheckBlueprint | null {
  const { settings: context, params, expressions } = around.planning;
  const reader = new TableReader(table, `the check "${name}"`, ["totals", "that", "else"], context);
  reader.required("totals", 'a list as in [{ name = "paid", node = "payments", value = "sum(amount)" }]');
  reader.required("that", "a CEL condition over the totals' names");
  const that = reader.cel("that");
  const onFailure = reader.choice("else", ["fail", "warn"], "fail");
  const listed = reader.tables("totals");
  const totals = listed.map((total) => planTotal(name, total, hidden, around)).filter((total) => total !== null);
  totals.forEach((total, index) => {
    if (totals.findIndex((other) => other.name === total.name) < index) {
      reader.fault("duplicate_name", reader.at("totals"), `the check "${name}" has two totals "${total.name}"`);
    }
  });
  if (!that || !onFailure || totals.length < listed.length || !reader.array("totals")) return null;
  const variables = totals.map((total): { name: string; type: Type } => ({ name: total.name, type: total.type.fields[0].type }));
  const scope = {
    variables: new Map<string, Type>([...variables.map(({ name, type }): [string, Type] => [name, type]), ["params", params.type]]),
    constants: params.constants,
  };
  const checked = expressions.check(that, scope, context.faults.report, BOOL);
  if (!checked || lacksParameter(checked)) return null;
  return { name, totals, that: compileCondition(checked, variables, expressions), text: that.text, onFailure };
}

function planTotal(check: string, table: TomlTable, hidden: PlannedTransform[], around: Surroundings): Total | null {
  const context = around.planning.settings;
  const reader = new TableReader(table, `a total of the check "${check}"`, ["name", "node", "value"], context);
  for (const key of ["name", "node", "value"]) reader.required(key);
  const name = reader.text("name");
  if (name !== null && !IDENTIFIER.test(name)) {
    reader.fault("bad_name", reader.at("name"), `"${name}" cannot be a total's name`, "letters, digits and _, since `that` uses it");
    return null;
  }
  const node = reader.entry("node")?.value;
  const edge = node ? parseEdge(node, reader.title, around.origins, "refused", context.faults) : null;
  const value = reader.entry("value");
  if (name === null || !edge || !value) return null;
  const measured: TomlEntry = { key: name, keySpan: value.value.span, value: value.value };
  const aggregate = { kind: "table", entries: new Map([[name, measured]]), span: table.span } as const;
  const operator = `check:${check}:${name}`;
  const wired = wireAggregate({ name: operator, title: reader.title, span: table.span, edge }, { aggregate }, around.aggregate, context);
  const planned = around.plan(wired);
  const type = planned?.plan.outputs.get("out");
  if (!planned || !type) return null;
  hidden.push(planned);
  return { name, operator, type };
}
