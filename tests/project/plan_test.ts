/** What a checked pipeline says: order, needs, ranks, lanes, rejects, reports, checks, guarantees. */
import assert from "node:assert/strict";
import { GOOD, load, loadOne } from "./support.ts";

const SOURCES = (names: readonly string[], more = "") =>
  names.map((name) =>
    `[sources.${name}]\ntype = "csv"\npath = "${name}.csv"\nfields = { id = "int", amount = "decimal(2)", note = "string?" }\n${more}`
  ).join("");
const SINK = (input: string, more = 'columns = ["id"]') => `[sinks.out]\ntype = "csv"\npath = "out.csv"\ninputs = ["${input}"]\n${more}\n`;

Deno.test("a first pipeline is short: kind, epoch, state and rejects have defaults", async () => {
  const text = `[sources.payments]
type   = "csv"
path   = "payments.csv"
fields = { id = "int", amount = "decimal(2)" }

[transforms.large]
type   = "map"
inputs = ["payments"]
where  = "amount > 100.00"

[sinks.result]
type   = "csv"
inputs = ["large"]
path   = "large.csv"`;
  assert.ok(text.split("\n").length <= 15);
  const { name, kind, bounded, epoch, stateFolder, sinks, after } = await loadOne(text);
  assert.deepEqual({ name, kind, bounded, stateFolder, after }, {
    name: "p",
    kind: "batch",
    bounded: true,
    stateFolder: ".millrace/p",
    after: [],
  });
  assert.deepEqual(epoch, { everyMs: 100, recordsMax: 50_000, bytesMax: 32 << 20 });
  assert.deepEqual(sinks.map(({ name, type, inputs, plan }) => [name, type, inputs, plan.place]), [
    ["result", "csv", [{ from: "large", port: "out" }], "large.csv"],
    ["rejects", "ndjson", [{ from: "payments", port: "rejected" }, { from: "large", port: "rejected" }], ".millrace/p/rejects"],
  ]);
});

Deno.test("kind is stream where an input never ends, unless it is said", async () => {
  const endless = GOOD.replace('path = "payments.csv"', 'path = "payments.csv"\nuntil = "never"');
  const { kind, bounded } = await loadOne(endless);
  assert.deepEqual([kind, bounded], ["stream", false]);
  assert.equal((await loadOne(`kind = "load"\n${GOOD}`)).kind, "load");
});

Deno.test("*.rejected takes the rejects of all nodes, and no sink is made for them", async () => {
  const text =
    `${GOOD}[sinks.bad]\ntype = "ndjson"\npath = "bad"\ninputs = ["*.rejected"]\n[transforms.t]\ntype = "map"\ninputs = ["payments"]\n`;
  const { sinks } = await loadOne(text);
  assert.deepEqual(sinks.map(({ name }) => name), ["result", "bad"]);
  assert.deepEqual(sinks[1].inputs.map(({ from, port }) => `${from}.${port}`), ["payments.rejected", "t.rejected"]);
});

Deno.test("rejects that a sink leaves out still go somewhere", async () => {
  const text =
    `${GOOD}[transforms.t]\ntype = "map"\ninputs = ["payments"]\n[sinks.rejects]\ntype = "ndjson"\npath = "bad"\ninputs = ["t.rejected"]\n`;
  const { sinks } = await loadOne(text);
  assert.deepEqual(sinks.map(({ name }) => name), ["result", "rejects", "other_rejects"]);
  assert.deepEqual(sinks[2].inputs, [{ from: "payments", port: "rejected" }]);
});

Deno.test("transforms stand behind what they read, whatever the order in the file", async () => {
  const map = (name: string, input: string) => `[transforms.${name}]\ntype = "map"\ninputs = ["${input}"]\n`;
  const { transforms } = await loadOne(GOOD + map("c", "b") + map("a", "payments") + map("b", "a.duplicates"));
  assert.deepEqual(transforms.map(({ name, inputs }) => [name, inputs[0][0].from, inputs[0][0].port]), [
    ["a", "payments", "out"],
    ["b", "a", "duplicates"],
    ["c", "b", "out"],
  ]);
});

