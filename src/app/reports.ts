/** Reports and checks: hidden aggregates of the plan, added up over the lanes once the run has ended. */
import type { Batch } from "../data/batch.ts";
import { cell } from "../data/columns.ts";
import { assert, MillraceError } from "../data/fault.ts";
import { displayText } from "./display.ts";
import type { Operator } from "../engine/contracts.ts";
import type { CheckBlueprint, PipelineBlueprint } from "../project/contracts.ts";
import type { CheckOutcome, ReportTable } from "./events.ts";

type Lanes = readonly ReadonlyMap<string, Operator>[];

/** One operator's result over all lanes. Absorbing changes the first lane's memory, so each name is asked once. */
function total(name: string, lanes: Lanes): Batch {
  const [first, ...others] = lanes.map((operators) => operators.get(name));
  assert(first?.peek, `"${name}" is an aggregate`);
  for (const other of others) {
    assert(other && first.absorb, `"${name}" can be added up over lanes`);
    first.absorb(other);
  }
  return first.peek();
}

/** The [[reports]] of a pipeline, rows in order of their `by` columns. */
export function readReports(blueprint: PipelineBlueprint, lanes: Lanes): ReportTable[] {
  return blueprint.reports.map((report) => {
    const batch = total(report.operator, lanes);
    const columns = batch.type.fields.map((field) => field.name);
    const rows = Array.from({ length: batch.rows }, (_, row) =>
      batch.type.fields.map((field, i) => {
        const column = batch.columns[i];
        return column ? displayText(field, cell(column, field.type, row)) : "";
      }));
    return { title: report.title, columns, rows: rows.sort((a, b) => compareRows(a, b, report.by.length)) };
  });
}

function compareRows(a: readonly string[], b: readonly string[], keys: number): number {
  for (let i = 0; i < keys; i++) {
    const [x, y] = [Number(a[i]), Number(b[i])];
    const numbers = a[i] !== "" && b[i] !== "" && !Number.isNaN(x) && !Number.isNaN(y);
    const order = numbers ? x - y : a[i] < b[i] ? -1 : a[i] > b[i] ? 1 : 0;
    if (order !== 0) return order;
  }
  return 0;
}

/** Evaluates [checks]; a failed one with `else = "fail"` throws before anything is published. */
export function runChecks(blueprint: PipelineBlueprint, lanes: Lanes): CheckOutcome[] {
  const outcomes = blueprint.checks.map((check) => runCheck(check, lanes));
  const failed = blueprint.checks.findIndex((check, i) => check.onFailure === "fail" && !outcomes[i].passed);
  if (failed >= 0) {
    const { name, values, text } = outcomes[failed];
    throw new MillraceError("check_failed", `check "${name}" of pipeline "${blueprint.name}" failed: ${text} with ${values}`, {
      hint: "nothing was published; the parts are kept in the state folder",
    });
  }
  return outcomes;
}

function runCheck(check: CheckBlueprint, lanes: Lanes): CheckOutcome {
  const values: unknown[] = [];
  const shown: string[] = [];
  for (const { name, operator } of check.totals) {
    const batch = total(operator, lanes);
    const [field] = batch.type.fields;
    const column = batch.columns[0];
    assert(batch.rows === 1 && column, `the total "${name}" is one value`);
    const value = cell(column, field.type, 0);
    values.push(value);
    shown.push(`${name} ${displayText(field, value)}`);
  }
  return { name: check.name, passed: check.that(values), values: shown.join(", "), text: check.text };
}
