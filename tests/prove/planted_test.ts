/** Would a proof notice? Bugs in a copy of the shipped files: a sink that delivers without its marker, and one that delivers twice. */
import assert from "node:assert/strict";
import type { PlantedBug } from "../sim/planted/bugs.ts";
import { withBug } from "./planted.ts";
import { inFolder, prove, writeProject } from "./project.ts";

/** It writes rows, and nothing says that they are there. */
const NO_MARKER: PlantedBug = {
  name: "a sink delivers without its marker",
  file: "src/connectors/sqlite/sink_lane.ts",
  edits: [{ find: 'if (markers.advance(stamp) === "done") return markers.refusedRows(this.lane, stamp.epoch);', replace: "" }],
  seedsMax: 1,
};
/** Whoever takes the lane over writes each row twice: no marker, digest or position says so, only the rows do. */
const TWICE: PlantedBug = {
  ...NO_MARKER,
  name: "a sink that was taken over delivers twice",
  edits: [{
    find: NO_MARKER.edits[0].find,
    replace: `${NO_MARKER.edits[0].find}\n        if (stamp.owner > 1) this.#insert(database);`,
  }],
};

for (const bug of [NO_MARKER, TWICE]) {
  Deno.test(`found, and found again by the seed that is told: ${bug.name}`, async () => {
    await inFolder(async (folder) => {
      const main = await withBug(`${folder}/copy`, bug);
      await writeProject(folder);

      const { code, stdout, stderr } = await prove(folder, ["--kills", "12", "--records", "200", "--json"], { main });
      assert.equal(code, 1, stdout + stderr);
      const { isProved, sinks, failedRun, failing } = JSON.parse(stdout);
      assert.equal(isProved, false);
      // The engine's own checks notice what the marker should say; what they cannot notice, the rows tell.
      assert.equal(failedRun !== "", bug === NO_MARKER, stdout);
      for (const { sink, doubled, lost, unexpected } of sinks) {
        assert.equal(lost + unexpected, 0, sink);
        assert.equal(doubled > 0, bug === TWICE && sink === "table", stdout);
      }
      assert.ok(failing.kills <= 12 && failing.records <= 200, JSON.stringify(failing));

      const words = ["--seed", String(failing.seed), "--kills", String(failing.kills), "--records", String(failing.records)];
      const again = await prove(folder, words, { main });
      assert.equal(again.code, 1, again.stdout + again.stderr);
      assert.match(again.stdout, /NOT exactly once; the smallest run found that shows it: millrace prove .* --seed \d+/);
      const right = await prove(folder, words);
      assert.equal(right.code, 0, right.stdout + right.stderr);
    });
  });
}
