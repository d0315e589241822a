/** Topics of change data capture through whole pipelines (specification D3 and D4), and as our own sinks write them. */
import assert from "node:assert/strict";
import { type Clone, freshClone, runMillrace } from "../support/clone.ts";

const PROJECT = `[connections.bus]
type = "log"
path = "log"

[schemas.transaction]
id     = "id"
fields = { id = "string", amount = "decimal(2)", created_at = "timestamp" }
`;
const producer = (format: string, fields: string): string =>
  `[sources.lines]
type   = "ndjson"
path   = "lines.ndjson"
${fields}

[sinks.topic]
connection = "bus"
inputs     = ["lines"]
topic      = "transactions"
key        = "id"
create     = { partitions = 1 }
format     = ${format}
`;
const CONSUMER = `[sources.transactions]
connection = "bus"
topic      = "transactions"
format     = "debezium"
schema     = "transaction"
time       = { field = "created_at", lateness = "25h" }

[transforms.once]
type   = "dedupe"
inputs = ["transactions"]
key    = "id"

[transforms.total]
type      = "aggregate"
inputs    = ["once"]
aggregate = { count = "count()", total = "sum(amount)" }

[sinks.total]
type   = "csv"
inputs = ["total"]
path   = "out/total.csv"

[sinks.rejects]
type   = "ndjson"
inputs = ["transactions.rejected"]
path   = "out/rejects.ndjson"
`;
const row = (id: string, amount: unknown, more: object = {}): object => (
  { id, amount, created_at: "2025-01-16T12:00:00Z", transaction_location: '{"country": "US"}', __deleted: "false", ...more }
);
const wrapped = (op: string, before: unknown, after: unknown): object => ({
  before,
  after,
  source: { table: "transactions" },
  op,
  ts_ms: 1,
});

async function withProject(
  files: Readonly<Record<string, string>>,
  lines: readonly (object | string)[],
  body: (clone: Clone) => Promise<void>,
): Promise<void> {
  const clone = await freshClone();
  try {
    const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)) + "\n").join("");
    for (const [name, content] of Object.entries({ ...files, "lines.ndjson": text })) {
      await Deno.writeTextFile(`${clone.folder}/${name}`, content);
    }
    await body(clone);
  } finally {
    await clone.remove();
  }
}
interface Outcome {
  readonly pipeline: string;
  readonly counters: Readonly<Record<string, Readonly<Record<string, number>>>>;
}
async function run(folder: string): Promise<ReadonlyMap<string, Outcome["counters"]>> {
  const { code, stdout, output } = await runMillrace(["run", ".", "--quiet", "--json"], folder);
  assert.equal(code, 0, output);
  return new Map((JSON.parse(stdout) as Outcome[]).map(({ pipeline, counters }) => [pipeline, counters]));
}
/** Records leave as they came, so that the topic holds just these lines. */
const AS_IT_CAME = { "millrace.toml": PROJECT, "produce.toml": producer('"raw"', 'fields = { id = "string?" }'), "consume.toml": CONSUMER };

Deno.test("D3: a redelivered transaction and a deleted one change nothing, and are counted", () =>
  withProject(AS_IT_CAME, [row("t1", "100.00"), row("t1", "100.00"), row("t2", "50.00", { __deleted: "true" })], async ({ folder }) => {
    const { transactions, once } = (await run(folder)).get("consume")!;
    assert.equal(await Deno.readTextFile(`${folder}/out/total.csv`), "count,total\n1,100.00\n");
    assert.deepEqual([transactions.in, transactions.out, transactions.deletes, transactions.rejected], [3, 2, 1, 0]);
    assert.deepEqual([once.in, once.out, once.duplicates], [2, 1, 1]);
  }));

Deno.test("D3: as the original ran, deletes and redeliveries count as transactions", () => {
  const consumer = CONSUMER.replace('schema     = "transaction"', 'schema     = "transaction"\ndeletes    = "pass"').replace(
    /\[transforms.once\][\s\S]*?\n\n/,
    "",
  ).replace('inputs    = ["once"]', 'inputs    = ["transactions"]');
  const lines = [row("t1", "100.00"), row("t1", "100.00"), row("t2", "50.00", { __deleted: "true" })];
  return withProject({ ...AS_IT_CAME, "consume.toml": consumer }, lines, async ({ folder }) => {
    const { transactions } = (await run(folder)).get("consume")!;
    assert.equal(await Deno.readTextFile(`${folder}/out/total.csv`), "count,total\n3,250.00\n");
    assert.deepEqual([transactions.in, transactions.out, transactions.deletes], [3, 3, 0]);
  });
});

