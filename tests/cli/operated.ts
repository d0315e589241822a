/** A small project as its operator has it: payments in a topic, a stream that follows it with keyed state, a sink with a marker. */
import assert from "node:assert/strict";
import { freshClone, type Ran, runMillrace } from "../support/clone.ts";

/** Connections and the schema of all pipelines. */
export const SHARED = `[connections.bus]
type = "log"
path = "log"

[connections.bank]
type = "sqlite"
path = "spent.sqlite"

[schemas.payment.fields]
id      = "int"
account = "string"
amount  = "decimal(2)"
`;
/** What fills the topic. */
export const MAKE = `[sources.payments]
type   = "csv"
path   = "payments.csv"
schema = "payment"

[sinks.topic]
connection = "bus"
inputs     = ["payments"]
topic      = "payments"
create     = { partitions = 1 }
`;
/** What follows the topic until it is stopped. */
export const FOLLOW = `[epoch]
every       = "50ms"
records_max = 10

[sources.payments]
connection = "bus"
topic      = "payments"
schema     = "payment"
until      = "never"

[transforms.spent]
type      = "decide"
inputs    = ["payments"]
key       = "account"
otherwise = { update = { total = "total + amount" } }
emit      = { "..." = true, total = "total" }

[transforms.spent.state]
total  = { as = "decimal(2)", initial = "0.00" }
recent = { type = "history", keep = { count = 2 }, fields = { amount = "amount" } }

[sinks.table]
connection = "bank"
table      = "spent"
inputs     = ["spent"]
create     = true
`;
export const RECORDS = 40;

export interface Operated {
  readonly folder: string;
  /** Runs a command of the program. */
  run(...words: string[]): Promise<Ran>;
  /** Follows the topic for a moment, up to a protocol step where one is named. */
  follow(killAt?: string): Promise<Ran>;
  write(file: string, text: string): Promise<void>;
}

/** Accounts a0 to a3, payment i of i + 0.10: the topic is filled, nothing has followed it yet. */
export async function inOperated(test: (project: Operated) => Promise<void>): Promise<void> {
  const { folder, remove } = await freshClone();
  try {
    const write = (file: string, text: string): Promise<void> => Deno.writeTextFile(`${folder}/${file}`, text);
    await Deno.mkdir(`${folder}/project`);
    await write("project/millrace.toml", SHARED);
    await write("project/make.toml", MAKE);
    await write("project/follow.toml", FOLLOW);
    const rows = Array.from({ length: RECORDS }, (_, i) => `${i},a${i % 4},${i}.10`);
    await write("payments.csv", ["id,account,amount", ...rows].join("\n") + "\n");
    const run = (...words: string[]): Promise<Ran> => runMillrace(words, folder);
    const made = await run("run", "project", "make", "-q");
    assert.equal(made.code, 0, made.output);
    const follow = (killAt?: string): Promise<Ran> =>
      runMillrace(["run", "project", "follow", "-q", "--for", "2s"], folder, killAt ? { MILLRACE_KILL_AT: killAt } : {});
    await test({ folder, run, follow, write });
  } finally {
    await remove();
  }
}
