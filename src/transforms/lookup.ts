/** `lookup`: adds fields from reference tables to each record. */
import type { TransformSpec } from "../component/component.ts";
import { planRowTransform } from "./map.ts";
import { INPUTS, LET, LOOKUP, REQUIRE, SET, WHERE } from "./support/settings.ts";

/** One record in, at most one record out, with fields from tables. */
export const lookup: TransformSpec = {
  role: "transform",
  type: "lookup",
  summary: "Finds rows of reference tables by key and sets fields from them.",
  notes:
    `A table is read once, at a run's first start, and kept beside the checkpoint: every later look-up sees the same rows. Or it is kept
from changes (a log, a Kafka topic): then a record finds the row as it was at its place between them, and the table's \`missing\` says
whether a record whose row is not there goes on with null, waits for it, or comes out again with it.
A missing row is null: test it (\`customer != null\`) or give a default (\`coalesce(customer.name, '')\`).`,
  inputs: ["inputs"],
  settings: {
    kind: "group",
    doc: "Settings of a lookup.",
    fields: {
      inputs: INPUTS,
      where: WHERE,
      lookup: { ...LOOKUP, optional: false },
      let: LET,
      set: { ...SET, optional: false },
      keep: { kind: "text_list", optional: true, doc: "The fields of the result, in this order." },
      drop: { kind: "text_list", optional: true, doc: "Fields to leave out of the result." },
      require: REQUIRE,
    },
  },
  examples: [{
    title: "The customer's name beside each order",
    toml: `[sources.orders]
type   = "csv"
path   = "orders.csv"
fields = { id = "int", customer_id = "int" }

[tables.customers]
type   = "csv"
path   = "customers.csv"
key    = "customer_id"
fields = { customer_id = "int", name = "string" }

[transforms.named]
type   = "lookup"
inputs = ["orders"]
lookup = { customer = "customers[customer_id]" }
set    = { name = "coalesce(customer.name, 'unknown')" }

[sinks.out]
type   = "csv"
inputs = ["named"]
path   = "named.csv"

[[tests]]
name         = "an order of nobody"
given.tables = { customers = [{ customer_id = 7, name = "Ada" }] }
given.orders = [{ id = 1, customer_id = 7 }, { id = 2, customer_id = 8 }]
expect.out   = [{ id = 1, name = "Ada" }, { id = 2, name = "unknown" }]
`,
  }],
  plan: (context) => planRowTransform(context, lookup.settings),
};
