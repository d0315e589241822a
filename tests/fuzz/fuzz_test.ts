/** The gate's share of the fuzzing: damaged inputs of every format end as they should, none of them hangs, and what finds faults works. */
import assert from "node:assert/strict";
import { Finding, tryInputs } from "./harness.ts";
import { TARGETS } from "./targets/mod.ts";
import { tryWatched } from "./watched.ts";

const SEED = 9;

for (const { name, gateInputs } of TARGETS) {
  Deno.test(`${name}: of ${gateInputs} damaged inputs each is accepted, rejected with a reason or refused with a clear error`, async () => {
    const verdicts = await tryWatched({ target: name, seed: SEED, first: 0, count: gateInputs });
    const count = (isWished: (verdict: string) => boolean): number =>
      Object.entries(verdicts).reduce((sum, [verdict, count]) => isWished(verdict) ? sum + count : sum, 0);
    // Damage that is always refused, or never, tries nothing.
    const accepted = count((verdict) => verdict === "accepted");
    const others = count((verdict) => /^(rejected|refused) ./.test(verdict));
    assert.ok(accepted > gateInputs / 20 && others > gateInputs / 20, JSON.stringify(verdicts));
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
