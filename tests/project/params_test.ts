/** Parameters: precedence, types, what CEL and summaries see. */
import assert from "node:assert/strict";
import { registry } from "../../src/app/full_registry.ts";
import { planIntake } from "../../src/transforms/intake.ts";
import { faultsOf, GOOD, load, loadOne } from "./support.ts";

const TEXT = `${GOOD}[params]
mode = { type = "string", default = "default", env = "MODE" }
[profile]
use = "\${PROFILE:-plain}"
[profiles.plain]
[profiles.special]
mode = "profile"
`;
const mode = async (env: Record<string, string>, set: Record<string, string> = {}) =>
  (await loadOne(TEXT, { env, set })).params.get("mode");

Deno.test("--set beats the environment beats the profile beats the default", async () => {
  assert.equal(await mode({}), "default");
  assert.equal(await mode({ PROFILE: "special" }), "profile");
  assert.equal(await mode({ PROFILE: "special", MODE: "env" }), "env");
  assert.equal(await mode({ PROFILE: "special", MODE: "env" }, { "params.mode": "set" }), "set");
  assert.equal(await mode({ MODE: "" }), "default");
});

const TYPES: readonly (readonly [string, string, string])[] = [
  ["int", "-5", "-5"],
  ["decimal(2)", "1.5", "1.50"],
  ["decimal(2)?", "", ""],
  ["double", "1e3", "1e3"],
  ["bool", "true", "true"],
  ["string", "a,b", "a,b"],
  ["duration", "1h30m", "1h30m"],
  ["timestamp", "2025-01-31T10:00:00Z", "2025-01-31T10:00:00Z"],
  ["date", "2025-01-31", "2025-01-31"],
  ["list<string>", "a, b", "[a, b]"],
  ["list<string>", '["a,b", "c\\"d"]', '[a,b, c"d]'],
  ["list<decimal(1)>", "[1, 2.5]", "[1.0, 2.5]"],
  ["list<int>", "", "[]"],
];
for (const [type, text, shown] of TYPES) {
  Deno.test(`--set of type ${type} reads ${JSON.stringify(text)}`, async () => {
    const declared = `${GOOD}[params]\nx = { type = "${type}", default = ${
      type.startsWith("list")
        ? "[]"
        : type === "string"
        ? '"z"'
        : type === "bool"
        ? "false"
        : type === "duration"
        ? '"1s"'
        : type.startsWith("t") || type === "date"
        ? "2020-01-01" + (type === "date" ? "" : "T00:00:00Z")
        : "1"
    } }\n`;
    assert.equal((await loadOne(declared, { set: { "params.x": text } })).params.get("x"), shown);
  });
}

Deno.test("parameters are exact in conditions", async () => {
  const warning = (when: string) =>
    `${GOOD}[params]
n = { type = "int", default = 3 }
money = { type = "decimal(2)", default = 0.30 }
names = { type = "list<string>", default = ["a", "b"] }
none = { type = "int?" }
wait = { type = "duration", default = "90s" }
[[warnings]]
when = "${when}"
text = "holds"
`;
  for (
    const [when, holds] of [
      ["params.money == 0.10 + 0.20", true],
      ["params.money * params.n == 0.90", true],
      ["'b' in params.names && !('c' in params.names)", true],
      ["params.none == null", true],
      ["params.wait == duration('1m30s')", true],
      ["params.n > 3", false],
    ] as const
  ) assert.deepEqual((await loadOne(warning(when))).warnings, holds ? ["holds"] : [], when);
});

Deno.test("a parameter may be made of others, in any order", async () => {
  const text =
    `${GOOD}[params]\nb = { type = "string", default = "\${params.a}/b" }\na = { type = "string", default = "\${ROOT:-root}" }\n`;
  assert.deepEqual([...(await loadOne(text)).params], [["b", "root/b"], ["a", "root"]]);
});

Deno.test("a shared profile may set what only another pipeline declares", async () => {
  const other = (text: string) => text.replaceAll("out/result.csv", "out/other.csv");
  const files = {
    "p/millrace.toml": '[profile]\nuse = "fast"\n[profiles.fast]\nspeed = 2\nsped = 3\n',
    "p/a.toml": `${GOOD}[params]\nspeed = { type = "int", default = 1 }\n`,
    "p/b.toml": other(GOOD),
  };
  assert.equal(await faultsOf(files), 'p/millrace.toml:5:1: there is no parameter "sped"\n  hint: did you mean "speed"?\n');
});

Deno.test("--set reaches epochs and the state folder", async () => {
  const set = { "epoch.records_max": "10", "epoch.every": "2s", "epoch.bytes_max": "1MiB", state: "elsewhere" };
  const { epoch, stateFolder } = await loadOne(GOOD, { set });
  assert.deepEqual(epoch, { everyMs: 2000, recordsMax: 10, bytesMax: 1 << 20 });
  assert.equal(stateFolder, "elsewhere/p");
});

Deno.test("the state lies beside the outputs, unless it is said where", async () => {
  const output = '[params]\noutput = { type = "string", default = "out/x" }\n';
  assert.equal((await loadOne(GOOD)).stateFolder, ".millrace/p");
  assert.equal((await loadOne(GOOD + output)).stateFolder, "out/x/.millrace/p");
  assert.equal((await loadOne(`state = "s/\${params.output}"\n${GOOD}${output}`)).stateFolder, "s/out/x/p");
});

Deno.test("a folder's pipelines share millrace.toml, also when one file is asked for", async () => {
  const files = {
    "p/millrace.toml": 'state = "st"\n[params]\noutput = { type = "string", default = "o" }\n',
    "p/a.toml": GOOD.replace("out/", "${params.output}/"),
    "p/b.toml": `after = ["a"]\n${GOOD.replace("out/", "b/")}`,
    "p/notes.md": "not a pipeline",
  };
  const all = await load(files);
  assert.deepEqual(all.pipelines.map(({ name, after, stateFolder, file }) => [name, after, stateFolder, file]), [
    ["a", [], "st/a", "p/a.toml"],
    ["b", ["a"], "st/b", "p/b.toml"],
  ]);
  const one = await load(files, { path: "p/b.toml" });
  assert.deepEqual([one.folder, one.pipelines.map(({ name, after }) => [name, after])], ["p", [["b", ["a"]]]]);
});

/** With the connectors as they ship: a sink's order is compiled while it is planned. */
const SHIPPED = { registry, intake: planIntake };
const ORDERED = `${TEXT}[sinks.x]
type = "csv"
inputs = ["payments"]
path = "x.csv"
order_by = ["params.mode == 'special' ? 1 : id", "size([params])"]
[[warnings]]
when = "[params][0].mode == 'default'"
text = "told"
`;

Deno.test("all parameters together are a value too", async () => {
  const { sinks, warnings } = await loadOne(ORDERED, { options: SHIPPED });
  assert.ok(sinks.some(({ name }) => name === "x"));
  assert.deepEqual(warnings, ["told"]);
});

Deno.test("a refused value is told once, whatever reads the parameter", async () => {
  const chosen = ORDERED.replace('type = "string", default', 'type = "string", one_of = ["default", "special"], default');
  assert.equal(
    await faultsOf(chosen, { options: SHIPPED, set: { "params.mode": "specail" } }),
    '--set: params.mode: "specail" is not one of default, special\n  hint: did you mean "special"?\n',
  );
});
