/**
 * The long test of reliability: `deno run -A --unstable-kv tests/reliability/main.ts [--kills 200] [--seed N] [--sink NAME]...` kills a
 * stateful pipeline by SIGKILL so many times at each sink, on real servers, and prints what stood in the sinks. Exit 1 where a row was
 * lost, doubled or wrong.
 */
import { parseArgs } from "node:util";
import { histogramText } from "../services/deaths.ts";
import { isExact } from "./ledger.ts";
import { type Figures, killOverAndOver } from "./ordeal.ts";
import { openerOf, type SinkName, SINKS } from "./targets.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    kills: { type: "string", default: "200" },
    seed: { type: "string", default: "20261121" },
    sink: { type: "string", multiple: true, default: [...SINKS] },
  },
});
const unknown = values.sink.filter((name) => !(SINKS as readonly string[]).includes(name));
if (unknown.length > 0 || !/^[1-9]\d*$/.test(values.kills) || !/^\d+$/.test(values.seed)) {
  console.error(`usage: main.ts [--kills N] [--seed N] [--sink ${SINKS.join("|")}]...`);
  Deno.exit(2);
}

const HEAD = "| sink | seed | kills | rounds | rows of | expected | found | lost | doubled | wrong | minutes |";
console.log(`${HEAD}\n${HEAD.replaceAll(/[^|]+/g, " --- ")}`);
let isRight = true;
const histograms: string[] = [];
for (const name of values.sink as SinkName[]) {
  const target = await openerOf(name, "bounded")();
  if ("skipped" in target) {
    console.error(`${name}: NOT RUN: ${target.skipped}`);
    Deno.exit(1);
  }
  const seed = Number(values.seed) + SINKS.indexOf(name);
  const figures = await killOverAndOver(target, { kills: Number(values.kills), seed, tell: (line) => console.error(line) });
  for (const line of linesOf(figures)) console.log(line);
  const histogram = `${name}: ${histogramText(figures.histogram)}`;
  // At once too: who ends the command early has what was done.
  console.error(histogram);
  histograms.push(histogram);
  for (const verdict of figures.verdicts.values()) {
    for (const example of verdict.examples) console.error(`  ${example}`);
    isRight &&= isExact(verdict);
  }
}
console.log(`\n${histograms.join("\n")}\n\n${isRight ? "every row once" : "NOT every row once"}`);
Deno.exit(isRight ? 0 : 1);

/** One for each sink of the project. */
function linesOf({ sink, seed, kills, rounds, verdicts, seconds }: Figures): string[] {
  return [...verdicts].map(([shelf, { expected, found, lost, doubled, wrong }]) => {
    const cells = [sink, seed, kills, rounds, shelf, expected, found, lost, doubled, wrong, (seconds / 60).toFixed(1)];
    return `| ${cells.join(" | ")} |`;
  });
}
