/** When a bounded run is done, goes on, begins anew or is refused. */
import assert from "node:assert/strict";
import { chooseRun } from "../../src/app/run_pipeline.ts";
import type { RunRecord } from "../../src/app/run_record.ts";
import { MillraceError } from "../../src/data/fault.ts";
import type { PipelineBlueprint } from "../../src/project/contracts.ts";

const blueprint = { name: "p", hash: "plan-1", bounded: true } as PipelineBlueprint;
const record = (status: "open" | "done", identities: Record<string, string>): RunRecord => ({
  version: 1,
  run: "r1",
  hash: "plan-1",
  status,
  identities,
  tables: null,
  startedMicros: 0,
  stale: [],
  summary: null,
});
const input = { payments: "8 bytes, abc" };
const changed = { payments: "9 bytes, abd" };

function refusal(choose: () => unknown): string {
  try {
    choose();
  } catch (error) {
    assert.ok(error instanceof MillraceError);
    return error.code;
  }
  return "not refused";
}

Deno.test("without a record a run begins", () => assert.equal(chooseRun(blueprint, null, input, { rerun: false }), "new"));

Deno.test("a finished run with the same plan and input is done; --rerun begins another", () => {
  assert.equal(chooseRun(blueprint, record("done", input), input, { rerun: false }), "already_done");
  assert.equal(chooseRun(blueprint, record("done", input), input, { rerun: true }), "new");
});

Deno.test("a finished run is not done for another input or another plan", () => {
  assert.equal(chooseRun(blueprint, record("done", input), changed, { rerun: false }), "new");
  assert.equal(chooseRun({ ...blueprint, hash: "plan-2" }, record("done", input), input, { rerun: false }), "new");
});

Deno.test("an unfinished run goes on, and is refused over changed input or a changed plan", () => {
  assert.equal(chooseRun(blueprint, record("open", input), input, { rerun: false }), "resume");
  assert.equal(refusal(() => chooseRun(blueprint, record("open", input), changed, { rerun: false })), "input_changed");
  assert.equal(refusal(() => chooseRun({ ...blueprint, hash: "plan-2" }, record("open", input), input, { rerun: false })), "plan_changed");
  assert.equal(chooseRun({ ...blueprint, hash: "plan-2" }, record("open", input), changed, { rerun: true }), "new");
});

Deno.test("an input that could not be told at the start is no change", () => {
  assert.equal(chooseRun(blueprint, record("open", { payments: "" }), input, { rerun: false }), "resume");
});

Deno.test("an endless pipeline goes on whatever its plan: the engine judges an open epoch", () => {
  assert.equal(chooseRun({ ...blueprint, hash: "plan-2", bounded: false }, record("open", {}), {}, { rerun: false }), "resume");
});
