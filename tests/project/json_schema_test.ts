/** The editors' JSON Schema takes what the loader takes, and refuses its usual faults. */
import assert from "node:assert/strict";
import { registry as shipped } from "../../src/app/full_registry.ts";
import { jsonSchema } from "../../src/project/mod.ts";
import { parseToml, type TomlNode } from "../../src/project/toml.ts";
import { registry } from "./components.ts";
import { GOOD } from "./support.ts";
import { type Json, validate } from "./validate_schema.ts";

const schema = JSON.parse(JSON.stringify(jsonSchema(registry)));

function plain(node: TomlNode): Json {
  switch (node.kind) {
    case "table":
      return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, plain(value)]));
    case "array":
      return node.items.map(plain);
    case "boolean":
      return node.text === "true";
    case "integer":
    case "float":
      return Number(node.text);
    default:
      return node.text;
  }
}

function validateToml(text: string, against = schema): readonly string[] {
  const table = parseToml("t.toml", text, (fault) => assert.fail(fault.message));
  assert.ok(table);
  return validate(against, plain(table));
}

const WHOLE = `kind = "stream"
after = ["load"]
state = "x"
[epoch]
every = "100ms"
records_max = 50_000
[params]
input = { type = "string", default = "in", env = "INPUT", one_of = ["in", "out"] }
[profile]
use = "\${PROFILE:-a}"
[profiles.a]
input = "out"
[connections.bus]
use = "\${BACKEND:-embedded}"
embedded = { type = "log", path = "log" }
servers = { type = "kafka", brokers = "\${BROKERS}" }
[connections.plain]
type = "log"
path = "log"
[schemas.s]
id = "id"
numeric_text = "accept"
require = [{ code = "positive", that = "amount > 0.00" }]
[schemas.s.fields]
id = "int"
at = { type = "timestamp", format = "yyyy-MM-dd HH:mm:ss", zone = "UTC" }
place = { type = "json?", fields = { city = "string?" } }
[sources.topic]
connection = "bus"
topic = "t"
schema = "s"
idle = "\${IDLE:-1s}"
[tables.people]
type = "csv"
path = "people.csv"
key = "id"
fields = { id = "int" }
[transforms.t]
type = "map"
inputs = ["topic"]
where = true
set = { a = 1.00, b.c = "x" }
keep = { count = 3 }
[[transforms.t.rules]]
code = "a"
when = "x > 1"
[transforms.g]
type = "aggregate"
inputs = ["t"]
by = ["id"]
aggregate = { n = "count()" }
[sinks.out]
type = "csv"
inputs = ["*.rejected"]
path = "x"
lanes = "\${LANES:-1}"
roll = { size = "1MiB" }
[checks.c]
totals = [{ name = "n", node = "t", value = "count()" }]
that = "n > 0"
else = "warn"
[[reports]]
title = "R"
node = "t"
by = ["id"]
aggregate = { n = "count()" }
[[warnings]]
when = "true"
text = "x"
[[tests]]
name = "x"
defaults = { id = 1 }
given = [{ topic = { id = 1 } }]
expect.out = []
[[tests]]
name = "y"
given.topic = []
expect.out = []
`;

Deno.test("a pipeline with everything in it is valid", () => {
  assert.deepEqual(validateToml(GOOD), []);
  assert.deepEqual(validateToml(WHOLE), []);
});

for (
  const [what, from, to] of [
    ["an unknown section", "[epoch]", "[epcoh]"],
    ["an unknown setting", "roll = {", "rolls = {"],
    ["an unknown setting inside a group", 'roll = { size = "1MiB" }', 'roll = { siz = "1MiB" }'],
    ["a size without a unit", '"1MiB"', '"1"'],
    ["a duration without a unit", '"100ms"', '"100"'],
    ["a number out of bounds", "count = 3", "count = 99"],
    ["a number in quotes", "50_000", '"50000"'],
    ["a component that does not exist", 'type = "aggregate"', 'type = "agregate"'],
    ["a transform without inputs", 'type = "aggregate"\ninputs = ["t"]', 'type = "aggregate"'],
    ["a source without a schema", 'schema = "s"\n', ""],
    ["a table without a key", 'key = "id"\nfields', "fields"],
    ["a kind that does not exist", 'kind = "stream"', 'kind = "steam"'],
    ["a test without a name", 'name = "y"\n', ""],
  ] as const
) {
  Deno.test(`${what} is refused`, () => {
    const changed = WHOLE.replace(from, to);
    assert.notEqual(changed, WHOLE);
    assert.notDeepEqual(validateToml(changed), []);
  });
}

Deno.test("the shipped components' schema takes the shipped configuration", async () => {
  const real = JSON.parse(JSON.stringify(jsonSchema(shipped)));
  const folder = new URL("../../config/cards/", import.meta.url);
  let count = 0;
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".toml")) continue;
    assert.deepEqual(validateToml(await Deno.readTextFile(new URL(name, folder)), real), [], name);
    count++;
  }
  assert.ok(count > 1);
});
