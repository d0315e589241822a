/** `CARDS_BACKEND=servers`: the project unchanged, on MySQL and Kafka, gives the files and tables of the reference. */
import assert from "node:assert/strict";
import { millrace, millraceLayer } from "../golden/command_line.ts";
import { assertSameAsPublished, FILE_NAMES, publishedCase } from "../golden/published.ts";
import { COLUMNS } from "../oracle/cards.ts";
import { filesOf } from "../oracle/expected_files.ts";
import { csvCells } from "../oracle/text.ts";
import { assertDecisions, assertResultTables, byId, cardsOnServers, edgesInput, expectedOf, mysqlRows, publishedInput } from "./cards.ts";
import { withServers } from "./mod.ts";

const published = await publishedCase();

function assertFiles(output: string, input: string): void {
  for (const [name, text] of filesOf(expectedOf(input))) assert.equal(Deno.readTextFileSync(`${output}/${name}`), text, name);
}

interface Run {
  readonly name: string;
  readonly partitions: number;
  readonly env: Readonly<Record<string, string>>;
}
const RUNS: readonly Run[] = [
  { name: "one partition, from files", partitions: 1, env: {} },
  {
    name: "four partitions, produced and settled from MySQL",
    partitions: 4,
    env: { CARDS_PRODUCE_FROM: "table", CARDS_SETTLE_FROM: "table" },
  },
];
for (const { name, partitions, env } of RUNS) {
  await withServers(`the whole project on servers: ${name}`, ["kafka", "mysql"], async (servers) => {
    const input = await publishedInput();
    await cardsOnServers(servers, input, async ({ run, output, database }) => {
      const ended = await millrace("run", { ...run, partitions, env: { ...run.env, ...env } });
      assert.equal(ended.code, 0, ended.stderr || ended.stdout);
      assertFiles(output, input);
      for (const file of published === null ? [] : FILE_NAMES) {
        const actual = csvCells(Deno.readTextFileSync(`${output}/${file}.csv`));
        assertSameAsPublished(file, actual, csvCells(published!.expected[file]));
      }
      const expected = expectedOf(input);
      await assertDecisions(servers.mysql, database, expected);
      await assertResultTables(servers.mysql, database, expected);
      await assertMoneyIsDecimal(servers.mysql.rows, database);
      const again = await millrace("run", { ...run, partitions, env: { ...run.env, ...env } });
      assert.equal(again.code, 0, again.stderr);
      const outcomes = JSON.parse(again.stdout) as { readonly status: string }[];
      assert.ok(outcomes.every(({ status }) => status === "already_done"), again.stdout);
    });
  });
}

/** Money columns are exact in the database too, and every table has its key. */
async function assertMoneyIsDecimal(rows: (sql: string) => Promise<string[][]>, database: string): Promise<void> {
  const where = `TABLE_SCHEMA = '${database}' AND TABLE_NAME NOT LIKE 'millrace%'`;
  const money = await rows(
    `SELECT DISTINCT DATA_TYPE FROM information_schema.COLUMNS WHERE ${where} AND COLUMN_NAME RLIKE '(amount|balance|limit|limit_min|limit_max|fee|rate)$'`,
  );
  assert.deepEqual(money, [["decimal"]]);
  const keys = await rows(
    `SELECT TABLE_NAME, GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX) FROM information_schema.STATISTICS
     WHERE ${where} AND INDEX_NAME = 'PRIMARY' GROUP BY TABLE_NAME ORDER BY TABLE_NAME`,
  );
  assert.deepEqual(keys, [
    ["batch_transactions", "transaction_id"],
    ["cards", "card_id"],
    ["cards_updated", "card_id"],
    ["credit_card_types", "card_type_id"],
    ["customers", "customer_id"],
    ["customers_updated", "customer_id"],
    ["decisions", "position,card_id,transaction_id"],
    ["stream_transactions", "transaction_id"],
    ["transactions", "position"],
  ]);
}

await withServers("the layers alone, each in a process of its own, the validator first", ["kafka", "mysql"], async (servers) => {
  const input = edgesInput();
  await cardsOnServers(servers, input, async ({ run, output, database }) => {
    const layer = async (...words: readonly string[]) => {
      const { code, stdout, stderr } = await millraceLayer(words, { ...run, partitions: 2, set: ["epoch.records_max=20"] });
      assert.equal(code, 0, `${words.join(" ")}: ${stderr || stdout}`);
    };
    await layer("load", "initial");
    await Promise.all([layer("stream"), layer("produce")]);
    await layer("batch");
    await layer("load", "stream", "updated");
    assertFiles(output, input);
    await assertDecisions(servers.mysql, database, expectedOf(input));
    await assertResultTables(servers.mysql, database, expectedOf(input));
  });
});

await withServers("in place, closing balances, limits and scores stand in the serving tables", ["kafka", "mysql"], async (servers) => {
  const input = edgesInput();
  await cardsOnServers(servers, input, async ({ run, database }) => {
    const ended = await millrace("run", { ...run, env: { ...run.env, CARDS_IN_PLACE: "true" } });
    assert.equal(ended.code, 0, ended.stderr);
    const expected = expectedOf(input);
    assert.deepEqual(await mysqlRows(servers.mysql, database, "cards", COLUMNS.cards), expected.cards.toSorted(byId));
    const customers = await mysqlRows(servers.mysql, database, "customers", COLUMNS.customers);
    const updated = new Map(expected.customers.map((row) => [row[0], row]));
    // A customer without cards is in no result, and stays as it was.
    assert.ok(customers.length > updated.size);
    assert.deepEqual(customers.filter(([id]) => updated.has(id)), expected.customers.toSorted(byId));
  });
});