Deno.test("only fields that somebody reads are decoded", async () => {
  const [source] = (await loadOne(SOURCES(["a"]) + SINK("a"))).sources;
  assert.deepEqual([...source.needed], ["id"]);
  const reported = `${SOURCES(["a"]) + SINK("a")}[[reports]]\ntitle = "R"\nnode = "a"\naggregate = { total = "sum(amount)" }\n`;
  assert.deepEqual([...(await loadOne(reported)).sources[0].needed].sort(), ["amount", "id"]);
  const unique = SOURCES(["a"], 'unique = ["note"]\n') + SINK("a");
  const withIntake = (await loadOne(unique)).sources[0];
  assert.deepEqual([[...withIntake.needed].sort(), withIntake.intake !== null], [["id", "note"], true]);
});

Deno.test("tests do not make a run decode more, only a test", async () => {
  const text = `${SOURCES(["a"]) + SINK("t")}[transforms.t]
type = "map"
inputs = ["a"]
[[tests]]
name = "x"
given.a = []
expect.t = [{ amount = 1.00 }]
expect.out = [{ note = "n" }]
`;
  assert.deepEqual([...(await loadOne(text)).sources[0].needed], ["id"]);
  assert.deepEqual([...(await loadOne(text, { purpose: "test" })).sources[0].needed].sort(), ["amount", "id", "note"]);
});

Deno.test("what a join needs on its right is read before its left", async () => {
  const join = (name: string, left: string, right: string) =>
    `[transforms.${name}]\ntype = "join"\nleft = "${left}"\nright = "${right}"\non = ["id"]\n`;
  const ranksOf = async (text: string) =>
    Object.fromEntries((await loadOne(SOURCES(["a", "b", "c"]) + text)).sources.map(({ name, rank }) => [name, rank]));
  assert.deepEqual(await ranksOf(join("j", "a", "b") + join("k", "b", "c") + SINK("j")), { a: 2, b: 1, c: 0 });
  assert.deepEqual(await ranksOf(join("j", "a", "b") + join("k", "b", "a") + SINK("j")), { a: 1, b: 0, c: 0 });
  assert.deepEqual(await ranksOf(join("j", "a", "a") + SINK("j")), { a: 0, b: 0, c: 0 });
  const chained = join("j", "a", "b") + join("k", "c", "j") + join("l", "j", "k") + SINK("l");
  assert.deepEqual(await ranksOf(chained), { a: 1, b: 0, c: 2 });
});

Deno.test("lanes follow partitions only where state stays inside one", async () => {
  const source = 'partitions = 4\nkey = "id"\n';
  const map = (more: string) => `[transforms.t]\ntype = "map"\ninputs = ["a"]\n${more}\n`;
  const lanes = async (text: string) => {
    const { lanesByPartition, lanesReason } = await loadOne(text);
    return `${lanesByPartition}: ${lanesReason}`;
  };
  const one = SOURCES(["a"], source);
  assert.equal(await lanes(one + map('key = "id"') + SINK("t")), 'true: a lane per partition of "a", keyed by "id"');
  assert.equal(await lanes(SOURCES(["a"], "partitions = 4\n") + map("") + SINK("t")), 'true: a lane per partition of "a"');
  assert.equal(await lanes(SOURCES(["a"]) + SINK("a")), "false: one lane: no source has partitions");
  assert.equal(
    await lanes(one + map('key = "note"') + SINK("t")),
    'false: one lane: "t" keeps state by "note", and "a" is partitioned by "id"',
  );
  assert.equal(
    await lanes(SOURCES(["a"], "partitions = 4\n") + map('key = "id"') + SINK("t")),
    'false: one lane: "t" keeps state by "id", and "a" does not say what its partitions are keyed by',
  );
  assert.equal(await lanes(SOURCES(["a", "b"], source) + SINK("a")), 'false: one lane: it reads several sources, and "a" has partitions');
  const aggregate = '[transforms.g]\ntype = "aggregate"\ninputs = ["a"]\naggregate = { n = "count()" }\n';
  assert.equal(await lanes(one + aggregate + SINK("a")), 'false: one lane: "g" gives its result only when all input has been read');
  const second = '[transforms.u]\ntype = "map"\ninputs = ["t"]\nkey = "id"\n';
  assert.equal(
    await lanes(one + map('set = { id = "id + 1" }') + second + SINK("u")),
    'false: one lane: "u" keeps state by "id", which "t" may change',
  );
  assert.equal(
    await lanes(one + map('set = { id = "id", note = "note" }') + second + SINK("u")),
    'true: a lane per partition of "a", keyed by "id"',
  );
  const report = '[[reports]]\ntitle = "R"\nnode = "a"\naggregate = { n = "count()" }\n';
  assert.equal(await lanes(one + SINK("a") + report), 'true: a lane per partition of "a", keyed by "id"');
});

