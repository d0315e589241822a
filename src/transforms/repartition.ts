/** `repartition`: rows go on in lanes keyed otherwise than their source's partitions. What carries them is planned by the project. */
import { scopeOf, type TransformContext, type TransformPlan, type TransformSpec } from "../component/component.ts";
import type { Operator } from "../engine/contracts.ts";
import { PlanChecker, rootsOf } from "./support/plan_checker.ts";
import { plainField } from "./support/projection.ts";
import { INPUTS, VIA } from "./support/settings.ts";
import { typeText } from "../data/types.ts";

const KEYS: readonly string[] = ["int", "decimal", "string"];
/** Where one lane is enough, and in tests, rows just pass. */
const PASSING: Operator = { process: (_input, batch, out) => out.emit("out", batch) };

function plan(context: TransformContext): TransformPlan | null {
  const checker = new PlanChecker(context);
  const { settings } = context;
  const { type } = context.inputs[0];
  const cel = settings.cel("key");
  const key = checker.check(cel, scopeOf(type, context));
  if (key !== null && !KEYS.includes(key.type.kind)) {
    checker.fault(cel.span, `a ${typeText(key.type)} cannot be a key`, "use an int, a decimal or a string");
  } else if (key?.canFail) {
    checker.fault(cel.span, "this key can fail for some records, which have no lane then", "compute it in a `map` before");
  }
  if (checker.failed || key === null) return null;
  const lanes = settings.number("lanes");
  const via = settings.has("via") ? settings.group("via") : null;
  const field = plainField(key, type);
  const text = (name: string): string | null => via?.has(name) ? via.text(name) : null;
  const isInput = (name: string): boolean => type.fields.some((one) => one.name === name);
  return {
    outputs: new Map([["out", type]]),
    needs: (outputs) => [new Set([...outputs.get("out") ?? [], ...[...rootsOf(key)].filter(isInput)])],
    keyedBy: null,
    needsEnd: false,
    ...(lanes === 1 ? {} : {
      exchange: {
        lanes,
        key: cel,
        keyField: field < 0 ? null : type.fields[field].name,
        connection: text("connection"),
        topic: text("topic"),
      },
    }),
    create: () => PASSING,
  };
}

/** One record in, the same record out, in another lane. */
export const repartition: TransformSpec = {
  role: "transform",
  type: "repartition",
  summary: "Sends records to lanes by a key, so that what keeps state by that key can run in several lanes.",
  notes:
    `State is kept lane by lane, and a lane is a partition of the source. Where state is kept by another key than the source's partitions,
the pipeline has one lane, or its records go through a \`repartition\`: all records of one key come to one lane, those of each lane before it in
their order. With \`lanes = 1\` nothing happens. With more, what stands behind it runs as a second stage beside the first, and a topic lies in
between: of the embedded log, or of Kafka, whose replicas share its partitions. \`run\` shows both as one pipeline; the second keeps its
checkpoint in the state folder \`PIPELINE.NODE\`.

Each record goes through the topic once, whatever dies: an epoch's records and its marker become visible together. Records carry
\`meta.source\`, \`meta.position\`, \`meta.origin\` and their event time along, and of their fields those that are read behind; time goes on
behind it as far as every lane before it has come. Time of arrival is that at the second stage. The record's own bytes stay behind: rejects
behind it hold the record as JSON, and a sink with \`format = "raw"\` has to stand before it. A sink that reads from both sides runs
with the second stage; any other node reads from one side, and each reference table is looked up on one side. Several repartitions in one row of
stages have the same number of lanes.

The topic belongs to the pipeline: a new run begins it anew. A null key counts as a key. The topic's number of partitions is fixed when it is made.`,
  inputs: ["inputs"],
  settings: {
    kind: "group",
    doc: "Settings of a repartition.",
    fields: {
      inputs: INPUTS,
      key: { kind: "cel", doc: "What keeps records together: an int, a decimal or a string." },
      lanes: { kind: "int", unit: "lanes", min: 1, max: 1024, default: 1, doc: "Lanes behind it. 1: records just pass, without a topic." },
      via: VIA,
    },
  },
  examples: [{
    title: "Totals by customer of a stream that is keyed by payment",
    toml: `kind = "stream"

[connections.bus]
type = "log"
path = "out/log"

[sources.payments]
connection = "bus"
topic      = "payments"
fields     = { id = "int", customer = "string", amount = "decimal(2)", at = "timestamp" }
key        = "id"
until      = "never"
time       = { field = "at", lateness = "10s" }

[transforms.by_customer]
type   = "repartition"
inputs = ["payments"]
key    = "customer"
lanes  = 4

[transforms.totals]
type      = "aggregate"
inputs    = ["by_customer"]
window    = { type = "tumbling", size = "1m" }
by        = ["customer"]
aggregate = { total = "sum(amount)" }

[sinks.out]
connection = "bus"
inputs     = ["totals"]
topic      = "totals"
create     = { partitions = 1 }

[[tests]]
name           = "a test runs in one lane"
given.payments = [{ id = 1, customer = "c1", amount = 1.50 }, { id = 2, customer = "c1", amount = 2.00 }]
expect.out     = [{ customer = "c1", total = 3.50 }]
`,
  }],
  plan,
};
