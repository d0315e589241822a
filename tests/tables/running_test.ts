/** Tables kept from topics of the embedded log, run as a user does: several lanes, killed at any step and started again. */
import assert from "node:assert/strict";
import { type Clone, freshClone, runMillrace } from "../support/clone.ts";

const KILLS = 12;
const KEYS = 40;
const VERSIONS = 6;
const PAYMENTS = 3000;

const SHARED = `[connections.bus]
type = "log"
path = "out/log"

[schemas.account.fields]
id      = "string"
version = "int"

[schemas.payment.fields]
id      = "int"
account = "string"
`;
const FILL = `kind = "produce"

[sources.accounts]
type   = "ndjson"
path   = "accounts.ndjson"
schema = "account"

[sources.payments]
type   = "ndjson"
path   = "payments.ndjson"
schema = "payment"

[sinks.accounts_topic]
connection = "bus"
inputs     = ["accounts"]
topic      = "accounts"
key        = "id"
create     = { partitions = 2 }

[sinks.payments_topic]
connection = "bus"
inputs     = ["payments"]
topic      = "payments"
key        = "id"
create     = { partitions = 3 }
`;
const look = (ready: string): string =>
  `kind = "stream"

[epoch]
records_max = 150
every       = "20ms"

[sources.payments]
connection = "bus"
topic      = "payments"
schema     = "payment"
until      = "end"

[tables.known]
connection = "bus"
topic      = "accounts"
schema     = "account"
key        = "id"
ready      = "${ready}"

[transforms.looked]
type   = "lookup"
inputs = ["payments"]
lookup = { row = "known[account]" }
set    = { version = "coalesce(row.version, 0)", partition = "meta.partition", place = "meta.position" }

[sinks.out]
type   = "csv"
inputs = ["looked"]
path   = "out/looked.csv"
`;

interface Looked {
  readonly id: number;
  readonly account: string;
  readonly version: number;
  readonly partition: number;
  readonly place: number;
}

async function prepared(ready: string): Promise<Clone> {
  const clone = await freshClone();
  const write = (name: string, text: string) => Deno.writeTextFile(`${clone.folder}/${name}`, text);
  await Deno.mkdir(`${clone.folder}/project`);
  await write("project/millrace.toml", SHARED);
  await write("project/fill.toml", FILL);
  await write("project/look.toml", look(ready));
  const changes = Array.from({ length: KEYS * VERSIONS }, (_, i) => ({ id: `a${i % KEYS}`, version: 1 + Math.floor(i / KEYS) }));
  await write("accounts.ndjson", changes.map((change) => JSON.stringify(change) + "\n").join(""));
  const payments = Array.from({ length: PAYMENTS }, (_, id) => ({ id, account: `a${(id * 7) % (KEYS + 2)}` }));
  await write("payments.ndjson", payments.map((payment) => JSON.stringify(payment) + "\n").join(""));
  const filled = await runMillrace(["run", "project", "fill", "-q"], clone.folder);
  assert.equal(filled.code, 0, filled.output);
  return clone;
}

/** Kills the pipeline at steps of its protocol until it has had enough, then lets it end. */
async function killedAndEnded({ folder }: Clone): Promise<Looked[]> {
  let killed = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const steps = 3 + (kill * 7) % 23;
    const { signal } = await runMillrace(["run", "project", "look", "-q"], folder, { MILLRACE_KILL_AFTER_STEPS: String(steps) });
    if (signal === "SIGKILL") killed++;
  }
  assert.ok(killed >= KILLS / 2, `${killed} of ${KILLS} were killed before the end`);
  const { code, output } = await runMillrace(["run", "project", "look", "-q"], folder);
  assert.equal(code, 0, output);
  const [heading, ...lines] = (await Deno.readTextFile(`${folder}/out/looked.csv`)).trim().split("\n");
  const names = heading.split(",");
  return lines.map((line) => {
    const values = line.split(",");
    const value = (name: string): string => values[names.indexOf(name)];
    const number = (name: string): number => Number(value(name));
    return {
      id: number("id"),
      account: value("account"),
      version: number("version"),
      partition: number("partition"),
      place: number("place"),
    };
  });
}

const known = (account: string): boolean => Number(account.slice(1)) < KEYS;

Deno.test("records wait until a table has caught up: killed or not, every record finds the newest row", async () => {
  const clone = await prepared("caught_up");
  try {
    const rows = await killedAndEnded(clone);
    assert.deepEqual(rows.map(({ id }) => id).sort((a, b) => a - b), Array.from({ length: PAYMENTS }, (_, id) => id));
    for (const { account, version } of rows) assert.equal(version, known(account) ? VERSIONS : 0, account);
  } finally {
    await clone.remove();
  }
});

Deno.test("read side by side, a table that was replayed never goes back: each record once, versions only grow", async () => {
  const clone = await prepared("at_once");
  try {
    const rows = await killedAndEnded(clone);
    assert.deepEqual(rows.map(({ id }) => id).sort((a, b) => a - b), Array.from({ length: PAYMENTS }, (_, id) => id));
    const newest = new Map<string, number>();
    for (const { account, version, partition } of rows.toSorted((a, b) => a.partition - b.partition || a.place - b.place)) {
      const lane = `${partition} ${account}`;
      assert.ok(version >= (newest.get(lane) ?? 0), `${lane} was at ${newest.get(lane)} and is at ${version}`);
      newest.set(lane, version);
      if (!known(account)) assert.equal(version, 0);
    }
  } finally {
    await clone.remove();
  }
});

Deno.test("check tells what a lane keeps of a table", async () => {
  const clone = await prepared("caught_up");
  try {
    const { stdout, code } = await runMillrace(["check", "project"], clone.folder);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /look: known +exactly-once +each lane reads all of it and keeps the newest row by id: version; records wait until/,
    );
    const json = JSON.parse((await runMillrace(["check", "project", "--json"], clone.folder)).stdout);
    assert.deepEqual(json.tables.map(({ pipeline, table }: { pipeline: string; table: string }) => [pipeline, table]), [["look", "known"]]);
  } finally {
    await clone.remove();
  }
});
