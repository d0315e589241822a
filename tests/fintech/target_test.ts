/** The target of the configuration syntax, as it stands: its file beside the checkout checks clean and its own test passes, on one lane and four. */
import assert from "node:assert/strict";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const EXAMPLE = decodeURIComponent(new URL("../../../shared/examples/fintech-fraud.toml", import.meta.url).pathname);

async function isThere(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function millrace(command: string, project: string, env: Readonly<Record<string, string>>): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--unstable-kv", `${ROOT}src/main.ts`, command, project],
    cwd: project,
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.equal(code, 0, text);
  return text;
}

Deno.test("the example of the fraud rules checks clean and passes its own test, whatever its environment says of ends and lanes", async () => {
  if (!await isThere(EXAMPLE)) {
    if (Deno.env.get("CI") === "true") throw new Error("shared/examples is missing beside the checkout");
    console.log("skipped: fintech-fraud.toml (no folder shared/examples beside the checkout)");
    return;
  }
  const project = await Deno.makeTempDir();
  try {
    await Deno.copyFile(EXAMPLE, `${project}/fintech-fraud.toml`);
    assert.match(await millrace("test", project, {}), /1 passed, 0 failed/);
    for (const env of [{}, { FINTECH_UNTIL: "end" }, { FINTECH_LANES: "4" }] as const) {
      assert.match(await millrace("check", project, env as Record<string, string>), /1 pipeline, no faults/);
    }
  } finally {
    await Deno.remove(project, { recursive: true });
  }
});
