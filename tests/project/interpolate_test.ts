/** Placeholders: filled in once, in plain text only, whatever the values hold. */
import assert from "node:assert/strict";
import { faultsOf, GOOD, load, loadOne } from "./support.ts";

const sink = (path: string, more = "") => `${GOOD}[sinks.x]\ntype = "csv"\ninputs = ["payments"]\npath = ${path}\n${more}`;
const OUTPUT =
  '[params]\noutput = { type = "string", default = "out" }\nn = { type = "int", default = 7 }\nmoney = { type = "decimal(2)", default = 1.5 }\nwait = { type = "duration", default = "90s" }\n';

async function pathOf(path: string, env: Record<string, string> = {}, more = ""): Promise<string> {
  const { sinks } = await loadOne(sink(path, OUTPUT + more), { env });
  return sinks.find(({ name }) => name === "x")!.plan.place;
}

Deno.test("variables, defaults and parameters are filled in", async () => {
  assert.equal(await pathOf('"${A}/${params.output}/${B:-b}"', { A: "a" }), "a/out/b");
  assert.equal(await pathOf('"${A:-${params.output}"'), "${params.output");
  assert.equal(await pathOf('"${params.n}-${params.money}-${params.wait}"'), "7-1.50-90s");
});

Deno.test("an empty variable counts as missing", async () => {
  assert.equal(await pathOf('"${A:-fallback}"', { A: "" }), "fallback");
  assert.match(await faultsOf(sink('"${A}"'), { env: { A: "" } }), /the environment variable A is not set/);
});

Deno.test("$${ is a literal", async () => {
  assert.equal(await pathOf('"$${A}-$$${A}-$x"', { A: "no" }), "${A}-$${A}-$x");
});

Deno.test("what is filled in is never filled in again", async () => {
  const env = { A: "${B}", B: "stolen", C: "${params.output}" };
  assert.equal(await pathOf('"${A}|${C}"', env), "${B}|${params.output}");
});

Deno.test("a value cannot become TOML, another key or a list", async () => {
  const attack = 'x"\npublish = "one_file"\n[sinks.evil]\ntype = "csv"';
  const { sinks } = await loadOne(sink('"${A}"'), { env: { A: attack } });
  assert.deepEqual(sinks.map(({ name }) => name), ["result", "x", "rejects"]);
  assert.equal(sinks[1].plan.place, attack);
});

Deno.test("a value cannot become CEL: placeholders in expressions are refused wherever they stand", async () => {
  const env = { A: "true || amount > 0.00" };
  for (const where of ['"${A}"', '"amount > 1.00 && ${A}"', "'''amount > 1.00 && '${A}' == place'''", "\"place == '$${A}'\""]) {
    const text = `${GOOD}[transforms.t]\ntype = "map"\ninputs = ["payments"]\nwhere = ${where}\n`;
    assert.match(await faultsOf(text, { env }), /\$\{\.\.\.\} is not filled in inside CEL/);
  }
});

Deno.test("a parameter's text reaches CEL as a constant, not as code", async () => {
  const text = `${GOOD}[params]
name = { type = "string", env = "NAME", default = "a" }
[transforms.t]
type = "map"
inputs = ["payments"]
set = { note = "params.name" }
[[warnings]]
when = "params.name == \\"' || true || '\\""
text = "compared as a text"
`;
  const { warnings } = await loadOne(text, { env: { NAME: "' || true || '" } });
  assert.deepEqual(warnings, ["compared as a text"]);
  assert.deepEqual((await loadOne(text, { env: { NAME: "x') || ('a' == 'a" } })).warnings, []);
});

Deno.test("a --set text is taken as it stands", async () => {
  const set = { "params.output": "${HOME}/$${x}" };
  const { sinks } = await loadOne(sink('"${params.output}/x"', OUTPUT), { set, env: { HOME: "home" } });
  assert.equal(sinks[1].plan.place, "${HOME}/$${x}/x");
});

Deno.test("placeholders fill typed settings with typed values", async () => {
  const more =
    'lanes = "${LANES:-3}"\ncompress = "${COMPRESS:-true}"\nroll = { size = "${SIZE:-1MiB}", every = "${params.wait}" }\npublish = "${PUBLISH:-parts}"\n';
  await load(sink('"x"', more + OUTPUT));
  assert.match(await faultsOf(sink('"x"', more + OUTPUT), { env: { COMPRESS: "1" } }), /compress must be true or false/);
  assert.match(await faultsOf(sink('"x"', more + OUTPUT), { env: { SIZE: "1 lot" } }), /"1 lot" is not a size/);
});

Deno.test("only the chosen variant of a connection needs its variables", async () => {
  const text = `${GOOD}[connections.bus]
use = "\${BACKEND:-embedded}"
embedded = { type = "log", path = "log" }
servers = { type = "log", path = "\${SERVERS}" }
[sinks.topic]
connection = "bus"
topic = "t"
inputs = ["payments"]
`;
  assert.equal((await loadOne(text)).sinks[1].type, "log");
  assert.match(await faultsOf(text, { env: { BACKEND: "servers" } }), /the environment variable SERVERS is not set/);
});

Deno.test("the variables of a file stand behind those of the environment", async () => {
  const files = { "p.toml": sink('"${A}-${B}-${C}"'), ".env": "# comment\nexport A=file\nB = \"two words\"\nC='x' \n" };
  const { pipelines } = await load(files, { path: "p.toml", envFile: ".env", env: { A: "process" } });
  assert.equal(pipelines[0].sinks[1].plan.place, "process-two words-x");
  assert.equal(
    await faultsOf(files, { path: "p.toml", envFile: "no.env", env: { A: "a", B: "b", C: "c" } }),
    "no.env: there is no such file\n",
  );
  const broken = await faultsOf({ ...files, ".env": "A=1\nB 2\nC=3" }, { path: "p.toml", envFile: ".env", env: { B: "b" } });
  assert.equal(broken, ".env:2:1: this line is not NAME=value\n  hint: comments begin with #\n");
});

Deno.test("secrets are masked in parameters and in faults", async () => {
  const text = `${GOOD}[params]
password = { type = "string", env = "DB_PASSWORD", default = "none" }
token = { type = "string", default = "\${API_TOKEN:-none}" }
key = { type = "string", default = "sesame", secret = true }
url = { type = "string", default = "mysql://root:swordfish@db/x" }
`;
  const { params } = await loadOne(text, { env: { DB_PASSWORD: "hunter2", API_TOKEN: "abc" } });
  assert.deepEqual([...params], [["password", "***"], ["token", "***"], ["key", "***"], ["url", "mysql://***@db/x"]]);
  const faults = await faultsOf(sink('"x"', 'password = "sesame"\npublish = "sesame"'));
  assert.ok(!faults.includes("sesame"), faults);
});
