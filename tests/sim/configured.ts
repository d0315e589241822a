/**
 * The simulated pipeline as configuration: the same rules as model.ts and operators.ts, over the real `dedupe`, `decide` and `aggregate`.
 * Compiled once and reused over all seeds.
 */
import { openProject } from "../../src/app/open_project.ts";
import type { OperatorNode } from "../../src/engine/contracts.ts";
import { simWorld } from "../../src/sim/world.ts";

const TOML = `
kind = "batch"

[schemas.record.fields]
id      = "int"
account = "int"
amount  = "decimal(2)"
parts   = "int"
note    = "string"

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

[[transforms.ledger.rules]]
code = "ceiling"
when = "balance + amount > 500.00"
set  = { status = "'declined'" }

[transforms.ledger.otherwise]
set    = { status = "'accepted'" }
update = { balance = "balance + amount" }

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

[sinks.totals]
type   = "csv"
inputs = ["totals"]
path   = "out/totals.csv"
`;

const PATH = "project/accounts.toml";
let compiled: Promise<readonly OperatorNode[]> | null = null;

/** The operators of the configured pipeline. */
export function configuredOperators(): Promise<readonly OperatorNode[]> {
  return compiled ??= compile();
}

async function compile(): Promise<readonly OperatorNode[]> {
  const world = simWorld(1);
  const { world: ports } = world.boot("compiler");
  await world.run(putFile());
  const project = await world.run(openProject(ports, { path: PATH, overrides: new Map() }));
  const [pipeline] = project.pipelines;
  if (pipeline === undefined) throw new Error(`${PATH} gave no pipeline`);
  return pipeline.transforms.map(({ name, inputs, plan }) => ({ name, inputs, create: (context) => plan.create(context) }));

  async function putFile(): Promise<void> {
    await ports.files.makeFolder("project");
    const file = await ports.files.open(PATH, "write");
    await file.write(new TextEncoder().encode(TOML));
    file.close();
  }
}
