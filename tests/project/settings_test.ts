/** Checked settings as a component reads them. */
import assert from "node:assert/strict";
import type { GroupSetting } from "../../src/component/settings.ts";
import { Faults } from "../../src/project/faults.ts";
import type { Filling, Refused } from "../../src/project/interpolate.ts";
import { Secrets } from "../../src/project/secrets.ts";
import { readGroup } from "../../src/project/settings.ts";
import { parseToml } from "../../src/project/toml.ts";

const DECLARED: GroupSetting = {
  kind: "group",
  doc: "",
  fields: {
    text: { kind: "text", doc: "", default: "standard" },
    count: { kind: "int", doc: "", unit: "rows", min: -5, max: 5, optional: true },
    wait: { kind: "duration", doc: "", default: "1m30s" },
    size: { kind: "size", doc: "", default: "1KiB" },
    flag: { kind: "bool", doc: "", default: true },
    mode: { kind: "choice", doc: "", choices: { a: "", b: "" }, default: "b" },
    when: { kind: "cel", doc: "", optional: true },
    set: { kind: "cel_table", doc: "", optional: true },
    by: { kind: "cel_table", names: true, doc: "", optional: true },
    order: { kind: "cel_list", doc: "", optional: true },
    columns: { kind: "text_list", doc: "", optional: true },
    inner: { kind: "group", doc: "", fields: { x: { kind: "int", doc: "", unit: "", min: 0, max: 9, default: 4 } } },
    rules: { kind: "list", doc: "", optional: true, item: { kind: "group", doc: "", fields: { code: { kind: "text", doc: "" } } } },
    state: { kind: "map", doc: "", optional: true, item: { kind: "group", doc: "", fields: { as: { kind: "text", doc: "" } } } },
    keep: {
      kind: "either",
      doc: "",
      optional: true,
      of: [
        { kind: "text", doc: "" },
        { kind: "bool", doc: "" },
        { kind: "group", doc: "", fields: { n: { kind: "int", doc: "", unit: "", min: 0, max: 9 } } },
        { kind: "list", doc: "", item: { kind: "group", doc: "", fields: {} } },
      ],
    },
  },
};

const PARAMETERS: Readonly<Record<string, Filling | Refused>> = {
  none: { refused: "it is null", instead: "null" },
  names: { refused: "it is a list", instead: ["b", "a"] },
};

function read(text: string) {
  const secrets = new Secrets();
  const faults = new Faults(secrets);
  const table = parseToml("t.toml", text, faults.report)!;
  const variables = { environment: () => null, parameter: (name: string) => PARAMETERS[name] ?? null, parameterNames: () => [] };
  const group = readGroup(DECLARED, table, "the test", { faults, secrets, variables });
  assert.deepEqual(faults.sorted(), []);
  assert.ok(group);
  return group;
}

Deno.test("what is left out has its default, is empty, or is absent", () => {
  const group = read("");
  assert.deepEqual([group.text("text"), group.number("wait"), group.number("size"), group.bool("flag"), group.text("mode")], [
    "standard",
    90_000,
    1024,
    true,
    "b",
  ]);
  assert.equal(group.group("inner").number("x"), 4);
  assert.deepEqual([
    group.celTable("set").entries,
    group.celList("order"),
    group.texts("columns"),
    group.groups("rules"),
    group.map("state").size,
  ], [[], [], [], [], 0]);
  assert.deepEqual(["text", "count", "when", "keep"].map((name) => group.has(name)), [true, false, false, false]);
  assert.deepEqual(group.at("count"), group.span);
});

Deno.test("tables of expressions keep document order and nest by dotted keys", () => {
  const group = read('[set]\n"..." = true\nb = 1\na.x = "x"\na.y = 1.00\nc = "c"\n');
  assert.deepEqual(group.celTable("set").entries.map(({ path, value }) => [path.join("/"), value.text]), [
    ["...", "true"],
    ["b", "1"],
    ["a/x", "x"],
    ["a/y", "1.00"],
    ["c", "c"],
  ]);
  const [, , x] = group.celTable("set").entries;
  assert.deepEqual([x.keySpan.line, x.keySpan.column, x.value.place(0).column], [4, 3, 8]);
});

Deno.test("a list of names stands for itself", () => {
  const entries = (text: string) => read(text).celTable("by").entries.map(({ path, value }) => `${path.join(".")}=${value.text}`);
  assert.deepEqual(entries('by = ["a", "b"]'), ["a=a", "b=b"]);
  assert.deepEqual(entries('by = { a = "x + 1" }'), ["a=x + 1"]);
});

Deno.test("an alternative is told apart by its TOML kind", () => {
  const which = (text: string) => read(text).which("keep");
  assert.deepEqual([which('keep = "for ever"'), which("keep = true"), which("keep = { n = 3 }"), which("keep = [{}]")], [0, 1, 2, 3]);
  assert.equal(read("keep = { n = 3 }").group("keep").number("n"), 3);
});

Deno.test("lists and maps of groups", () => {
  const group = read('[[rules]]\ncode = "a"\n[[rules]]\ncode = "b"\n[state.one]\nas = "int"\n');
  assert.deepEqual(group.groups("rules").map((rule) => rule.text("code")), ["a", "b"]);
  assert.deepEqual([...group.map("state")].map(([name, item]) => [name, item.text("as"), item.span.line]), [["one", "int", 5]]);
});

Deno.test("asking for what was not declared, or as another kind, is our own mistake", () => {
  const group = read("count = -5");
  assert.equal(group.number("count"), -5);
  assert.throws(() => group.has("cuont"), /declared/);
  assert.throws(() => group.text("count"), /kind/);
  assert.throws(() => group.cel("when"), /given/);
  assert.throws(() => group.which("text"), /alternatives/);
});

Deno.test("a parameter without a value leaves out the setting that consists of it, and a list stands for a list", () => {
  const group = read('text = "${params.none}"\ncount = "${params.none}"\ncolumns = "${params.names}"\nkeep = "${params.none}"');
  assert.deepEqual([group.text("text"), group.has("count"), group.texts("columns"), group.has("keep")], [
    "standard",
    false,
    ["b", "a"],
    false,
  ]);
});
