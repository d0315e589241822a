/** [[reports]] (title, node, by, aggregate) and [[warnings]] (when, text): what people see at the end of a run. */
import { lacksParameter, type TransformSpec } from "../component/component.ts";
import type { ReportBlueprint } from "./contracts.ts";
import { BOOL } from "../data/types.ts";
import type { Document } from "./documents.ts";
import { compileCondition } from "./evaluate.ts";
import { type Origins, parseEdge } from "./graph.ts";
import { type PlanHidden, wireAggregate } from "./hidden.ts";
import type { Planning } from "./plan_context.ts";
import type { PlannedTransform } from "./plan_transforms.ts";
import { TableReader } from "./table_reader.ts";

/** Reports and the hidden transforms that hold their rows. */
export interface PlannedReports {
  readonly reports: readonly ReportBlueprint[];
  readonly hidden: readonly PlannedTransform[];
}

/** Plans the reports of a pipeline. */
export function planReports(
  document: Document,
  origins: Origins,
  aggregate: TransformSpec,
  plan: PlanHidden,
  planning: Planning,
): PlannedReports {
  const context = planning.settings;
  const reports: ReportBlueprint[] = [];
  const hidden: PlannedTransform[] = [];
  const titles = new Set<string>();
  for (const table of document.list("reports")) {
    const reader = new TableReader(table, "the report", ["title", "node", "by", "aggregate"], context);
    for (const key of ["title", "node", "aggregate"]) reader.required(key);
    const title = reader.text("title");
    if (title !== null && titles.has(title)) reader.fault("duplicate_name", reader.at("title"), `there are two reports "${title}"`);
    const node = reader.entry("node")?.value;
    const edge = node ? parseEdge(node, "the report", origins, "refused", context.faults) : null;
    const measured = reader.entry("aggregate")?.value;
    if (title === null || titles.has(title) || !edge || !measured) continue;
    titles.add(title);
    const by = reader.entry("by")?.value;
    const name = `report:${title}`;
    const wired = wireAggregate(
      { name, title: `the report "${title}"`, span: table.span, edge },
      { by, aggregate: measured },
      aggregate,
      context,
    );
    const planned = plan(wired);
    const type = planned?.plan.outputs.get("out");
    if (!planned || !type) continue;
    hidden.push(planned);
    const columns = by?.kind === "array" ? by.items.length : by?.kind === "table" ? by.entries.size : 0;
    reports.push({ title, operator: name, by: type.fields.slice(0, columns).map((field) => field.name), type });
  }
  return { reports, hidden };
}

/** The texts of the warnings whose condition over the parameters holds. */
export function planWarnings(document: Document, planning: Planning): readonly string[] {
  const { settings: context, params, expressions } = planning;
  return document.list("warnings").flatMap((table) => {
    const reader = new TableReader(table, "the warning", ["when", "text"], context);
    reader.required("when", "a CEL condition over params");
    reader.required("text");
    const when = reader.cel("when");
    const text = reader.text("text");
    if (!when || text === null) return [];
    const scope = { variables: new Map([["params", params.type]]), constants: params.constants };
    const checked = expressions.check(when, scope, context.faults.report, BOOL);
    if (!checked) return [];
    // A parameter with a fault has no value to judge by.
    if (lacksParameter(checked)) return [];
    return compileCondition(checked, [], expressions)([]) ? [text] : [];
  });
}
