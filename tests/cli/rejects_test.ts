/** `millrace rejects`: what was refused, from wherever the project keeps it, without what nobody may see. */
import assert from "node:assert/strict";
import { freshClone, type Ran, runMillrace } from "../support/clone.ts";

const pipeline = (sink: string): string =>
  `[sources.payments]
type   = "ndjson"
path   = "payments.ndjson"
fields = { id = "int", amount = "decimal(2)", card = { type = "string", tag = "pan" } }

[transforms.large]
type   = "filter"
inputs = ["payments"]
where  = "amount > 1.00"

[sinks.out]
type   = "csv"
path   = "out.csv"
inputs = ["large"]
${sink}`;
const RECORDS = [
  '{"id":1,"amount":5.00,"card":"4111111111111111"}',
  '{"id":2,"amount":"many","card":"4111111111111111"}',
  '{"id":3,"amount":5.001,"card":"4111111111111111"}',
  "4111111111111111 is no JSON, 'it' is \"text\"",
  '{"id":5,"amount":"few, \'really\'","card":"4111111111111111"}',
];
const TAKEN = 'type   = "TYPE"\ninputs = ["*.rejected"]\n';
const FORMS: Readonly<Record<string, string>> = {
  "the state folder": "",
  "ndjson": `\n[sinks.refused]\n${TAKEN.replace("TYPE", "ndjson")}path = "refused.ndjson"\n`,
  "csv": `\n[sinks.refused]\n${TAKEN.replace("TYPE", "csv")}path = "refused.csv"\n`,
  "log": `\n[connections.bus]\ntype = "log"\npath = "log"\n\n[sinks.refused]\nconnection = "bus"\ninputs = ["*.rejected"]
topic = "refused"\ncreate = { partitions = 1 }\n`,
  "sqlite": `\n[connections.bank]\ntype = "sqlite"\npath = "bank.sqlite"\n\n[sinks.refused]\nconnection = "bank"\ninputs = ["*.rejected"]
table = "refused"\ncreate = true\n`,
};

async function inRun(sink: string, body: (run: (...words: string[]) => Promise<Ran>) => Promise<void>): Promise<void> {
  const { folder, remove } = await freshClone();
  try {
    await Deno.writeTextFile(`${folder}/p.toml`, pipeline(sink));
    await Deno.writeTextFile(`${folder}/payments.ndjson`, RECORDS.join("\n") + "\n");
    const ran = await runMillrace(["run", "p.toml", "-q"], folder);
    assert.equal(ran.code, 0, ran.output);
    await body((...words) => runMillrace(words, folder));
  } finally {
    await remove();
  }
}

for (const [name, sink] of Object.entries(FORMS)) {
  Deno.test(`rejects kept in ${name} are counted by reason, and shown with place, reason and bytes`, async () => {
    await inRun(sink, async (run) => {
      const listed = await run("rejects", "ls", "p.toml", "--json");
      assert.equal(listed.code, 0, listed.output);
      const counts = listed.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
      assert.deepEqual(counts.map(({ reason, records, source, newest }) => [reason, records, source, newest.partition]), [
        ["type:amount", 2, "payments", 0],
        ["json", 1, "payments", 0],
        ["scale:amount", 1, "payments", 0],
      ]);
      const shown = await run("rejects", "show", "p.toml", "--reason", "type:amount", "--json");
      const rejects = shown.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
      assert.deepEqual(rejects.map(({ raw }) => JSON.parse(raw)), [
        { id: 2, amount: "many", card: "••••" },
        { id: 5, amount: "few, 'really'", card: "••••" },
      ]);
      const text = (await run("rejects", "show", "p.toml", "--last", "1", "--reason", "json")).stdout;
      assert.match(text, /^payments\/0@\d+ {2}json\n {2}\(\d+ bytes, not shown: the schema has tagged fields.*\)\n$/);
      assert.ok(!(listed.output + shown.output + text).includes("4111111111111111"));
    });
  });
}

Deno.test("a pipeline without rejects says so, and ls is a table for people", async () => {
  await inRun("", async (run) => {
    assert.match(
      (await run("rejects", "ls", "p.toml", "p")).stdout,
      /^p {2}4 records refused\n {10}2 {2}type:amount {3}from payments, newest at payments\/0@\d+\n {10}1 {2}json /,
    );
    assert.equal((await run("rejects", "ls", "p.toml", "--source", "others")).stdout, "p  has no rejects\n");
  });
});