Deno.test("D4: bad records go to the rejects with their reason and bytes, the following good one is processed", () => {
  const bad = [row("t1", "12x"), row("t2", "1.00", { created_at: null }), wrapped("c", null, row("t3", "1.005"))];
  const good = [wrapped("c", null, row("t4", 84.1)), { schema: {}, payload: wrapped("d", row("t4", "84.10"), null) }, row("t5", "0.90")];
  return withProject(AS_IT_CAME, [...bad, ...good], async ({ folder }) => {
    const { transactions } = (await run(folder)).get("consume")!;
    assert.equal(await Deno.readTextFile(`${folder}/out/total.csv`), "count,total\n2,85.00\n");
    assert.deepEqual([transactions.in, transactions.out, transactions.deletes, transactions.rejected], [6, 2, 1, 3]);
    const text = await Deno.readTextFile(`${folder}/out/rejects.ndjson`);
    const rejects = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(rejects.map(({ reason, position, raw }) => [reason, position, JSON.parse(raw)]), [
      ["type:amount", 0, bad[0]],
      ["type:created_at", 1, bad[1]],
      ["scale:amount", 2, bad[2]],
    ]);
  });
});

Deno.test("a sink of format debezium writes topics that a source of it reads, with keys as objects", () => {
  const fields = 'fields = { id = "string", amount = "decimal(2)", created_at = "timestamp" }';
  const files = { ...AS_IT_CAME, "produce.toml": producer('"debezium"', fields) };
  const lines = [{ id: "t1", amount: 100, created_at: "2025-01-16T12:00:00Z" }, {
    id: "t2",
    amount: 0.5,
    created_at: "2025-01-16T12:00:00.5Z",
  }];
  return withProject(files, lines, async ({ folder }) => {
    await run(folder);
    assert.equal(await Deno.readTextFile(`${folder}/out/total.csv`), "count,total\n2,100.50\n");
    const segment = await Deno.readTextFile(`${folder}/log/transactions/1/0/000001.seg`);
    assert.ok(segment.includes('{"id":"t1"}{"id":"t1","amount":"100.00","created_at":"2025-01-16T12:00:00Z","__deleted":"false"}'));
  });
});

Deno.test("a table kept from changes follows updates and deletes of every form", () => {
  const consumer = `[tables.accounts]
connection = "bus"
topic      = "transactions"
format     = "debezium"
fields     = { id = "string", amount = "decimal(2)" }
key        = "id"

[sources.asked]
type   = "ndjson"
path   = "asked.ndjson"
fields = { id = "string" }

[transforms.found]
type   = "lookup"
inputs = ["asked"]
lookup = { account = "accounts[id]" }
set    = { amount = "account.amount" }
keep   = ["id", "amount"]

[sinks.found]
type   = "csv"
inputs = ["found"]
path   = "out/found.csv"
`;
  const lines = [
    ...["a", "b", "c", "d"].map((id) => row(id, "1.00")),
    wrapped("u", row("a", "1.00"), row("a", "2.00")),
    wrapped("d", { id: "b", amount: null }, null),
    { id: "c", amount: null, __deleted: "true" },
    row("c", "3.00"),
  ];
  const asked = ["a", "b", "c", "d"].map((id) => `{"id":"${id}"}\n`).join("");
  return withProject({ ...AS_IT_CAME, "consume.toml": consumer, "asked.ndjson": asked }, lines, async ({ folder }) => {
    await run(folder);
    const found = await Deno.readTextFile(`${folder}/out/found.csv`);
    assert.equal(found, "id,amount\na,2.00\nb,\nc,3.00\nd,1.00\n");
  });
});

Deno.test("keys of raw records can be objects too", () => {
  const files = { ...AS_IT_CAME, "produce.toml": producer('{ type = "raw", keys = "object" }', 'fields = { id = "string" }') };
  return withProject(files, [row("t1", "1.00")], async ({ folder }) => {
    await run(folder);
    const segment = await Deno.readTextFile(`${folder}/log/transactions/1/0/000001.seg`);
    assert.ok(segment.includes('{"id":"t1"}{"id":"t1","amount":"1.00"'));
  });
});

Deno.test("faults of the format point at their setting", () =>
  withProject(
    {
      ...AS_IT_CAME,
      "consume.toml": CONSUMER.replace('"debezium"', '"json"').replace(
        'schema     = "transaction"',
        'schema     = "transaction"\ndeletes    = "drop"',
      ),
    },
    [],
    async ({ folder }) => {
      const { code, output } = await runMillrace(["check", "."], folder);
      assert.equal(code, 2);
      assert.match(output, /records of the format json tell no deletes/);
      await Deno.writeTextFile(
        `${folder}/consume.toml`,
        CONSUMER.replace('schema     = "transaction"', 'fields     = { __deleted = "int" }'),
      );
      assert.match((await runMillrace(["check", "."], folder)).output, /`__deleted` cannot be a int/);
    },
  ));
