/** What leaves for the topics: the columns of the specification in their order, keys, and how money and times are written. */
import assert from "node:assert/strict";
import type { Processor } from "../oracle/fintech/acceptance.ts";
import { CASES } from "../oracle/fintech/acceptance.ts";
import type { Message, Profile } from "../oracle/fintech/rows.ts";
import { runMillrace } from "../support/clone.ts";
import { makeInputs } from "./inputs.ts";
import { expected, PROCESSORS, PROFILES } from "./model.ts";
import { inFolder, runProcessors, writeTopics } from "./whole.ts";

const TOPICS: Readonly<Record<Processor, string>> = {
  lifecycle: "fintech.customer_lifecycle",
  merchants: "fintech.merchant_performance",
  metrics: "fintech.customer_transaction_metrics",
  fraud: "fintech.customer_fraud_alerts",
};
const { references, transactions } = makeInputs(1200, 7);
const messages = [...references, ...transactions];

/** The JSON texts of a topic of the embedded log, as they lie in its files. */
async function recordsOf(output: string, topic: string): Promise<string[]> {
  const found: string[] = [];
  const read = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) await read(`${folder}/${name}`);
      else {
        const text = new TextDecoder().decode(await Deno.readFile(`${folder}/${name}`));
        for (const { index } of text.matchAll(/\{"(?:customerId|merchantId|transactionId)":/g)) found.push(objectAt(text, index));
      }
    }
  };
  await read(`${output}/log/${topic}`);
  return found;
}

/** The object that begins there, up to the brace that closes it. */
function objectAt(text: string, start: number): string {
  let depth = 0;
  let quoted = false;
  for (let at = start;; at++) {
    const character = text[at];
    assert.ok(character !== undefined, "the object is closed");
    if (quoted) {
      if (character === "\\") at++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return text.slice(start, at + 1);
  }
}

for (const profile of PROFILES) {
  Deno.test(`the topics of ${profile} have exactly the specification's columns, in its order, and its times`, async () => {
    await inFolder(async (output) => {
      await writeTopics(output, messages);
      const ran = await runProcessors({ output, profile, processors: PROCESSORS });
      assert.equal(ran.code, 0, ran.output);
      for (const processor of PROCESSORS) {
        const records = await recordsOf(output, TOPICS[processor]);
        const { rows } = expected(processor, profile, messages, "event");
        assert.equal(records.length, rows.length, `${processor} ${profile}`);
        assert.deepEqual(Object.keys(JSON.parse(records[0])), Object.keys(rows[0]), `${processor} ${profile}`);
        const time = /"(?:eventTime|detectionTime)":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00"/;
        for (const record of records) assert.match(record, time);
      }
      const [metric] = await recordsOf(output, TOPICS.metrics);
      assert.match(metric, profile === "AS-RUN" ? /"totalAmount":\d+\.\d\d,/ : /"totalAmount":"\d+\.\d\d",/);
      const [merchant] = await recordsOf(output, TOPICS.merchants);
      assert.match(merchant, /"totalAmount":\d+\.\d\d,"averageAmount":\d+\.\d\d,/);
    });
  });
}

Deno.test("B13: the rows of a customer or a merchant lie in one partition, those of all in several", async () => {
  await inFolder(async (output) => {
    await writeTopics(output, messages);
    const ran = await runProcessors({ output, profile: "FIXED", processors: PROCESSORS, env: { FINTECH_PARTITIONS: "4" } });
    assert.equal(ran.code, 0, ran.output);
    for (const processor of PROCESSORS) {
      const key = processor === "merchants" ? "merchantId" : "customerId";
      const places = await partitionsByKey(output, TOPICS[processor], key);
      assert.ok([...places.values()].every((partitions) => partitions.size === 1), processor);
      assert.ok(new Set([...places.values()].flatMap((partitions) => [...partitions])).size > 1, processor);
    }
  });
});

async function partitionsByKey(output: string, topic: string, key: string): Promise<Map<string, Set<string>>> {
  const name = topic.replaceAll(".", "_");
  const file = `${output}/${name}.toml`;
  await Deno.writeTextFile(
    file,
    `[connections.bus]
type = "log"
path = "${output}/log"
[sources.rows]
connection = "bus"
topic      = "${topic}"
fields     = { ${key} = "string" }
[transforms.placed]
type   = "map"
inputs = ["rows"]
set    = { key = "${key}", partition = "meta.partition" }
keep   = ["key", "partition"]
[sinks.out]
type    = "csv"
inputs  = ["placed"]
path    = "${output}/${name}.csv"
publish = "one_file"
`,
  );
  const ran = await runMillrace(["run", file, "--quiet", "--set", `state=${output}/state-of-${name}`], Deno.cwd());
  assert.equal(ran.code, 0, ran.output);
  const places = new Map<string, Set<string>>();
  for (const line of (await Deno.readTextFile(`${output}/${name}.csv`)).trim().split("\n").slice(1)) {
    const [owner, partition] = line.split(",");
    places.set(owner, (places.get(owner) ?? new Set()).add(partition));
  }
  return places;
}

Deno.test("F3: a code of always_alert is an alert whatever its points", async () => {
  await inFolder(async (output) => {
    const given: readonly Message[] = CASES.F3.given;
    await writeTopics(output, given);
    const profile: Profile = "FIXED";
    const ran = await runProcessors({ output, profile, processors: ["fraud"], set: ["params.always_alert=FROZEN_ACCOUNT"] });
    assert.equal(ran.code, 0, ran.output);
    assert.equal((await recordsOf(output, TOPICS.fraud)).length, 2);
  });
});
