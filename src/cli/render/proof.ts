/** A proof as people read it: the verdict last. */
import type { Proof } from "../../app/prove/prove_project.ts";
import type { Failing } from "../../app/prove/shrink.ts";

const HEADS = ["sink", "expected", "found", "lost", "doubled", "unexpected", "reordered"];

export function proofText(path: string, proof: Proof, failing: Failing | null): string {
  const { rounds, kills, killsNotCounted, seed, inputs, steps, sinks, unjudged, columnsLeftOut } = proof;
  const lines: string[] = [];
  for (const { path, origin, bytes } of inputs) lines.push(`input    ${path}: ${origin}, ${bytes.toLocaleString("en")} bytes`);
  const beside = killsNotCounted === 0 ? "" : `, and ${killsNotCounted} behind the last epoch`;
  lines.push(`kills    ${kills} in ${rounds} ${rounds === 1 ? "round" : "rounds"}${beside}, seed ${seed}`);
  lines.push(`steps    ${Object.entries(steps).map(([step, count]) => `${step} ${count}`).join(", ")}`, "");
  const rows = sinks.map((sink) => [
    `${sink.pipeline}.${sink.sink}`,
    ...[sink.expected, sink.found, sink.lost, sink.doubled, sink.unexpected, sink.reordered].map((count) => count.toLocaleString("en")),
  ]);
  lines.push(...tableLines([HEADS, ...rows]), "");
  for (const { examples, pipeline, sink } of sinks) lines.push(...examples.map((example) => `${pipeline}.${sink} ${example}`));
  for (const { pipeline, sink, reason } of unjudged) lines.push(`not judged: ${pipeline}.${sink}: ${reason}`);
  for (const column of columnsLeftOut) lines.push(`left out: ${column}, which differs between undisturbed runs`);
  if (proof.failedRun !== "") lines.push(`after a kill, ${proof.failedRun}`);
  lines.push(verdict(path, proof, failing));
  return lines.map((line) => line + "\n").join("");
}

function verdict(path: string, { isProved, sinks, kills, unjudged }: Proof, failing: Failing | null): string {
  if (isProved) return `exactly once: ${kills} kills, and every row of ${sinks.length} sinks came once, in order where there is one`;
  if (failing) {
    const { seed, kills, records } = failing;
    return `NOT exactly once; the smallest run found that shows it: millrace prove ${path} --seed ${seed} --kills ${kills} --records ${records}`;
  }
  const unproved = unjudged.filter(({ weight }) => weight === "unproved").length;
  return `NOT proved: ${unproved} of ${
    sinks.length + unproved
  } sinks could not be judged; give what draws or asks the clock fixed values by --set`;
}

function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((text, column) => column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column])).join("  "));
}
