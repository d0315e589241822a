/**
 * The project killed by SIGKILL again and again, at named protocol steps and at random ones, with ten records an epoch, and
 * started again until it is done: the files must be the bytes of an undisturbed run.
 */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { ProtocolStep } from "../../src/ports/probe.ts";
import { SeededSequence } from "../../src/connectors/generate/seeded_sequence.ts";
import { type Expected, oracle } from "../oracle/cards.ts";
import { filesOf, readInputs } from "../oracle/expected_files.ts";
import { PROFILES } from "../oracle/switches.ts";
import { goldenCases, inputFolder } from "./cases.ts";
import { inTemporaryFolder, millrace } from "./command_line.ts";
import { publishedCase } from "./published.ts";
import { tableRows } from "./tables.ts";

const SEED = 20250401;
const LIVES_MAX = 80;
const STEPS: readonly ProtocolStep[] = [
  "take_over",
  "fenced",
  "loaded",
  "batch_processed",
  "epoch_closed",
  "intent_written",
  "sink_delivered",
  "state_written",
  "head_flipped",
  "finishing",
  "published",
  "run_done",
];
/** Steps that a pipeline passes once or twice in a life; the others come with every epoch. */
const RARE: ReadonlySet<ProtocolStep> = new Set(["take_over", "fenced", "loaded", "finishing", "published", "run_done"]);

interface Plan {
  readonly name: string;
  readonly profile: keyof typeof PROFILES;
  readonly partitions: number;
  /** The variable that ends life number `life`, and its name in the histogram. */
  kill(life: number): { readonly env: Record<string, string>; readonly step: string };
}

function namedSteps(life: number) {
  const step = STEPS[life % STEPS.length];
  // Late enough for progress from life to life, early enough for many lives.
  const count = RARE.has(step) ? 2 : 9 + life % 5;
  return { env: { MILLRACE_KILL_AT: `${step}:${count}` }, step };
}
function randomSteps(seed: number) {
  const sequence = new SeededSequence(seed, "kill");
  return () => ({ env: { MILLRACE_KILL_AFTER_STEPS: String(sequence.between(10, 160)) }, step: "any step" });
}
const plans: readonly Plan[] = [
  { name: "named steps, one partition", profile: "strict-zip", partitions: 1, kill: namedSteps },
  { name: "named steps, four partitions", profile: "refund-aware", partitions: 4, kill: (life) => namedSteps(life * 5 + 3) },
  { name: "random steps, two partitions", profile: "strict-zip", partitions: 2, kill: randomSteps(SEED) },
];

const published = await publishedCase();
const input = published === null ? inputFolder(goldenCases[0]) : `${published.folder}input`;
const kills = new Map<string, number>();

for (const plan of plans) {
  Deno.test(`killed at ${plan.name} (seed ${SEED}): the same bytes`, async () => {
    await inTemporaryFolder(async (output) => {
      const run = { input, output, profile: plan.profile, partitions: plan.partitions, set: ["epoch.records_max=10"] };
      let life = 0;
      for (;; life++) {
        assert.ok(life < LIVES_MAX, `not done after ${LIVES_MAX} lives`);
        const { env, step } = plan.kill(life);
        const ended = await millrace("run", { ...run, env });
        if (!ended.killed) {
          assert.equal(ended.code, 0, `life ${life}: ${ended.stderr || ended.stdout}`);
          break;
        }
        kills.set(step, (kills.get(step) ?? 0) + 1);
      }
      const expected = oracle(readInputs(input), PROFILES[plan.profile]);
      for (const [name, text] of filesOf(expected)) {
        assert.equal(Deno.readTextFileSync(`${output}/${name}`), text, `${name} after ${life} kills`);
      }
      assertDecisions(output, expected);
    });
  });
}

Deno.test("a rerun that is killed again and again is finished by plain starts", async () => {
  await inTemporaryFolder(async (output) => {
    const run = { input: inputFolder(goldenCases[0]), output, partitions: 2, set: ["epoch.records_max=50"] };
    const first = await millrace("run", run);
    assert.equal(first.code, 0, first.stderr);
    let flags = ["--rerun"];
    for (let life = 0;; life++) {
      assert.ok(life < LIVES_MAX, `not done after ${LIVES_MAX} lives`);
      const ended = await millrace("run", { ...run, flags, env: { MILLRACE_KILL_AFTER_STEPS: String(30 + life) } });
      flags = [];
      if (!ended.killed) {
        assert.equal(ended.code, 0, `life ${life}: ${ended.stderr}`);
        break;
      }
      kills.set("any step of a rerun", (kills.get("any step of a rerun") ?? 0) + 1);
    }
    const expected = oracle(readInputs(run.input), PROFILES["strict-zip"]);
    for (const [name, text] of filesOf(expected)) assert.equal(Deno.readTextFileSync(`${output}/${name}`), text, name);
    assertDecisions(output, expected);
  });
});

/** The table that the stream appends to has each row once. */
function assertDecisions(output: string, expected: Expected): void {
  const database = new DatabaseSync(`${output}/cards.sqlite`, { readOnly: true });
  try {
    const wished = expected.stream.map((row, index) => [row[0], expected.reasons[index], row[9]]);
    wished.sort((a, b) => Number(a[0]) - Number(b[0]));
    assert.deepEqual(tableRows(database, "decisions", ["transaction_id", "decline_reason", "pending_balance"]), wished);
  } finally {
    database.close();
  }
}

Deno.test("at least 40 kills hit a run that was not done", async (test) => {
  const histogram = [...kills].map(([step, count]) => `${step} ${count}`).join(", ");
  // After its last step a pipeline has nothing left to lose.
  const counted = [...kills].reduce((sum, [step, count]) => step === "run_done" ? sum : sum + count, 0);
  // As the name of a step, since a quiet test run drops what tests print.
  await test.step(`${counted} kills: ${histogram}`, () => assert.ok(counted >= 40));
});