Deno.test("reports and checks hold their rows in hidden aggregates", async () => {
  const text = `${GOOD}[[reports]]
title = "By place"
node = "payments"
by = ["place"]
aggregate = { count = "count()", amount = "sum(amount)" }
[checks.balance]
totals = [{ name = "all", node = "payments", value = "count()" }, { name = "bad", node = "payments.rejected", value = "count()" }]
that = "all > 2 * bad"
else = "warn"
`;
  const { transforms, reports, checks, sinks } = await loadOne(text);
  assert.deepEqual(transforms.map(({ name }) => name), ["report:By place", "check:balance:all", "check:balance:bad"]);
  assert.deepEqual(reports.map(({ title, operator, by, type }) => [title, operator, by, type.fields.map(({ name }) => name)]), [
    ["By place", "report:By place", ["place"], ["place", "count", "amount"]],
  ]);
  const [check] = checks;
  assert.deepEqual([check.name, check.onFailure, check.text, check.totals.map(({ name, operator }) => [name, operator])], [
    "balance",
    "warn",
    "all > 2 * bad",
    [["all", "check:balance:all"], ["bad", "check:balance:bad"]],
  ]);
  assert.deepEqual([check.that([5, 2]), check.that([4, 2]), check.that([5, Number.MAX_SAFE_INTEGER])], [true, false, false]);
  assert.ok(sinks[1].inputs.some(({ from }) => from === "report:By place"), "what a report cannot add up is not lost");
});

Deno.test("a shared table is read only where it is looked up", async () => {
  const files = {
    "p/millrace.toml": '[tables.people]\ntype = "csv"\npath = "people.csv"\nkey = "id"\nfields = { id = "int", name = "string" }\n',
    "p/a.toml": `${GOOD}[transforms.t]\ntype = "map"\ninputs = ["payments"]\nlookup = ["people"]\n`,
    "p/b.toml": GOOD.replace("out/", "b/"),
  };
  // The stand-in transform reads no field of the row that it looks up.
  const [a, b] = (await load(files)).pipelines;
  assert.deepEqual(a.tables.map(({ name, key, needed }) => [name, key, [...needed]]), [["people", "id", ["id"]]]);
  assert.deepEqual(b.tables, []);
});

Deno.test("each path from a source to a sink has its guarantee, and the weak ones a hint", async () => {
  const text = `${SOURCES(["a", "b"]) + SINK("a")}[sinks.screen]\ntype = "console"\ninputs = ["b"]\n`;
  assert.deepEqual((await loadOne(text)).guarantees, [
    { source: "a", sink: "out", guarantee: "exactly-once", note: "parts have one name and one content" },
    {
      source: "b",
      sink: "screen",
      guarantee: "at-least-once",
      note: "a terminal cannot be asked",
      hint: 'after a crash "screen" may get records again; a file or table sink beside it holds each one once',
    },
  ]);
});

Deno.test("a shared table does not take its name from a pipeline that does not use it", async () => {
  const files = {
    "p/millrace.toml": '[tables.payments]\ntype = "csv"\npath = "people.csv"\nkey = "id"\nfields = { id = "int" }\n',
    "p/a.toml": GOOD,
  };
  const [{ tables, sources }] = (await load(files)).pipelines;
  assert.deepEqual([tables.length, sources.map(({ name }) => name)], [0, ["payments"]]);
});
