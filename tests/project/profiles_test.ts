/** Profiles that choose files. */
import assert from "node:assert/strict";
import { choosePipelines } from "../../src/app/open_project.ts";
import { faultsOf, GOOD, load } from "./support.ts";

const SHARED = `[params]
mode = { type = "string", default = "default" }
[profile]
use = "\${PROFILE:-plain}"
[profiles.plain]
[profiles.careful]
mode = "careful"
pipelines = ["b", "a-\${VARIANT:-careful}"]
[profiles.quick]
pipelines = ["a"]
`;
const elsewhere = GOOD.replace("out/result.csv", "out/b.csv");
const FILES = { "p/millrace.toml": SHARED, "p/a.toml": GOOD, "p/a-careful.toml": GOOD, "p/b.toml": elsewhere };
const started = async (env: Record<string, string>, names: readonly string[] = []) =>
  choosePipelines(await load(FILES, { env }), names).map(({ name }) => name);

Deno.test("a profile names the pipelines that are run, in its order; named ones are run whatever it says", async () => {
  assert.deepEqual(await started({ PROFILE: "quick" }), ["a"]);
  assert.deepEqual(await started({ PROFILE: "careful" }), ["b", "a-careful"]);
  assert.deepEqual(await started({ PROFILE: "quick" }, ["b", "a-careful"]), ["b", "a-careful"]);
});

Deno.test("without a list all pipelines are run, and its parameters hold with one", async () => {
  assert.deepEqual(await started({}), ["a-careful", "a", "b"]);
  const { pipelines } = await load(FILES, { env: { PROFILE: "careful" } });
  assert.equal(pipelines[0].params.get("mode"), "careful");
});

Deno.test("two pipelines write one file only where no profile has both", async () => {
  assert.equal(await faultsOf(FILES), "");
  const both = { ...FILES, "p/millrace.toml": SHARED.replace('["a"]', '["a", "a-careful"]') };
  assert.match(await faultsOf(both), /writes to out\/result.csv, as does "result" of "a-careful"/);
  assert.match(
    await faultsOf({ ...FILES, "p/b.toml": GOOD, "p/millrace.toml": SHARED.replace('["b", ', "[") }),
    /writes to out\/result.csv/,
  );
});

Deno.test("a pipeline that is not there is a fault with the nearest name", async () => {
  assert.match(await faultsOf(FILES, { env: { VARIANT: "carefull" } }), /there is no pipeline "a-carefull"[^]*a-careful/);
});

Deno.test("one file alone is run whatever its project's profile says", async () => {
  const project = await load(FILES, { path: "p/a.toml", env: { PROFILE: "careful" } });
  assert.deepEqual(choosePipelines(project, []).map(({ name }) => name), ["a"]);
});
