/** How a finished pipeline is told, in a line or two, and the summary of a whole run. */
import type { PipelineOutcome } from "../../app/events.ts";
import { durationText, textTable, withThousands } from "./text_table.ts";

/** "validate        400 records in 83 ms, 3 rejected" */
export function outcomeLines(outcome: PipelineOutcome): string[] {
  const name = outcome.pipeline.padEnd(16);
  const records = `${withThousands(outcome.records)} record${outcome.records === 1 ? "" : "s"}`;
  const rejected = outcome.rejected > 0 ? `, ${withThousands(outcome.rejected)} rejected` : "";
  switch (outcome.status) {
    case "already_done":
      return [`  ${name} already done (${records}${rejected}); --rerun does it again`];
    case "stopped":
      return [`  ${name} stopped after ${records}${rejected}; the next start goes on from here`];
    case "done":
      return [`  ${name} ${records} in ${durationText(outcome.durationMs)}${rejected}`];
  }
}

/** Reports, checks, warnings and places of all pipelines; "" where there is nothing to tell. */
export function summaryText(outcomes: readonly PipelineOutcome[]): string {
  const lines: string[] = [];
  for (const { reports } of outcomes) {
    for (const { title, columns, rows } of reports) lines.push("", title, ...textTable(columns, rows, 2));
  }
  const checks = outcomes.flatMap((outcome) => outcome.checks);
  if (checks.length > 0) {
    lines.push("", "Checks");
    for (const check of checks) lines.push(`  ${check.passed ? "passed" : "FAILED"}  ${check.name}: ${check.values}`);
  }
  for (const warning of new Set(outcomes.flatMap((outcome) => outcome.warnings))) lines.push("", `Warning: ${warning}`);
  const places = placeLines(outcomes.flatMap((outcome) => Object.values(outcome.places)));
  if (places.length > 0) lines.push("", "Results", ...places);
  return lines.length === 0 ? "" : lines.join("\n") + "\n";
}

/** A line per file; the tables of one database together. Places are a path, or "PATH, table NAME". */
function placeLines(places: readonly string[]): string[] {
  const tables = new Map<string, string[]>();
  for (const place of new Set(places)) {
    const [path, table] = place.split(", table ", 2);
    const known = tables.get(path) ?? [];
    tables.set(path, table === undefined ? known : [...known, table]);
  }
  return [...tables].map(([path, names]) => {
    if (names.length === 0) return `  ${path}`;
    return `  ${path}, table${names.length === 1 ? "" : "s"} ${names.join(", ")}`;
  });
}
