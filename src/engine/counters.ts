/**
 * Rows in and out of every node, as they live in a lane's head. Invariant, checked at the end of every run: no row is lost
 * inside the graph (DESIGN.md section 5).
 */
import { MillraceError } from "../data/fault.ts";
import type { PipelinePlan } from "./contracts.ts";
import type { NodeCounters } from "./run_contracts.ts";

/** One node's counters in one lane. */
export interface NodeTally {
  /** Sources: records read. Operators and sinks: rows that came in. */
  in: number;
  filtered: number;
  duplicates: number;
  folded: number;
  /** Of everything that left the node, what left it through `drain`. */
  drained: number;
  /** Rows handed out, by port; "rejected" among them. */
  readonly ports: Map<string, number>;
}
/** By node name. */
export type Tallies = Map<string, NodeTally>;

export const emptyTally = (): NodeTally => ({ in: 0, filtered: 0, duplicates: 0, folded: 0, drained: 0, ports: new Map() });
export const copyTallies = (tallies: ReadonlyMap<string, NodeTally>): Tallies =>
  new Map([...tallies].map(([name, tally]) => [name, { ...tally, ports: new Map(tally.ports) }]));

/** Adds `more` into `into`. */
export function addTallies(into: Tallies, more: ReadonlyMap<string, NodeTally>): void {
  for (const [name, tally] of more) {
    let sum = into.get(name);
    if (!sum) into.set(name, sum = emptyTally());
    sum.in += tally.in;
    sum.filtered += tally.filtered;
    sum.duplicates += tally.duplicates;
    sum.folded += tally.folded;
    sum.drained += tally.drained;
    for (const [port, rows] of tally.ports) sum.ports.set(port, (sum.ports.get(port) ?? 0) + rows);
  }
}

/** Ports that repeat rows which the operator has counted as filtered or duplicates, for those who want to see them. */
const REPEATING_PORTS: ReadonlySet<string> = new Set(["skipped", "duplicates"]);

/**
 * Under the names of ports, though nothing leaves by them. `deletes`: records that said a row is no more; a source drops them, a table
 * obeys. `again`: rows that were drained though they had left before.
 */
type Apart = "deletes" | "again";
const APART: ReadonlySet<string> = new Set<Apart>(["deletes", "again"]);

/** Counts what is apart from the ways rows leave by. */
export function countApart(tally: NodeTally, what: Apart, rows: number): void {
  if (rows > 0) tally.ports.set(what, (tally.ports.get(what) ?? 0) + rows);
}

/** As others see a tally. */
export function summarize(tally: NodeTally): NodeCounters {
  let out = 0;
  for (const [port, rows] of tally.ports) if (port !== "rejected" && !APART.has(port) && !REPEATING_PORTS.has(port)) out += rows;
  const { filtered, duplicates, folded } = tally;
  const late = tally.ports.get("late") ?? 0;
  const [rejected, deletes] = [tally.ports.get("rejected") ?? 0, tally.ports.get("deletes") ?? 0];
  return { in: tally.in, out: out - late, filtered, duplicates, folded, late, rejected, deletes };
}

/** Throws `count_mismatch` when a node of the plan has lost or invented rows. `ended`: nothing may be held back any more. */
export function verifyTallies(plan: PipelinePlan, tallies: ReadonlyMap<string, NodeTally>, ended: "ended" | "stopped"): void {
  for (const { name } of plan.sources) verifySource(name, tallies.get(name) ?? emptyTally());
  for (const { name } of plan.operators) verifyOperator(name, tallies.get(name) ?? emptyTally(), ended);
  for (
    const node of [
      ...plan.operators.map((o) => ({ name: o.name, edges: o.inputs.flat() })),
      ...plan.sinks.map((s) => ({ name: s.name, edges: s.inputs })),
    ]
  ) {
    const fed = node.edges.reduce((sum, edge) => sum + (tallies.get(edge.from)?.ports.get(edge.port) ?? 0), 0);
    const came = tallies.get(node.name)?.in ?? 0;
    if (came !== fed) throw mismatch(node.name, `its inputs gave ${fed} rows, ${came} came in`);
  }
}

function verifySource(name: string, tally: NodeTally): void {
  const { in: read, out, rejected, late, deletes } = summarize(tally);
  if (read === out + rejected + late + deletes) return;
  const rare = `${late > 0 ? `, late ${late}` : ""}${deletes > 0 ? `, deletes ${deletes}` : ""}`;
  throw mismatch(name, `read ${read} records, accepted ${out}, rejected ${rejected}${rare}`);
}

function verifyOperator(name: string, tally: NodeTally, ended: "ended" | "stopped"): void {
  const { in: came, out, filtered, duplicates, folded, rejected, late, deletes } = summarize(tally);
  // What was drained is either rows that came in and were held back (a join), or rows made of folded ones (an aggregate).
  const held = came - (out + filtered + duplicates + folded + rejected + late + deletes - tally.drained);
  const drained = tally.drained - (tally.ports.get("again") ?? 0);
  const fits = held === 0 || (ended === "ended" ? held === drained : held >= drained);
  if (fits) return;
  throw mismatch(
    name,
    `in ${came}, out ${out}, filtered ${filtered}, duplicates ${duplicates}, folded ${folded}, rejected ${rejected}, late ${late}, of these drained ${drained}`,
  );
}

function mismatch(node: string, numbers: string): MillraceError {
  return new MillraceError("count_mismatch", `the counts of "${node}" do not add up: ${numbers}`, {
    hint: "this is a defect of the program, not of the input: nothing was published; please report it with these numbers",
  });
}
