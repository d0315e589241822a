/** The gate's share of the fuzzing, ten times as much where CI is set: damaged inputs of every format end as they should, none of them hangs, and what finds faults works. */
import assert from "node:assert/strict";
import { Finding, tryInputs } from "./harness.ts";
import { TARGETS } from "./targets/mod.ts";
import { addVerdicts, tryWatched, TURN_INPUTS } from "./watched.ts";

const SEED = 9;
/** A hosted run has minutes for it, an engineer at work has seconds. */
const TIMES = Deno.env.get("CI") ? 10 : 1;

for (const { name, gateInputs } of TARGETS) {
  const inputs = gateInputs * TIMES;
  Deno.test(`${name}: of ${inputs} damaged inputs each is accepted, rejected with a reason or refused with a clear error`, async () => {
    const verdicts: Record<string, number> = {};
    for (let first = 0; first < inputs; first += TURN_INPUTS) {
      addVerdicts(verdicts, await tryWatched({ target: name, seed: SEED, first, count: Math.min(TURN_INPUTS, inputs - first) }));
    }
    const count = (isWished: (verdict: string) => boolean): number =>
      Object.entries(verdicts).reduce((sum, [verdict, count]) => isWished(verdict) ? sum + count : sum, 0);
    // Damage that is always refused, or never, tries nothing.
    const accepted = count((verdict) => verdict === "accepted");
    const others = count((verdict) => /^(rejected|refused) ./.test(verdict));
    assert.ok(accepted > inputs / 20 && others > inputs / 20, JSON.stringify(verdicts));
  });
}

const opened = (run: () => void) => ({ name: "own", gateInputs: 1, open: () => Promise.resolve({ run }) });
const order = { seed: 1, first: 7, count: 1, begin: () => {} };

Deno.test("what is thrown by no error of ours is a finding, and so is an input of which nobody tells what became", async () => {
  const crash = opened(() => {
    throw new RangeError("out of bounds");
  });
  await assert.rejects(
    tryInputs(crash, order),
    (error) => error instanceof Finding && /own, input 7: RangeError: out of b/.test(error.message),
  );
  await assert.rejects(tryInputs(opened(() => {}), order), /own, input 7: nobody tells/);
});

Deno.test("an input is made from the seed and its number alone", async () => {
  const drawn: number[] = [];
  const target = {
    name: "own",
    gateInputs: 1,
    open: () =>
      Promise.resolve({
        run: (dice: { next(): number }, account: (verdict: string) => void) => (drawn.push(dice.next()), account("accepted")),
      }),
  };
  await tryInputs(target, { ...order, first: 0, count: 8 });
  await tryInputs(target, { ...order, first: 5, count: 1 });
  assert.equal(drawn[8], drawn[5]);
  assert.equal(new Set(drawn).size, 8);
});
