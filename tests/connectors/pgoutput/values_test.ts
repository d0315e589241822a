/** Values as the server writes them, as JSON; places; rows that wait. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { arrayJson } from "../../../src/connectors/postgres/changes/array_json.ts";
import { ChangeQueue } from "../../../src/connectors/postgres/changes/change_queue.ts";
import { formatPlace, parsePlace } from "../../../src/connectors/postgres/changes/place.ts";
import { TableShape } from "../../../src/connectors/postgres/changes/table_shape.ts";
import { valueJson } from "../../../src/connectors/postgres/changes/value_json.ts";
import { writeText } from "../../../src/data/bytes.ts";
import { createWriter, writtenText } from "../../../src/data/bytes.ts";
import { INT } from "../../../src/data/types.ts";

const jsonOf = (field: Parameters<typeof valueJson>[0], column: string, text: string): string => {
  const writer = createWriter(1);
  const bytes = new TextEncoder().encode(`##${text}##`);
  valueJson(field, column)(bytes, 2, bytes.length - 2, writer);
  return writtenText(writer);
};

Deno.test("postgres values: any text is a JSON string that says the same", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()), (text) => {
      assert.equal(JSON.parse(jsonOf("string", "text", text)), text);
    }),
    { seed: 3, numRuns: 500 },
  );
});

Deno.test("postgres values: numbers keep their digits, what is none is a string; times get six decimals", () => {
  const cases = [
    ["decimal", "numeric", "90071992547409919007199254740991.10", "90071992547409919007199254740991.10"],
    ["decimal", "numeric", "NaN", '"NaN"'],
    ["double", "float8", "-Infinity", '"-Infinity"'],
    ["double", "float8", "1e-07", "1e-07"],
    ["bool", "bool", "t", "true"],
    ["bool", "int4", "0", "false"],
    ["bool", "int4", "2", "2"],
    ["timestamp", "timestamptz", "2025-01-02 03:04:05+00", '"2025-01-02 03:04:05.000000"'],
    ["timestamp", "timestamptz", "2025-01-02 03:04:05.12+00", '"2025-01-02 03:04:05.120000"'],
    ["timestamp", "timestamp", "2025-01-02 03:04:05.123456", '"2025-01-02 03:04:05.123456"'],
    ["timestamp", "timestamptz", "infinity", '"infinity.000000"'],
    ["string", "timestamptz", "2025-01-02 03:04:05+00", '"2025-01-02 03:04:05+00"'],
    ["json", "json", '{"a":\n\t1}', '{"a":  1}'],
    ["json", "text", "no json", '"no json"'],
  ] as const;
  for (const [field, column, text, json] of cases) assert.equal(jsonOf(field, column, text), json, `${column} ${text}`);
});

Deno.test("postgres values: arrays are lists, of any depth, and what is no array is refused as text", () => {
  const item = (text: string) => JSON.stringify(text);
  const cases = [
    ["{}", "[]"],
    ['{a,NULL,"NULL"}', '["a",null,"NULL"]'],
    ['{"a,b","c\\"d\\\\","{}"}', '["a,b","c\\"d\\\\","{}"]'],
    ["{{1,2},{3,4}}", '[["1","2"],["3","4"]]'],
    ["[0:1]={1,2}", '["1","2"]'],
    ["", '""'],
    ["{a", '"{a"'],
    ["{a}}", '"{a}}"'],
    ["a", '"a"'],
  ];
  for (const [text, json] of cases) assert.equal(arrayJson(text, item), json, text);
  fc.assert(fc.property(fc.array(fc.string()), (items) => {
    const text = `{${items.map((each) => `"${each.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`).join(",")}}`;
    assert.deepEqual(JSON.parse(arrayJson(text, item)), items);
  }));
  fc.assert(fc.property(fc.string(), (text) => void JSON.parse(arrayJson(`{${text}`, item))));
});

Deno.test("postgres places: what is written is read back, and is short", () => {
  const at = fc.oneof(
    fc.constant({ part: "start" as const }),
    fc.record({ part: fc.constant("copy" as const), byte: fc.maxSafeNat() }, { noNullPrototype: true }),
    fc.record({ part: fc.constant("log" as const), lsn: fc.maxSafeNat(), index: fc.maxSafeNat() }, { noNullPrototype: true }),
  );
  const server = fc.stringMatching(/^[0-9a-z]{0,24}$/);
  const place = fc.record({ server, read: fc.maxSafeNat(), endLsn: fc.option(fc.maxSafeNat()), at }, { noNullPrototype: true });
  fc.assert(fc.property(place, (each) => {
    const text = formatPlace(each);
    assert.ok(text.length <= 200);
    assert.deepEqual(parsePlace(text), each);
  }));
});

Deno.test("postgres changes that wait: every row is given out once, in order, however they are cut", () => {
  const type = { fields: [{ name: "id", type: INT }] };
  const shapes = [0, 1].map(() =>
    new TableShape({ table: "t", type, needed: new Set(["id"]), unknownFields: "ignore" }, [{ name: "id", type: "int4", isKey: true }])
  );
  const steps = fc.array(fc.record({ add: fc.nat(20), shape: fc.nat(1), take: fc.nat(15), numberEnd: fc.nat(300) }), { maxLength: 40 });
  fc.assert(fc.property(steps, (all) => {
    const queue = new ChangeQueue();
    const given: string[] = [];
    let added = 0;
    const take = (rowsMax: number, numberEnd: number): boolean => {
      const taken = queue.take({ rowsMax, bytesMax: 1 << 20, numberEnd, endLsn: Infinity, until: null });
      if (!taken) return false;
      const { records: { rows, bytes, start, end } } = taken;
      for (let row = 0; row < rows; row++) given.push(new TextDecoder().decode(bytes.subarray(start[row], end[row])));
      return true;
    };
    for (const step of all) {
      for (let n = 0; n < step.add; n++) {
        writeText(queue.writerFor(shapes[step.shape]), `{"id":${added}}\n`);
        queue.add({ lsn: 100 + Math.floor(added / 7), index: added % 7, number: added }, { isDeleted: false, untold: null });
        added++;
      }
      const before = given.length;
      if (step.take > 0) take(step.take, step.numberEnd);
      assert.ok(given.length <= Math.max(before, step.numberEnd), "rows of others come first");
    }
    while (take(1000, Infinity));
    assert.deepEqual(given, Array.from({ length: added }, (_, i) => `{"id":${i}}`));
    assert.deepEqual([queue.bytes, queue.first()], [0, null]);
    assert.equal(added === 0 || queue.has(100 + Math.floor((added - 1) / 7), (added - 1) % 7), true);
  }));
});
