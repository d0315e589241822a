/** `millrace prove` as its users start it: what it proves, what it refuses, and that it leaves the project alone. */
import assert from "node:assert/strict";
import { contentsOf, inFolder, PAYMENTS, prove, writeProject } from "./project.ts";

interface Row {
  readonly sink: string;
  readonly expected: number;
  readonly found: number;
}

async function writeInput(folder: string, records: number): Promise<void> {
  const lines = Array.from(
    { length: records },
    (_, i) => `${i + 1},a${i % 7},${i % 90}.25,2026-01-01T00:00:${String(i % 60).padStart(2, "0")}Z\n`,
  );
  await Deno.mkdir(`${folder}/in`);
  await Deno.writeTextFile(`${folder}/in/payments.csv`, "id,account,amount,at\n" + lines.join(""));
}

Deno.test("a project with every embedded target is proved, and nothing of it is touched", async () => {
  await inFolder(async (folder) => {
    await writeProject(folder, { out: `${folder}/out` });
    await writeInput(folder, 300);
    const before = await contentsOf(folder);
    const { code, stdout, stderr } = await prove(folder, ["--kills", "8", "--records", "250", "--json"]);
    assert.equal(code, 0, stdout + stderr);
    const proof = JSON.parse(stdout);
    assert.equal(proof.kills, 8);
    const steps: number[] = Object.values(proof.steps);
    assert.equal(steps.reduce((sum, count) => sum + count, 0), proof.kills + proof.killsNotCounted);
    const rows: readonly Row[] = proof.sinks;
    // The file's 250 first records, once for each round.
    for (const name of ["table", "topic", "parts", "file"]) {
      const row = rows.find(({ sink }) => sink === name);
      assert.deepEqual([row?.expected, row?.found], [250 * proof.rounds, 250 * proof.rounds], name);
    }
    assert.deepEqual(proof.columnsLeftOut, ["payments.table.seen_at"], "the time of an epoch is no promise");
    assert.deepEqual(proof.unjudged.map((one: { sink: string }) => one.sink), ["screen"], "what was shown cannot be read back");
    assert.deepEqual(await contentsOf(folder), before);
  });
});

Deno.test("a missing input is made from its schema: bad records and repeats among it", async () => {
  await inFolder(async (folder) => {
    await writeProject(folder);
    const { code, stdout, stderr } = await prove(folder, ["--kills", "3", "--records", "200"]);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /in\/payments\.csv: made/);
    assert.match(stdout, /payments\.rejects +[1-9]/);
    assert.match(stdout, /exactly once: 3 kills, and every row of 5 sinks came once/);
  });
});

Deno.test("the same seed gives the same kills", async () => {
  await inFolder(async (folder) => {
    await writeProject(folder);
    const words = ["--kills", "3", "--records", "120", "--seed", "7", "--json"];
    const [first, second] = [await prove(folder, words), await prove(folder, words)];
    assert.deepEqual(JSON.parse(first.stdout).steps, JSON.parse(second.stdout).steps);
    assert.deepEqual(JSON.parse(first.stdout).inputs, JSON.parse(second.stdout).inputs);
  });
});

const TOPIC_FOREVER = `[connections.bus]
type = "log"
path = "OUT/log"
[sources.payments]
connection = "bus"
topic  = "payments"
until  = "never"
fields = { id = "int" }
[sinks.file]
type   = "ndjson"
inputs = ["payments"]
path   = "OUT/parts"
`;
const TOPIC_OF_OTHERS = TOPIC_FOREVER.replace('until  = "never"', 'until  = "end"');
const BROKER = TOPIC_OF_OTHERS.replace('type = "log"\npath = "OUT/log"', 'type = "kafka"\nbrokers = "127.0.0.1:1"');
const CHECKPOINTS_ELSEWHERE = `[state]\nurl = "http://127.0.0.1:1"\ntoken = "t"\n` + PAYMENTS.replace('kind = "batch"\n', "")
  .replace(/\[sinks\.[^]*$/, '[sinks.screen]\ntype = "console"\ninputs = ["running"]\n');

for (
  const [what, toml, code] of [
    [
      "an input without end",
      PAYMENTS.replace(
        'type   = "csv"\npath   = "in/payments.csv"\nfields = { id = "int", account = "string", amount = "decimal(2)", at = "timestamp" }',
        'type = "generate"\nwhat = "banking"\nrate = "max"\nfields = { transaction_id = "string", user_id = "int", amount = "decimal(2)" }',
      ).replaceAll('"account"', '"user_id"').replace(/\[sinks.topic\][^]*$/, ""),
      "prove_unbounded",
    ],
    ["a topic of others", TOPIC_OF_OTHERS, "prove_input"],
    ["a broker", BROKER, "prove_server"],
    ["checkpoints on a server", CHECKPOINTS_ELSEWHERE, "prove_server"],
  ]
) {
  Deno.test(`${what} is refused before anything is started`, async () => {
    await inFolder(async (folder) => {
      await writeProject(folder, { toml });
      const before = await contentsOf(folder);
      const ended = await prove(folder, ["--kills", "1"]);
      assert.equal(ended.code, 2, ended.stdout + ended.stderr);
      assert.match(ended.stderr, new RegExp(`error\\[${code}\\]`));
      assert.deepEqual(await contentsOf(folder), before);
    });
  });
}

Deno.test("a pipeline that fails by itself is told as that, with its own words", async () => {
  await inFolder(async (folder) => {
    const failing = PAYMENTS +
      '[checks.never]\ntotals = [{ name = "all", node = "running", value = "sum(amount)" }]\nthat = "all < 0.00"\nelse = "fail"\n';
    await writeProject(folder, { toml: failing });
    const { code, stderr } = await prove(folder, ["--kills", "1"]);
    assert.equal(code, 1);
    assert.match(stderr, /error\[prove_failed_run\]/);
    assert.match(stderr, /never/);
  });
});

Deno.test("a sink whose rows depend on the clock is not called proved", async () => {
  await inFolder(async (folder) => {
    const inputs = 'inputs   = ["running"]\n';
    const drawn = PAYMENTS.replace(inputs, 'inputs   = ["stamped"]\ncolumns  = ["seen_at"]\n');
    assert.notEqual(drawn, PAYMENTS);
    await writeProject(folder, { toml: drawn });
    const { code, stdout } = await prove(folder, ["--kills", "1", "--records", "100"]);
    assert.equal(code, 1);
    assert.match(stdout, /not judged: payments\.file: two undisturbed runs differ/);
    assert.match(stdout, /NOT proved: 1 of 5 sinks/);
  });
});
