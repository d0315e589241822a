/**
 * The README's commands are run as they stand, in a folder that looks like a fresh clone. A block that cannot be run in a
 * test says so in a comment above it, with the reason.
 */
import assert from "node:assert/strict";
import { freshClone, runShell } from "../support/clone.ts";
import { blocksOf, notRun } from "./shell_blocks.ts";

const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
const blocks = blocksOf(readme);

Deno.test("the README leads with two pipelines of at most 15 lines each", () => {
  const pipelines = blocks.filter((block) => block.language === "toml");
  assert.ok(pipelines.length >= 2, "there are two");
  for (const { text } of pipelines.slice(0, 2)) assert.ok(text.trimEnd().split("\n").length <= 15);
});

Deno.test("the README's commands do what it says", async (t) => {
  const clone = await freshClone();
  const outputs: string[] = [];
  try {
    for (const block of blocks) {
      if (block.language === "toml") {
        const name = /`([\w-]+\.toml)`:\s*$/.exec(block.before)?.[1];
        assert.ok(name, "a TOML block is introduced by its file's name");
        await Deno.writeTextFile(`${clone.folder}/${name}`, block.text);
      }
      if (block.language !== "sh" || notRun(block)) continue;
      await t.step(block.text.split("\n")[0], async () => {
        const { code, output } = await runShell(`set -e\n${block.text}`, clone.folder);
        assert.equal(code, 0, output);
        outputs.push(output);
      });
    }
    for (const { text } of blocks.filter((block) => block.language === "text")) {
      assert.ok(outputs.some((output) => output.includes(text)), `no command printed what the README shows:\n${text}`);
    }
  } finally {
    await clone.remove();
  }
});

Deno.test("only blocks that would download or recurse are not run", () => {
  const reasons = blocks.map(notRun).filter((reason) => reason !== undefined);
  assert.deepEqual(reasons, [
    "it runs this file",
    "it would download Deno again",
    "it needs the two servers",
    "it serves until it is stopped",
    "it downloads the compiler's base",
  ]);
});
