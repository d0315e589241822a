/** TOML with places: what the parser's wrapper must keep. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Fault } from "../../src/data/fault.ts";
import { parseToml, type TomlNode, type TomlTable } from "../../src/project/toml.ts";

const SEED = 20_261;

function parse(text: string): TomlTable {
  const faults: Fault[] = [];
  const table = parseToml("t.toml", text, (fault) => faults.push(fault));
  assert.deepEqual(faults, []);
  assert.ok(table);
  return table;
}

/** The tree as one line per value: dotted path, kind, text, place. */
function outline(node: TomlNode, path = ""): string[] {
  if (node.kind === "table") return [...node.entries].flatMap(([key, { value }]) => outline(value, path === "" ? key : `${path}.${key}`));
  if (node.kind === "array") return node.items.flatMap((item, index) => outline(item, `${path}[${index}]`));
  return [`${path} ${node.kind} ${node.text} ${node.span.line}:${node.span.column}`];
}

Deno.test("values keep their written text, their order and their places", () => {
  const text = `a.b = 1_000
hex = 0xFF
money = 1.00
plus = +5
yes = true
at = 2025-01-31 10:00:00Z
[t]
list = [1, { x = "é" },
  0.95]
t.deep = 'raw\\n'
[[t.rows]]
n = 1
[[t.rows]]
n = 2
[t.rows.inner]
m = 3
`;
  assert.deepEqual(outline(parse(text)), [
    "a.b integer 1000 1:7",
    "hex integer 255 2:7",
    "money float 1.00 3:9",
    "plus integer 5 4:8",
    "yes boolean true 5:7",
    "at date 2025-01-31 10:00:00Z 6:6",
    "t.list[0] integer 1 8:9",
    "t.list[1].x string é 8:18",
    "t.list[2] float 0.95 9:3",
    "t.t.deep string raw\\n 10:10",
    "t.rows[0].n integer 1 12:5",
    "t.rows[1].n integer 2 14:5",
    "t.rows[1].inner.m integer 3 16:5",
  ]);
});

Deno.test("a key named like a method of objects is an ordinary key", () => {
  assert.deepEqual(outline(parse("__proto__ = 1\nconstructor.x = 2\n")), ["__proto__ integer 1 1:13", "constructor.x integer 2 2:17"]);
});

Deno.test("an offset in a text has its place in the file, behind escapes and over lines", () => {
  const table = parse('a = "x\\u00e9\\U0001F600y"\nb = """\none\\\n   two\r\nthree"""\nc = \'\'\'\nraw\\n\'\'\'\n');
  const place = (key: string, offset: number) => {
    const node = table.entries.get(key)!.value;
    assert.ok(node.kind === "string");
    const { line, column } = node.place(offset);
    return `${node.text[offset] ?? "end"} ${line}:${column}`;
  };
  assert.equal(place("a", 0), "x 1:6");
  assert.equal(place("a", 1), "é 1:7");
  assert.equal(place("a", 4), "y 1:23");
  assert.equal(place("a", 5), "end 1:24");
  assert.equal(place("b", 0), "o 3:1");
  assert.equal(place("b", 3), "t 4:4");
  assert.equal(place("b", 8), "h 5:2");
  assert.equal(place("c", 0), "r 7:1");
  assert.equal(place("c", 4), "n 7:5");
});

Deno.test("columns count UTF-16 units, as editors do", () => {
  assert.deepEqual(outline(parse('a = { x = "😀", y = 1 }')), ["a.x string 😀 1:11", "a.y integer 1 1:21"]);
});

Deno.test("the place of every unescaped character of a random text shows that character", () => {
  const piece = fc.oneof(
    fc.constantFrom("\\n", "\\t", '\\"', "\\\\", "\\u00e9", "\\U0001F600"),
    fc.constantFrom("a", "b", " ", "é", "😀", "$", "{"),
  );
  const property = fc.property(fc.array(piece, { maxLength: 30 }), fc.boolean(), (pieces, isLong) => {
    const quote = isLong ? '"""' : '"';
    const written = `x = ${quote}${pieces.join(isLong ? "\n" : "")}${quote}`;
    const node = parse(written).entries.get("x")!.value;
    assert.ok(node.kind === "string");
    const lines = written.split("\n");
    for (let offset = 0; offset < node.text.length; offset++) {
      const { line, column } = node.place(offset);
      const found = lines[line - 1].slice(column - 1);
      const shown: string = node.text[offset];
      assert.ok(
        shown === "\n" ? found === "" || found.startsWith("\\n") : found.startsWith("\\") || found.includes(shown),
        `${offset} in ${written}`,
      );
      if (!found.startsWith("\\") && shown !== "\n") assert.equal(lines[line - 1][column - 1], shown);
    }
  });
  fc.assert(property, { seed: SEED, numRuns: 300 });
});

Deno.test("what fills the parser's stack is a fault", () => {
  const faults: string[] = [];
  assert.equal(parseToml("p.toml", "a = " + "[".repeat(200_000), ({ code }) => faults.push(code)), null);
  assert.deepEqual(faults, ["toml_syntax"]);
});
