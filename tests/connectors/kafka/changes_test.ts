/** Topics of change data capture on a real broker: what kafkajs wrote is read, and what our sink wrote is what kafkajs reads. */
import assert from "node:assert/strict";
import { cell } from "../../../src/data/columns.ts";
import type { SourceReader } from "../../../src/engine/contracts.ts";
import { withServers } from "../../services/mod.ts";
import { plan } from "../support/project.ts";
import { batchOf } from "../support/rows.ts";
import { connectionToml, loggedWorld, makeTopic, newTopic, readTopic, withClient } from "./support/kafka_world.ts";

const FIELDS =
  'fields = { id = "string", amount = "decimal(2)", born = "date?", place = { type = "json?", fields = { country = "string?" } } }';
const KAFKA = ["kafka"] as const;

/** A table, or a source, of the topic. */
async function readerOf(brokers: string, topic: string, what: "table" | "source"): Promise<SourceReader> {
  const settings = `connection = "bus"\ntopic = "${topic}"\nformat = "debezium"\nuntil = "end"\n${FIELDS}`;
  const nodes = what === "source"
    ? `[sources.in]\n${settings}`
    : `[tables.kept]\n${settings}\nkey = "id"\n[sources.in]\ntype = "csv"\npath = "x"\nfields = { id = "string" }
[transforms.found]\ntype = "lookup"\ninputs = ["in"]\nlookup = { row = "kept[id]" }\nset = { amount = "row.amount" }`;
  const from = what === "source" ? "in" : "found";
  const blueprint = await plan(`${connectionToml(brokers)}\n${nodes}\n[sinks.out]\ntype = "console"\ninputs = ["${from}"]`);
  const { plan: source } = what === "table" ? blueprint.changelogs[0] : blueprint.sources[0];
  return await source.create(loggedWorld(), new Set(["id", "amount", "born", "place"])).reader(0);
}

/** Each row with its mark, and how many deletes were left out. */
async function readChanges(reader: SourceReader): Promise<{ rows: unknown[]; deletes: number; rejected: string[] }> {
  const rows: unknown[] = [];
  const rejected: string[] = [];
  let deletes = 0;
  for (let position = reader.start;;) {
    const polled = await reader.poll(position, { rowsMax: 3, bytesMax: 1 << 20 });
    if (polled.kind === "end") return { rows, deletes, rejected };
    if (polled.kind === "idle") {
      await new Promise((resolve) => setTimeout(resolve, polled.retryAfterMs));
      continue;
    }
    const { batch } = polled;
    assert.equal(polled.read, batch.rows + polled.rejected.length + (polled.deletes ?? 0));
    for (let row = 0; row < batch.rows; row++) {
      const isDeleted = batch.meta.deleted?.[row] === 1;
      const values = batch.type.fields.map((field, i) => batch.columns[i] && cell(batch.columns[i], field.type, row));
      rows.push(isDeleted ? [values[0], "deleted"] : values);
    }
    rejected.push(...polled.rejected.map(({ reason }) => reason));
    deletes += polled.deletes ?? 0;
    position = polled.next;
  }
}

await withServers(
  "kafka: rows, envelopes, deletes and records without a value, read as a stream and as a table",
  KAFKA,
  async ({ kafka }) => {
    const topic = newTopic("changes");
    const row = (id: string, amount: string, more: object = {}) => ({ id, amount, born: 7300, place: '{"country": "PE"}', ...more });
    const messages = [
      row("a", "1.00", { __deleted: "false" }),
      { before: null, after: row("b", "2.00"), source: { table: "t" }, op: "c", ts_ms: 1 },
      row("c", "12x"),
      { schema: {}, payload: { before: null, after: row("d", "4.00"), op: "r" } },
      { before: { id: "a" }, after: null, op: "d" },
      { id: "b", amount: null, __deleted: "true" },
      null,
    ].map((value, i) => ({ key: `{"id":"${"abcdabd"[i]}"}`, value: value && JSON.stringify(value), partition: 0 }));
    await withClient(kafka.brokers, async (client) => {
      await makeTopic(client, topic);
      await client.producer.send({ topic, messages });
    });
    const values = (id: string, hundredths: number) => [id, hundredths, 7300, { country: "PE" }];
    const kept = [values("a", 100), values("b", 200), values("d", 400)];
    assert.deepEqual(await readChanges(await readerOf(kafka.brokers, topic, "source")), {
      rows: kept,
      deletes: 3,
      rejected: ["type:amount"],
    });
    const table = await readChanges(await readerOf(kafka.brokers, topic, "table"));
    const gone = ["a", "b", "d"].map((id) => [id, "deleted"]);
    assert.deepEqual(table.rows.map((row) => (row as unknown[]).slice(0, 2)), [...kept.map((row) => row.slice(0, 2)), ...gone]);
    assert.deepEqual([table.deletes, table.rejected], [0, ["type:amount"]]);
  },
);

await withServers("kafka: a sink of format debezium writes keys and values as change data capture does", KAFKA, async ({ kafka }) => {
  const topic = newTopic("made-changes");
  const blueprint = await plan(`${connectionToml(kafka.brokers)}
[sources.in]
type = "csv"
path = "x"
${FIELDS.replace(/, place.*$/, " }")}
[sinks.out]
connection = "bus"
inputs = ["in"]
topic = "${topic}"
format = "debezium"
key = "id"
create = { partitions = 1 }`);
  const { plan: planned, input } = blueprint.sinks.find(({ name }) => name === "out")!;
  const sink = planned.create(loggedWorld());
  await sink.open({ pipeline: "p", run: "r", lanes: 1, fresh: true });
  const lane = sink.lane(0);
  await lane.fence(1);
  const batch = batchOf(input, [["a", 8410, 7300], ["b", 5, null]]);
  lane.write({ ...batch, meta: { ...batch.meta, deleted: Uint8Array.of(0, 1) } });
  await lane.deliver({ pipeline: "p", run: "r", lane: 0, epoch: 1, owner: 1, digest: "d1", timeMicros: 1 });
  await sink.finish();
  await sink.close();
  const messages = await withClient(kafka.brokers, (client) => readTopic(client, topic, 2));
  assert.deepEqual(messages.map(({ key, value }) => [key, value]), [
    ['{"id":"a"}', '{"id":"a","amount":"84.10","born":7300,"__deleted":"false"}'],
    ['{"id":"b"}', '{"id":"b","amount":"0.05","born":null,"__deleted":"true"}'],
  ]);
});
