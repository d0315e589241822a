/** What `check` says of each path: the guarantee, its weakest link, and what would strengthen it. */
import assert from "node:assert/strict";
import { describeGuarantees } from "../../src/app/guarantees.ts";
import { registry } from "../../src/app/full_registry.ts";
import { expressions } from "../../src/expr/mod.ts";
import { loadProject } from "../../src/project/mod.ts";
import { planIntake } from "../../src/transforms/intake.ts";
import { Machine, Process } from "../connectors/support/memory_world.ts";

const SHARED = `[connections.bus]
type    = "kafka"
brokers = "127.0.0.1:9092"
[connections.store]
type = "sqlite"
path = "store.sqlite"
[schemas.payment.fields]
id = "int"
`;
const PRODUCE = `kind = "produce"
[sources.file]
type = "csv"
path = "payments.csv"
schema = "payment"
[sinks.topic]
connection = "bus"
inputs = ["file"]
topic = "payments"
guarantee = "at_least_once"
`;
const READ = `[sources.payments]
connection = "bus"
topic = "payments"
schema = "payment"
key = "id"
`;
const DEDUPE = `[transforms.once]
type = "dedupe"
inputs = ["payments"]
key = "id"
`;
const sink = (name: string, inputs: string) =>
  `[sinks.${name}]
connection = "store"
table = "${name}"
inputs = ["${inputs}"]
create = true
`;

/** "source → sink: guarantee, weakest" of one pipeline, rejects apart. */
async function paths(files: Readonly<Record<string, string>>, pipeline: string) {
  const machine = new Machine();
  machine.put("p/millrace.toml", SHARED);
  for (const [name, text] of Object.entries(files)) machine.put(`p/${name}.toml`, text);
  const { files: disk, environment } = new Process(machine).world();
  const overrides = new Map<string, string>();
  const project = await loadProject({ path: "p", files: disk, environment, registry, expressions, intake: planIntake, overrides });
  return describeGuarantees(project).filter((path) => path.pipeline === pipeline && path.sink !== "rejects");
}

Deno.test("a path into a topic is at-least-once because of its sink, and says what would hold each record once", async () => {
  const [path] = await paths({ produce: PRODUCE }, "produce");
  assert.equal(path.guarantee, "at-least-once");
  assert.equal(path.weakest, 'sink "topic" of produce');
  assert.equal(path.strengthen, 'guarantee = "exactly_once" at the sink writes an epoch in one transaction');
});

Deno.test("a table fed from a topic that another pipeline may write twice is at-least-once, the other's sink being the weakest link", async () => {
  const [path] = await paths({ produce: PRODUCE, stream: `kind = "stream"\n${READ}${sink("rows", "payments")}` }, "stream");
  assert.equal(path.guarantee, "at-least-once");
  assert.equal(path.weakest, 'sink "topic" of produce');
  assert.match(path.strengthen!, /guarantee = "exactly_once" at the sink .*; or a dedupe behind "payments"/);
});

Deno.test("a dedupe on every way makes it exactly-once, one beside it does not", async () => {
  const both = `kind = "stream"\n${READ}${DEDUPE}${sink("clean", "once")}${sink("raw", "payments")}`;
  const found = await paths({ produce: PRODUCE, stream: both }, "stream");
  assert.deepEqual(found.map(({ sink, guarantee }) => [sink, guarantee]), [["clean", "exactly-once"], ["raw", "at-least-once"]]);
  assert.match(found[0].note, /repeats from sink "topic" of produce are dropped by a dedupe/);
});

Deno.test("repeats are followed through pipelines that are exactly-once themselves", async () => {
  const log = `[connections.log]\ntype = "log"\npath = "log"\n`;
  const relay =
    `kind = "stream"\n${log}${READ}[sinks.copy]\nconnection = "log"\ntopic = "copy"\ninputs = ["payments"]\ncreate = { partitions = 1 }\n`;
  const end = `kind = "stream"\n${log}[sources.copy]\nconnection = "log"\ntopic = "copy"\nschema = "payment"\n${sink("rows", "copy")}`;
  const [path] = await paths({ produce: PRODUCE, relay, end }, "end");
  assert.equal(path.guarantee, "at-least-once");
  assert.equal(path.weakest, 'sink "topic" of produce');
});

Deno.test("a topic that nobody in the project writes is taken as it is", async () => {
  const [path] = await paths({ stream: `kind = "stream"\n${READ}${sink("rows", "payments")}` }, "stream");
  assert.equal(path.guarantee, "exactly-once");
  assert.equal(path.strengthen, undefined);
});
