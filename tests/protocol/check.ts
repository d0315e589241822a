/**
 * Runs the experiments on the commit protocol and prints what each found; ends with 1 where one finds something else than it must.
 *   deno run --v8-flags=--max-old-space-size=10000 tests/protocol/check.ts [--traces] [WORDS that the name must contain]
 */
import { EXPERIMENTS } from "./experiments.ts";
import { judge } from "./judge.ts";

const words = Deno.args.filter((argument) => !argument.startsWith("--"));
const chosen = EXPERIMENTS.filter(({ name }) => words.every((word) => name.includes(word)));
let differing = 0;
for (const experiment of chosen) {
  const started = performance.now();
  const { outcome, differs } = judge(experiment);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const clean = outcome.complete ? "clean" : "clean so far";
  const found = outcome.fault ? `fault in ${outcome.trace.length} steps: ${outcome.fault}` : clean;
  console.log(`${experiment.name} | ${outcome.states} states, depth ${outcome.depth}, ${seconds} s | ${found}`);
  if (differs) console.log(`    DIFFERS: ${differs}`);
  if (differs) differing++;
  if (Deno.args.includes("--traces")) outcome.trace.forEach((step, at) => console.log(`    ${at + 1}. ${step}`));
}
console.log(`${chosen.length - differing} as expected, ${differing} not`);
Deno.exit(differing === 0 && chosen.length > 0 ? 0 : 1);
