/** The names of stored tables and columns are read back to the names and types that they were made of. */
import assert from "node:assert/strict";
import { readColumnName, readTableName, readType } from "../../src/app/state/stored_name.ts";
import { type Type, typeText } from "../../src/data/types.ts";
import { keyedName, typedName } from "../../src/transforms/support/keys.ts";

const plain = (kind: "int" | "string" | "timestamp" | "json", nullable = false): Type => ({ kind, nullable });
const money: Type = { kind: "decimal", scale: 2, nullable: false };
const nested: Type = {
  kind: "list",
  nullable: true,
  item: {
    kind: "struct",
    nullable: false,
    fields: [{ name: "at", type: plain("timestamp", true) }, {
      name: "by",
      type: { kind: "map", key: plain("string"), value: money, nullable: false },
    }],
  },
};

Deno.test("every type is read back from its text", () => {
  for (const type of [plain("int"), plain("json", true), money, { ...money, nullable: true }, nested]) {
    assert.deepEqual(readType(typeText(type)), type);
  }
  assert.equal(readType("struct{at: nothing}"), null);
});

Deno.test("a column's name tells what it is called and its type; an aggregate's, what it holds", () => {
  assert.deepEqual(readColumnName(typedName("pending", nested)), { name: "pending", type: nested });
  assert.deepEqual(readColumnName(`field ${typedName("id", plain("string"))}`), { name: "id", type: plain("string") });
  assert.deepEqual(readColumnName(`total: ${keyedName("sum", [money])}`), { name: "total", type: money });
  assert.deepEqual(readColumnName(`mean: ${keyedName("avg", [money])}.sum`), { name: "mean.sum", type: money });
  assert.equal(readColumnName(`mean: ${keyedName("avg", [money])}.count`).type!.kind, "int");
  assert.deepEqual(readColumnName(`newest: ${keyedName("last_by", [money, plain("timestamp")])}.by`), {
    name: "newest.by",
    type: plain("timestamp"),
  });
  assert.deepEqual(readColumnName("arrived"), { name: "arrived", type: null });
  assert.deepEqual(readColumnName("shops: values"), { name: "shops: values", type: null });
});

Deno.test("a table's name tells its key's types, behind the operator's name", () => {
  const key = [plain("string"), money];
  assert.deepEqual(readTableName(`by.day.${keyedName("tumbling groups", key)}`, "by.day"), { name: "tumbling groups", key });
  assert.deepEqual(readTableName(`spent.${typedName("shops", plain("int"))}`, "spent"), { name: "shops", key: [plain("int")] });
  assert.deepEqual(readTableName("join.held", "join"), { name: "held", key: [] });
});
