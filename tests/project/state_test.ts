/** Where checkpoints lie: a folder, or a store that replicas share, and what that asks of a pipeline. With the real components. */
import assert from "node:assert/strict";
import { registry } from "../../src/app/full_registry.ts";
import { planIntake } from "../../src/transforms/intake.ts";
import { faultsOf, load } from "./support.ts";

const PIPELINE = (state: string, source = "", sinks = "") =>
  `${state}
[connections.bus]
type    = "kafka"
brokers = "127.0.0.1:9092"
[sources.payments]
connection = "bus"
topic      = "payments"
fields     = { id = "int" }
until      = "never"
${source}
[sinks.out]
connection = "bus"
inputs     = ["payments"]
topic      = "out"
${sinks}`;
const REJECTS = `[sinks.refused]
connection = "bus"
inputs     = ["*.rejected"]
topic      = "refused"
`;
const SHARED = '[state]\nurl = "http://kv:4512"\ntoken = "secret-token-1"\n';
const real = { options: { registry, intake: planIntake } };
const one = async (text: string, setting = {}) => (await load(text, { ...real, ...setting })).pipelines[0];
const faults = (text: string, setting = {}) => faultsOf(text, { ...real, ...setting });

Deno.test("an address makes the store shared; an empty one leaves it in the folder", async () => {
  const shared = await one(PIPELINE(SHARED, "", REJECTS));
  assert.deepEqual(shared.shared, { url: "http://kv:4512", token: "secret-token-1", tokenFile: null, prefix: "millrace" });
  assert.equal(shared.stateFolder, ".millrace/p");
  assert.equal(shared.sources[0].plan.isShared, true);
  const env = '[state]\nurl = "${KV_URL:-}"\nfolder = "here"\ntoken_file = "t"\nprefix = "shop"\n';
  const local = await one(PIPELINE(env));
  assert.deepEqual([local.shared, local.stateFolder, local.sources[0].plan.isShared], [null, "here/p", false]);
  const there = await one(PIPELINE(env), { env: { KV_URL: "https://kv/" } });
  assert.deepEqual(there.shared, { url: "https://kv", token: "", tokenFile: "t", prefix: "shop" });
});

Deno.test("a bounded source is not shared, whatever the store", async () => {
  const text = PIPELINE(SHARED).replace('until      = "never"', 'until = "end"');
  const { bounded, sources } = await one(text);
  assert.deepEqual([bounded, sources[0].plan.isShared], [true, false]);
});

Deno.test("group, member and time-outs are no part of the plan; the topic is", async () => {
  const hash = async (source: string) => (await one(PIPELINE(SHARED, source, REJECTS))).hash;
  assert.equal(await hash('group = "g"\nmember = "a"\nsession_timeout = "3s"'), await hash('member = "b"'));
  assert.notEqual(await hash('start = "latest"'), await hash(""));
});

Deno.test("replicas need sinks that all of them reach", async () => {
  assert.equal(
    await faults(PIPELINE(SHARED)),
    `p.toml:1:1: the sink "rejects" writes files of this machine, which other replicas of the pipeline cannot go on with
  hint: give "*.rejected" a sink that all replicas reach, or name a folder that all replicas reach: [state] folder = "..."
`,
  );
  const csv = '[sinks.copy]\ntype = "csv"\ninputs = ["payments"]\npath = "x"\n';
  assert.match(
    await faults(PIPELINE(SHARED, "", REJECTS + csv)),
    /the sink "copy" writes files of this machine.*\n.*use a topic or a table/,
  );
  assert.equal(await faults(PIPELINE(`${SHARED}folder = "/shared"\n`, "", csv)), "");
  assert.notEqual(await faults(PIPELINE(SHARED, "", csv), { set: { state: "/mine" } }), "");
});

Deno.test("what is wrong with [state] is told at its place, and no token is shown", async () => {
  const cases: readonly [string, RegExp][] = [
    ['[state]\nurl = "kv:4512"\ntoken = "secret-token-1"\n', /p\.toml:2:7: \[state\]: url is not the address of a server/],
    ['[state]\nurl = "http://me:secret-pass@kv"\ntoken = "secret-token-1"\n', /url is not the address of a server/],
    ['[state]\nurl = "http://kv"\n', /wants a token or a token_file, one of them/],
    ['[state]\nurl = "http://kv"\ntoken = "secret-token-1"\ntoken_file = "x"\n', /wants a token or a token_file, one of them/],
    ['[state]\nulr = "http://kv"\n', /\[state\] has no setting "ulr"\n\s+hint: did you mean "url"/],
    ["[state]\ntoken = 5\n", /\[state\]: token must be a text/],
  ];
  for (const [state, wished] of cases) {
    const told = await faults(PIPELINE(state, "", REJECTS));
    assert.match(told, wished);
    assert.doesNotMatch(told, /secret/);
  }
});

Deno.test("workers want a lane per partition, sinks that several threads may write, and no totals over all lanes", async () => {
  assert.equal((await one(PIPELINE("workers = 3\n", "", REJECTS))).workers, 3);
  assert.equal((await one(PIPELINE("", "", REJECTS), { set: { workers: "2" } })).workers, 2);
  assert.equal((await one(PIPELINE(""))).workers, 1);
  const told = async (more: string) =>
    (await faults(PIPELINE("workers = 2\n", "", more))).split("\n").filter((line) => line.startsWith("p.toml"));
  assert.deepEqual(await told(""), [], "rejects go into files of parts, which lanes on several threads may write");
  const csv = '[sinks.copy]\ntype = "csv"\ninputs = ["payments"]\npath = "x"\n';
  assert.deepEqual(await told(csv), []);
  const table = '[connections.db]\ntype = "sqlite"\npath = "x"\n[sinks.copy]\nconnection = "db"\ninputs = ["payments"]\ntable = "t"\n';
  assert.deepEqual(await told(table), ['p.toml:1:11: the sink "copy" writes files of this machine, which one thread at a time can do']);
  assert.deepEqual(await told(`${REJECTS}[[reports]]\ntitle = "t"\nnode = "payments"\naggregate = { n = "count()" }\n`), [
    "p.toml:1:11: reports and checks add up over all lanes, which is not done across threads",
  ]);
  const keyed = '[transforms.once]\ntype = "dedupe"\ninputs = ["payments"]\nkey = "id"\n';
  assert.match(
    (await told(REJECTS + keyed)).join(),
    /workers spread lanes over threads, and this pipeline has one lane: "once" keeps state by "id"/,
  );
  const server = '[sinks.feed]\ntype = "socket_server"\ninputs = ["payments"]\nlisten = "127.0.0.1:0"\n';
  assert.deepEqual(await told(REJECTS + server), ['p.toml:1:11: the sink "feed" is one for all lanes of a process']);
  assert.match(await faults(PIPELINE("workers = 0\n", "", REJECTS)), /workers must be a whole number from 1 to 64 \(threads\), not 0/);
});
