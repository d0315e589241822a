/**
 * The simulated pipeline as configuration: the same rules as model.ts and operators.ts, over the real `dedupe`, `decide` and `aggregate`.
 * Compiled once and reused over all seeds.
 */
import { loadRegistry } from "../../src/app/registry.ts";
import { openProject } from "../../src/app/open_project.ts";
import { Codecs } from "../../src/connectors/kafka/codecs.ts";
import type { OperatorNode, Sink, Source } from "../../src/engine/contracts.ts";
import type { World } from "../../src/ports/mod.ts";
import type { PipelineBlueprint } from "../../src/project/contracts.ts";
import { simWorld } from "../../src/sim/world.ts";

const TOML = `
kind = "batch"

[schemas.record.fields]
id      = "int"
account = "int"
amount  = "decimal(2)"
parts   = "int"
note    = "string"
made_at = "timestamp"

[sources.records]
type   = "ndjson"
path   = "in/records.ndjson"
schema = "record"

[transforms.once]
type   = "dedupe"
inputs = ["records"]
key    = "id"
within = "account"

[transforms.ledger]
type   = "decide"
inputs = ["once"]
key    = "account"
where  = "amount != 0.00"
match  = "first"

[transforms.ledger.state.balance]
type    = "value"
as      = "decimal(2)"
initial = "0.00"

# What is remembered as records and as a set has to agree with what is remembered as values, whatever struck in between.
[transforms.ledger.state]
records   = { as = "int", initial = "0" }
last      = { as = "int?", initial = "null" }
last_note = { as = "string?", initial = "null" }
past      = { type = "history", keep = { count = 4 }, fields = { id = "id", note = "note", amount = "amount" } }
recent    = { type = "history", time = "at", keep = { for = "1h" }, fields = { at = "meta.epoch_time", id = "id" } }
ids       = { type = "distinct", of = "id" }

[transforms.ledger.before]
records = "records + 1"

[transforms.ledger.let]
agree = """ids.size() == records && past.size() == least(records, 4) && past.last().id == id && recent.last().id == id
  && recent.exists_one(e, e.id == id && e.at >= meta.epoch_time)
  && (old.past.size() == 0 ? last == null : old.past.last().id == last && old.past.last().note == last_note)"""

[[transforms.ledger.rules]]
code = "lost"
when = "!agree"
set  = { status = "'forgotten'" }

[[transforms.ledger.rules]]
code = "ceiling"
when = "balance + amount > 500.00"
set  = { status = "'declined'" }

[transforms.ledger.otherwise]
set    = { status = "'accepted'" }
update = { balance = "balance + amount" }

[transforms.ledger.after_rules]
last      = "id"
last_note = "note"

[transforms.ledger.emit]
id         = "id"
account    = "account"
amount     = "amount"
note       = "note"
status     = "status"
balance    = "balance"
share      = "1000 / parts"
decided_at = "meta.epoch_time"

[transforms.totals]
type   = "aggregate"
inputs = ["ledger"]
by     = ["account"]

[transforms.totals.aggregate]
count = "count()"
total = "sum(amount, status == 'accepted')"

[connections.bus]
type = "log"
path = "out/log"

[sinks.topic]
connection = "bus"
inputs     = ["ledger"]
topic      = "ledger"
key        = "account"
create     = { partitions = 2 }

[connections.cluster]
type    = "kafka"
brokers = "kafka:9092"

[sinks.stream]
connection = "cluster"
inputs     = ["ledger"]
topic      = "ledger"
key        = "account"
create     = { partitions = 2 }

[sinks.totals]
type   = "csv"
inputs = ["totals"]
path   = "out/totals.csv"
`;

/** Reads what the first pipeline wrote to its topic. */
const READER_TOML = `
kind = "batch"

[connections.bus]
type = "log"
path = "out/log"

[sources.topic]
connection = "bus"
topic      = "ledger"
schema     = "decision"
until      = "end"

[schemas.decision.fields]
id         = "int"
account    = "int"
amount     = "decimal(2)"
note       = "string"
status     = "string"
balance    = "decimal(2)"
share      = "int"
decided_at = "timestamp"

[sinks.copy]
type   = "csv"
inputs = ["topic"]
path   = "out/copy.csv"
`;

export interface Configured {
  readonly operators: readonly OperatorNode[];
  /** The embedded log's sink and, for reading back, its source. */
  topicSink(world: World): Sink;
  /** The Kafka sink, which speaks to the simulated broker. */
  streamSink(world: World): Sink;
  topicSource(world: World): Source;
}

let compiled: Promise<Configured> | null = null;

/** The configured pipeline; compiled at the first call. */
export function configuredPipeline(): Promise<Configured> {
  return compiled ??= compile();
}

async function compile(): Promise<Configured> {
  const pipeline = await blueprintOf(TOML);
  const reader = await blueprintOf(READER_TOML);
  const sinkOf = (name: string) => pipeline.sinks.find((sink) => sink.name === name)!.plan;
  await Codecs.load();
  const [source] = reader.sources;
  return {
    operators: pipeline.transforms.map(({ name, inputs, plan }) => ({ name, inputs, create: (context) => plan.create(context) })),
    topicSink: (world) => sinkOf("topic").create(world),
    streamSink: (world) => sinkOf("stream").create(world),
    topicSource: (world) => source!.plan.create(world, source!.needed),
  };
}

async function blueprintOf(toml: string): Promise<PipelineBlueprint> {
  // Code is not loaded in simulated time: it must be there already.
  await loadRegistry("all");
  const world = simWorld(1);
  const { world: ports } = world.boot("compiler");
  const path = "project/pipeline.toml";
  const put = async (): Promise<void> => {
    await ports.files.makeFolder("project");
    const file = await ports.files.open(path, "write");
    await file.write(new TextEncoder().encode(toml));
    file.close();
  };
  await world.run(put());
  const project = await world.run(openProject(ports, { path, overrides: new Map() }));
  return project.pipelines[0]!;
}
