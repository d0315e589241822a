/** `filter`: passes the records on for which a condition holds. */
import type { TransformSpec } from "../component/component.ts";
import { planRowTransform } from "./map.ts";
import { INPUTS } from "./support/settings.ts";

/** One record in, the same record or nothing out. */
export const filter: TransformSpec = {
  role: "transform",
  type: "filter",
  summary: "Passes on the records for which `where` holds; the others are counted as filtered.",
  inputs: ["inputs"],
  settings: {
    kind: "group",
    doc: "Settings of a filter.",
    fields: {
      inputs: INPUTS,
      where: { kind: "cel", doc: "The condition; a bool that is never null." },
    },
  },
  examples: [{
    title: "Only large payments",
    toml: `[sources.payments]
type   = "csv"
path   = "payments.csv"
fields = { id = "int", amount = "decimal(2)" }

[transforms.large]
type   = "filter"
inputs = ["payments"]
where  = "amount >= 1000.00"

[sinks.out]
type   = "csv"
inputs = ["large"]
path   = "large.csv"

[[tests]]
name           = "exactly 1000.00 is large"
given.payments = [{ id = 1, amount = 1000.00 }, { id = 2, amount = 999.99 }]
expect.out     = [{ id = 1 }]
`,
  }],
  plan: (context) => planRowTransform(context, filter.settings),
};
