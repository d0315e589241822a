/** Rows change lanes through the embedded log while the process is killed by SIGKILL again and again: none lost, doubled or reordered. */
import assert from "node:assert/strict";
import { inTemporaryFolder } from "../golden/command_line.ts";
import { killUntilDone } from "./kills.ts";
import { paymentsProject } from "./payments.ts";

const SEED = 20260101;
const BUS = `type = "log"\npath = "log"`;

Deno.test("rows that change lanes give the same in one, two, four and seven lanes, from run to run, and a second run has nothing to do", async () => {
  await inTemporaryFolder(async (folder) => {
    const project = await paymentsProject(folder, { bus: BUS, name: "sums", rows: 2000, seed: SEED });
    assert.equal((await project.run(["run", ".", "produce_sums"])).code, 0);
    for (const lanes of ["1", "2", "4", "7", "1"]) {
      const { code, stderr } = await project.run(["run", ".", "sums"], { LANES: lanes });
      assert.equal(code, 0, stderr);
      await project.verify();
      const again = await project.run(["run", ".", "sums"], { LANES: lanes });
      assert.match(again.stderr, /done|nothing/);
    }
    const anew = await project.run(["run", ".", "sums", "--rerun"], { LANES: "4" });
    assert.equal(anew.code, 0, anew.stderr);
    await project.verify();
  });
});

Deno.test(`rows that change lanes through the log, killed at every step of both stages (seed ${SEED})`, async (test) => {
  const shown = await killUntilDone({
    seed: SEED,
    wanted: 25,
    bus: () => ({ bus: BUS, name: "sums" }),
    inFolder: inTemporaryFolder,
  });
  // As the name of a step, since a quiet test run drops what tests print.
  await test.step(shown, () => {});
});
