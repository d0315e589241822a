/** What a repartition makes of a pipeline: its stages, which node runs where, and what cannot be split. */
import assert from "node:assert/strict";
import type { PipelineBlueprint } from "../../src/project/contracts.ts";
import { blueprintOf, faults } from "../windows/support.ts";

const SOURCE = `
[connections.bus]
type = "log"
path = "log"
[sources.payments]
connection = "bus"
topic      = "payments"
key        = "id"
until      = "never"
fields     = { id = "int", account = "string", shop = "string", note = "string?", amount = "decimal(2)", at = "timestamp" }
time       = { field = "at", lateness = "1s" }
`;
const BY_ACCOUNT = `[transforms.by_account]
type   = "repartition"
inputs = ["payments"]
key    = "account"
lanes  = 4
`;
const SUMS = `[transforms.sums]
type      = "aggregate"
inputs    = ["by_account"]
window    = { type = "tumbling", size = "1m" }
by        = ["account"]
aggregate = { total = "sum(amount)" }
[sinks.sums]
type   = "console"
inputs = ["sums"]
`;
const stagesOf = ({ stages }: PipelineBlueprint) =>
  stages.map((stage) => ({
    name: stage.name,
    sources: stage.sources.map(({ name }) => name),
    transforms: stage.transforms.map(({ name }) => name),
    sinks: stage.sinks.map(({ name }) => name),
    lanes: stage.lanesReason,
  }));

Deno.test("what stands behind a repartition is a stage of its own, whose lanes are keyed as it says", async () => {
  assert.deepEqual(stagesOf(await blueprintOf(SOURCE + BY_ACCOUNT + SUMS)), [
    {
      name: "p",
      sources: ["payments"],
      transforms: [],
      sinks: ["rejects", "by_account:out"],
      lanes: 'a lane per partition of "payments", keyed by "id"',
    },
    {
      name: "p.by_account",
      sources: ["by_account"],
      transforms: ["sums"],
      sinks: ["sums", "rejects"],
      lanes: 'a lane per partition of "by_account", keyed by "account"',
    },
  ]);
});

Deno.test("with one lane, and in tests, rows just pass", async () => {
  const one = await blueprintOf((SOURCE + BY_ACCOUNT + SUMS).replace("lanes  = 4", "lanes  = 1"));
  const tested = await blueprintOf(SOURCE + BY_ACCOUNT + SUMS, { purpose: "test" });
  assert.deepEqual([one.stages, tested.stages], [[], []]);
  assert.equal(one.lanesReason, 'one lane: "sums" keeps state by "account", and "payments" is partitioned by "id"');
});

Deno.test("only what is read behind it goes through the topic; the key stays behind where nobody else reads it", async () => {
  const { stages: [first, second] } = await blueprintOf(
    SOURCE + BY_ACCOUNT.replace('"account"', '"shop"') +
      `[sinks.notes]\ntype = "ndjson"\ninputs = ["by_account"]\npath = "notes"\ncolumns = ["note"]\n`,
  );
  assert.deepEqual([...second.sources[0].needed], ["note"]);
  assert.deepEqual([...first.sources[0].needed].toSorted(), ["at", "note", "shop"]);
});

Deno.test("a sink of both sides runs with the last stage; what it reads from before is carried there", async () => {
  const { stages } = await blueprintOf(
    SOURCE + BY_ACCOUNT + SUMS + `[sinks.refused]\ntype = "ndjson"\ninputs = ["*.rejected"]\npath = "refused"\n`,
  );
  assert.deepEqual(stagesOf(stages[0] && { ...stages[0], stages }).map(({ sinks }) => sinks), [
    ["by_account:out", "refused:carried:out"],
    ["sums", "refused"],
  ]);
  assert.deepEqual(stages[1].sinks[1].inputs, [
    { from: "by_account", port: "rejected" },
    { from: "sums", port: "rejected" },
    { from: "refused:carried", port: "out" },
  ]);
});

Deno.test("two repartitions of one row are one stage; one behind another is a stage more", async () => {
  const byShop = BY_ACCOUNT.replaceAll("by_account", "by_shop").replace('"account"', '"shop"');
  const shops = SUMS.replaceAll("sums", "shops").replace('"by_account"', '"by_shop"').replace('["account"]', '["shop"]');
  const beside = stagesOf(await blueprintOf(SOURCE + BY_ACCOUNT + byShop + SUMS + shops));
  assert.deepEqual(beside.map(({ name, sources, transforms }) => [name, sources, transforms]), [
    ["p", ["payments"], []],
    ["p.by_account", ["by_account", "by_shop"], ["sums", "shops"]],
  ]);
  assert.match(beside[1].lanes, /^a lane per partition/);
  const behind = stagesOf(
    await blueprintOf(SOURCE + BY_ACCOUNT + byShop.replace('"payments"', '"by_account"') + shops),
  );
  assert.deepEqual(behind.map(({ name, sources, sinks }) => [name, sources, sinks]), [
    ["p", ["payments"], ["rejects", "by_account:out"]],
    ["p.by_account", ["by_account"], ["rejects", "by_shop:out"]],
    ["p.by_shop", ["by_shop"], ["shops", "rejects"]],
  ]);
});

Deno.test("state by another field than the repartition's keeps the stage to one lane, and check says so", async () => {
  const { stages } = await blueprintOf(SOURCE + BY_ACCOUNT + SUMS.replace('["account"]', '["shop"]'));
  assert.equal(stages[1].lanesByPartition, false);
  assert.equal(stages[1].lanesReason, 'one lane: "sums" keeps state by "shop", and "by_account" is partitioned by "account"');
});

Deno.test("what cannot be split, or has no topic to go through, is told with its place", async () => {
  const joined = `[transforms.beside]
type  = "join"
left  = "payments"
right = "by_account"
on    = ["account"]
[sinks.out]
type = "console"
inputs = ["beside"]
`;
  assert.match(
    await faults(SOURCE + BY_ACCOUNT + joined),
    /reads "payments", which stands before a repartition, beside what comes from behind it/,
  );
  const second = BY_ACCOUNT.replaceAll("by_account", "by_shop").replace("lanes  = 4", "lanes  = 5");
  const read = SUMS.replace('["sums"]', '["by_shop"]');
  assert.match(await faults(SOURCE + BY_ACCOUNT + second + read), /"by_shop" has 5 lanes and "by_account" beside it 4/);
  const files = SOURCE.replace(/\[connections[^[]*/, "").replace(
    /connection = .*\ntopic .*\nkey .*\nuntil .*\n/,
    'type = "ndjson"\npath = "payments"\n',
  );
  assert.match(
    await faults(files + BY_ACCOUNT + SUMS),
    /more than one lane goes through a topic, and no connection of the pipeline has any/,
  );
  assert.match(await faults(SOURCE + BY_ACCOUNT.replace('"account"', '"at"') + SUMS), /a timestamp cannot be a key/);
  const unsafe = BY_ACCOUNT.replace('"account"', '"account.substring(3)"');
  assert.match(await faults(SOURCE + unsafe + SUMS), /this key can fail for some records/);
});
