/**
 * Would the simulation notice? Each planted bug is put into a copy of the shipped files, and must be found within its number of seeds. A
 * bug whose text is no longer in its file fails, so that the list follows the code.
 */
import assert from "node:assert/strict";
import { PLANTED_BUGS, type PlantedBug } from "./planted/bugs.ts";
import { runShare } from "./share_seeds.ts";

const ROOT = new URL("../../", import.meta.url);

async function copyFolder(from: URL, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    if (entry.isDirectory) await copyFolder(new URL(`${entry.name}/`, from), `${to}/${entry.name}`);
    else if (entry.name.endsWith(".ts")) await Deno.copyFile(new URL(entry.name, from), `${to}/${entry.name}`);
  }
}

/** A copy of what the simulation needs. */
async function copyProject(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "planted-" });
  await copyFolder(new URL("src/", ROOT), `${folder}/src`);
  await copyFolder(new URL("tests/sim/", ROOT), `${folder}/tests/sim`);
  for (const name of ["deno.json", "deno.lock"]) {
    const file = new URL(name, ROOT);
    if (await Deno.stat(file).then(() => true, () => false)) await Deno.copyFile(file, `${folder}/${name}`);
  }
  return folder;
}

/** The file's text with the bug in it. Throws where the text to be replaced is not there exactly once. */
function plant(text: string, bug: PlantedBug): string {
  for (const { find, replace } of bug.edits) {
    const [before, after, ...more] = text.split(find);
    if (after === undefined) throw new Error(`the planted bug "${bug.name}" does not fit any more: ${bug.file} does not hold\n${find}`);
    if (more.length > 0) throw new Error(`the planted bug "${bug.name}" is not clear: ${bug.file} holds more than once\n${find}`);
    text = before + replace + after;
  }
  return text;
}

/** Puts the bug into the copy, and lets one process look for it. */
async function find(bug: PlantedBug, folder: string): Promise<void> {
  const path = `${folder}/${bug.file}`;
  const original = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, plant(original, bug));
  try {
    const { runs, failed } = await runShare(1, bug.seedsMax, 1, { folder, sinks: bug.sinks });
    assert.ok(failed, `not found in ${runs} seeds`);
    console.log(`${bug.name}: seed ${failed.seed}: ${failed.problem.split("\n")[0]}`);
  } finally {
    await Deno.writeTextFile(path, original);
  }
}

Deno.test("every planted bug is found", async (test) => {
  const copies = await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, copyProject));
  try {
    await test.step("without a bug nothing is found, so what is found is the bug", async () => {
      assert.equal((await runShare(1, 40, 1, { folder: copies[0]! })).failed, null);
    });
    const bugs = PLANTED_BUGS.values();
    const steps = copies.map(async (folder) => {
      for (const bug of bugs) {
        const name = `${bug.name} (within ${bug.seedsMax} seeds)`;
        await test.step({ name, fn: () => find(bug, folder), sanitizeOps: false, sanitizeResources: false, sanitizeExit: false });
      }
    });
    await Promise.all(steps);
  } finally {
    for (const folder of copies) await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a planted bug whose text is gone is reported", () => {
  const bug: PlantedBug = { name: "b", file: "f.ts", edits: [{ find: "x", replace: "y" }], seedsMax: 1 };
  assert.equal(plant("1 x 2", bug), "1 y 2");
  assert.throws(() => plant("1 2", bug), /does not fit any more/);
  assert.throws(() => plant("x x", bug), /more than once/);
});
