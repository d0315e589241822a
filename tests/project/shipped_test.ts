/** The shipped configuration with the shipped components, read from its own files. */
import assert from "node:assert/strict";
import { registry } from "../../src/app/full_registry.ts";
import { planIntake } from "../../src/transforms/intake.ts";
import { load, type Setting } from "./support.ts";

const folder = new URL("../../config/cards/", import.meta.url);

async function shipped(setting: Setting = {}) {
  const files: Record<string, string> = {};
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".toml")) files[`p/${name}`] = await Deno.readTextFile(new URL(name, folder));
  }
  return load(files, { ...setting, options: { registry, intake: planIntake } });
}

Deno.test("it has no fault, under any profile", async () => {
  for (const profile of ["strict-zip", "refund-aware"]) {
    const { pipelines } = await shipped({ env: { CARDS_PROFILE: profile } });
    assert.ok(pipelines.length > 1);
  }
});

Deno.test("the stream has a lane per partition and is exactly-once to every sink", async () => {
  const stream = (await shipped()).pipelines.find(({ kind }) => kind === "stream");
  assert.ok(stream?.lanesByPartition, stream?.lanesReason ?? "no pipeline of kind stream");
  assert.ok(stream.guarantees.length > 0 && stream.guarantees.every(({ guarantee }) => guarantee === "exactly-once"));
});

Deno.test("reading it is fast", async () => {
  await shipped();
  let bestMs = Infinity;
  for (let i = 0; i < 3; i++) {
    const started = performance.now();
    await shipped();
    bestMs = Math.min(bestMs, performance.now() - started);
  }
  assert.ok(bestMs < 250, `${bestMs} ms`);
});

Deno.test("the projects of the benchmark against peers have no fault", async () => {
  const peers = new URL("../../bench/peer/", import.meta.url);
  const env = { IN: "in", OUT: "out", CARDS: "cards.ndjson" };
  const names = (await Array.fromAsync(Deno.readDir(peers))).map(({ name }) => name).filter((name) => name.endsWith(".toml"));
  assert.ok(names.length >= 3);
  for (const name of names) {
    const { pipelines: [pipeline] } = await load(await Deno.readTextFile(new URL(name, peers)), {
      env,
      options: { registry, intake: planIntake },
    });
    assert.ok(pipeline.guarantees.every(({ guarantee }) => guarantee === "exactly-once"), name);
  }
});
