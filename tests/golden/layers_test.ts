/** The commands by layer, each in a process of its own, a validator that follows a producer, and doing it all again. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { expectedFiles } from "../oracle/expected_files.ts";
import { PROFILES } from "../oracle/switches.ts";
import { goldenCases, inputFolder } from "./cases.ts";
import { inTemporaryFolder, millrace, millraceLayer } from "./command_line.ts";
import { tableRows } from "./tables.ts";

const input = inputFolder(goldenCases.find((golden) => golden.name === "edges")!);
const expected = expectedFiles(input, PROFILES["strict-zip"]);

function assertSameFiles(output: string): void {
  for (const [name, text] of expected) assert.equal(Deno.readTextFileSync(`${output}/${name}`), text, name);
}

Deno.test("load, produce, stream, batch, load as separate commands give the same files", async () => {
  await inTemporaryFolder(async (output) => {
    const run = { input, output, partitions: 2, set: ["epoch.records_max=20"] };
    const layer = async (...words: readonly string[]) => {
      const { code, stdout, stderr } = await millraceLayer(words, run);
      assert.equal(code, 0, `${words.join(" ")}: ${stderr || stdout}`);
    };
    await layer("load", "initial");
    // The validator is there first and waits for a topic that nobody has made yet.
    await Promise.all([layer("stream"), layer("produce")]);
    await layer("batch");
    await layer("load", "stream", "updated");
    assertSameFiles(output);
  });
});

Deno.test("a layer whose earlier layer is not done says so", async () => {
  await inTemporaryFolder(async (output) => {
    const { code, stderr } = await millraceLayer(["batch"], { input, output });
    assert.equal(code, 1);
    assert.match(stderr, /settle.*after "validate"/);
  });
});

Deno.test("--rerun does everything again with the same bytes and no row twice", async () => {
  await inTemporaryFolder(async (output) => {
    const run = { input, output };
    for (const flags of [[], ["--rerun"], ["--rerun"]]) {
      const ended = await millrace("run", { ...run, flags });
      assert.equal(ended.code, 0, ended.stderr);
      assertSameFiles(output);
    }
    const database = new DatabaseSync(`${output}/cards.sqlite`, { readOnly: true });
    try {
      const rows = expected.get("stream_transactions.csv")!.trimEnd().split("\n").length - 1;
      for (const table of ["decisions", "stream_transactions", "batch_transactions"]) {
        assert.equal(tableRows(database, table, ["transaction_id"]).length, rows, table);
      }
    } finally {
      database.close();
    }
  });
});
