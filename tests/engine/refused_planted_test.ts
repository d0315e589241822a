/**
 * Would refused_rows_test.ts notice? Each planted bug is put into a copy of the shipped files, and its tests must fail there; a bug whose
 * text is no longer in its file fails, so that the list follows the code.
 */
import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url);

interface Bug {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}
const BUGS: readonly Bug[] = [
  {
    name: "what was refused is not read with the marker",
    file: "src/engine/held_lane.ts",
    find: "markers[i]?.refused ?? []",
    replace: "[]",
  },
  {
    name: "refused rows leave the checkpoint when they are given out, not behind that epoch",
    file: "src/engine/held_lane.ts",
    find: "    const deliveries = this.#sinks.map(",
    replace: "    await this.#refusals.flipped(this.#store, before, []);\n    const deliveries = this.#sinks.map(",
  },
  {
    name: "head does not count the refused rows",
    file: "src/engine/held_lane.ts",
    find: "refusedParts }, groups.at(-1), deletes)",
    replace: "refusedParts: 0 }, groups.at(-1), deletes)",
  },
  {
    name: "a replay leaves out what the epoch before refused",
    file: "src/engine/held_lane.ts",
    find: 'else if (entry.kind === "refused") this.#refusals.giveOut(this.graph, entry.rows);',
    replace: 'else if (entry.kind === "refused") continue;',
  },
];

async function copyFolder(from: URL, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    if (entry.isDirectory) await copyFolder(new URL(`${entry.name}/`, from), `${to}/${entry.name}`);
    else await Deno.copyFile(new URL(entry.name, from), `${to}/${entry.name}`);
  }
}

async function copyProject(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "refused-" });
  for (const part of ["src/engine/", "src/data/", "src/ports/", "tests/engine/"]) {
    await copyFolder(new URL(part, ROOT), `${folder}/${part}`);
  }
  for (const name of ["deno.json", "deno.lock"]) await Deno.copyFile(new URL(name, ROOT), `${folder}/${name}`);
  return folder;
}

/** What the tests print in the copy, and whether they passed. */
async function runTests(cwd: string): Promise<{ readonly passed: boolean; readonly printed: string }> {
  const args = ["test", "-A", "--no-check", "--quiet", "--fail-fast", "tests/engine/refused_rows_test.ts"];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd, env: { NO_COLOR: "1" } }).output();
  return { passed: success, printed: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

Deno.test("planted bugs in the way of refused rows are found", async (test) => {
  const folder = await copyProject();
  try {
    await test.step("without a bug the copy passes, so what is found is the bug", async () => {
      const { passed, printed } = await runTests(folder);
      assert.ok(passed, printed);
    });
    for (const { name, file, find, replace } of BUGS) {
      await test.step(name, async () => {
        const original = await Deno.readTextFile(`${folder}/${file}`);
        assert.equal(original.split(find).length, 2, `${file} holds once: ${find}`);
        await Deno.writeTextFile(`${folder}/${file}`, original.replace(find, replace));
        const { passed, printed } = await runTests(folder);
        await Deno.writeTextFile(`${folder}/${file}`, original);
        assert.ok(!passed && /AssertionError|assertion failed|refused/.test(printed), printed);
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
