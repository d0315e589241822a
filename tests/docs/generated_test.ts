/** Generated files are committed and never stale. */
import assert from "node:assert/strict";
import { generatedFiles } from "../../scripts/generate_files.ts";

const root = new URL("../../", import.meta.url);

Deno.test("the JSON Schema and the reference pages are those of the components, the pipelines made of others are theirs (deno task gen writes them)", async () => {
  const stale: string[] = [];
  for (const [path, text] of generatedFiles()) {
    if (await Deno.readTextFile(new URL(path, root)).catch(() => "") !== text) stale.push(path);
  }
  assert.deepEqual(stale, []);
});

Deno.test("every reference page on disk is generated", async () => {
  const known = [...generatedFiles().keys()];
  for await (const entry of Deno.readDir(new URL("docs/reference", root))) {
    assert.ok(known.includes(`docs/reference/${entry.name}`), entry.name);
  }
});
