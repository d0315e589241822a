/** Every example of the language's documentation, run. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type Type, withoutNull } from "../../src/data/types.ts";
import { convertNode } from "../../src/expr/conversions.ts";
import type { Node } from "../../src/expr/tree.ts";
import { FUNCTIONS } from "../../src/expr/functions/mod.ts";
import { check, checkedOf, run, scopeOf, typeOf } from "./support.ts";

const text = readFileSync(new URL("../../docs/expressions.md", import.meta.url), "utf8");
const blocks = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(([, language, body]) => ({
  language,
  lines: body.trim().split("\n"),
}));
const fields = blocks.find((block) => block.language === "fields")!.lines.map((line) => /^(\w+): (.+) = (.+)$/.exec(line)!);
const scope = scopeOf(Object.fromEntries(fields.map(([, name, type]) => [name, type])));
const values = Object.fromEntries(fields.map(([, name, type, value]) => [name, valueOf(value, typeOf(type))]));

/** The value that a text stands for, stored as `type`. */
function valueOf(written: string, type: Type): unknown {
  if (type.kind === "timestamp") return Date.parse(written) * 1000;
  const checked = checkedOf(written);
  const node = type.kind === "double"
    ? checkedOf(written, scopeOf({}), "double").tree as Node
    : convertNode(checked.tree as Node, withoutNull(type));
  assert.equal(node.op, "constant");
  return node.op === "constant" ? node.value : undefined;
}

for (const line of blocks.filter((block) => block.language === "cel").flatMap((block) => block.lines)) {
  const [source, wished] = line.split(/\s+-> /);
  Deno.test(`documentation: ${source}`, () => {
    if (wished.startsWith("error: ")) {
      assert.deepEqual(check(source, scope).faults.map((fault) => fault.message), [wished.slice("error: ".length)]);
      return;
    }
    const checked = checkedOf(source, scope);
    assert.deepEqual(run(source, scope, values), valueOf(wished, checked.type));
  });
}

Deno.test("every function of the language is in its documentation", () => {
  const missing = [...FUNCTIONS.keys()].filter((name) => !new RegExp(`\\b${name}\\b`).test(text));
  assert.deepEqual(missing, []);
});
