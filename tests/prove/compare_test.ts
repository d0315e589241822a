/** The verdict on one sink, the paths of a proof, made input, and its deaths. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Delivered } from "../../src/component/component.ts";
import { expect, isExact, judge } from "../../src/app/prove/compare.ts";
import { deaths } from "../../src/app/prove/deaths.ts";
import { madeText } from "../../src/app/prove/made_records.ts";
import { originalPath, relocated } from "../../src/app/scratch_paths.ts";
import { jsonTable } from "../../src/connectors/json_table.ts";

const place = { pipeline: "p", sink: "s" };
const of = (rows: readonly (readonly string[])[], order: Delivered["order"] = "all"): Delivered => ({
  columns: ["key", "value"],
  rows,
  order,
});
const A = ["a", "1"];
const B = ["b", "2"];
const A2 = ["a", "3"];
const counts = (expected: Delivered, found: Delivered) => {
  const { lost, doubled, unexpected, reordered } = judge(place, expect(expected, expected), found);
  return { lost, doubled, unexpected, reordered };
};
const NONE = { lost: 0, doubled: 0, unexpected: 0, reordered: 0 };

Deno.test("lost, doubled and unexpected rows are told apart", () => {
  assert.deepEqual(counts(of([A, B]), of([A, B])), NONE);
  assert.deepEqual(counts(of([A, B]), of([A])), { ...NONE, lost: 1 });
  assert.deepEqual(counts(of([A, B]), of([A, B, B])), { ...NONE, doubled: 1 });
  assert.deepEqual(counts(of([A, B]), of([A, A2])), { ...NONE, lost: 1, unexpected: 1 });
  assert.deepEqual(counts(of([A, A, B]), of([A, B])), { ...NONE, lost: 1 }, "a row that should come twice came once");
  assert.deepEqual(counts(of([]), of([A])), { ...NONE, unexpected: 1 });
});

Deno.test("the order counts where there is one: of all rows, or of those of one key", () => {
  assert.equal(counts(of([A, B]), of([B, A])).reordered, 2);
  assert.equal(counts(of([A, B], { by: 0 }), of([B, A], { by: 0 })).reordered, 0);
  assert.equal(counts(of([A, B, A2], { by: 0 }), of([A2, A, B], { by: 0 })).reordered, 2);
  assert.equal(counts(of([A, A2], "none"), of([A2, A], "none")).reordered, 0);
});

Deno.test("an order on which undisturbed runs do not agree is none", () => {
  const expectation = expect(of([A, B]), of([B, A]));
  assert.equal(expectation.problem, "");
  assert.ok(isExact(judge(place, expectation, of([B, A]))));
});

Deno.test("a column that differs between undisturbed runs is left out, rows that do cannot be judged", () => {
  const expectation = expect(of([["a", "9:00"], ["b", "9:01"]]), of([["a", "9:02"], ["b", "9:03"]]));
  assert.deepEqual(expectation.leftOut, ["value"]);
  assert.ok(isExact(judge(place, expectation, of([["a", "9:07"], ["b", "9:07"]]))));
  assert.equal(judge(place, expectation, of([["a", "9:07"], ["c", "9:07"]])).lost, 1);
  assert.match(expect(of([A]), of([A, B])).problem, /1 rows and 2/);
  assert.notEqual(expect(of([A]), of([B])).problem, "", "with all columns left out nothing is judged");
});

Deno.test("a column that nobody expected makes rows others", () => {
  const wide: Delivered = { columns: ["key", "value", "more"], rows: [[...A, "x"]], order: "all" };
  assert.deepEqual(counts(of([A]), wide), { ...NONE, lost: 1, unexpected: 1 });
});

Deno.test("no path leads out of the folder, and each is found again", () => {
  const step = fc.constantFrom("..", ".", "", "a", "b", "_up");
  fc.assert(fc.property(fc.array(step, { maxLength: 8 }), fc.boolean(), (steps, isAbsolute) => {
    const path = (isAbsolute ? "/" : "") + steps.join("/");
    const taken = relocated("/scratch", path);
    assert.ok(taken.startsWith("/scratch/") && !taken.split("/").includes(".."), taken);
  }));
  for (const path of ["in/x.csv", "../x.csv", "/data/x.csv"]) assert.equal(originalPath("/s", relocated("/s", path)), path);
  assert.equal(relocated("/s", "a/./b/../c"), "/s/here/a/c");
  assert.equal(relocated("/s", "s3://bucket/x"), "s3://bucket/x");
  assert.equal(originalPath("/s", "/elsewhere/x"), null);
});

const SCHEMA = {
  name: "s",
  type: {
    fields: [
      { name: "id", type: { kind: "int", nullable: false } },
      { name: "kind", type: { kind: "string", nullable: true }, oneOf: ["x", "y,z"] },
      { name: "amount", type: { kind: "decimal", scale: 2, nullable: false } },
      { name: "ok", type: { kind: "bool", nullable: false } },
      { name: "at", type: { kind: "timestamp", nullable: false } },
    ],
  },
  id: "id",
  numericText: "reject",
  unknownFields: "reject",
  unique: [],
  require: [],
} as const;

Deno.test("made records follow the schema, with repeats and bad ones; a table has each key once", () => {
  const wish = { seed: 3, name: "in", schema: SCHEMA, records: 500, kind: "stream" } as const;
  const text = madeText(wish, "ndjson");
  assert.equal(text, madeText(wish, "ndjson"));
  assert.notEqual(text, madeText({ ...wish, seed: 4 }, "ndjson"));
  const lines = text.trimEnd().split("\n");
  assert.equal(lines.length, 500);
  const bad = lines.filter((line) => !line.endsWith("}"));
  assert.ok(bad.length > 0 && bad.length < 50);
  assert.ok(new Set(lines).size < lines.length - bad.length + 1, "some records come twice");
  const records = lines.filter((line) => line.endsWith("}")).map((line) => JSON.parse(line));
  assert.ok(records.some(({ at }, index) => index > 0 && at < records[index - 1].at), "times are not in order");
  for (const { kind, ok } of records) assert.ok((kind === null || kind === "x" || kind === "y,z") && typeof ok === "boolean");
  const table = madeText({ ...wish, kind: "table", records: 40 }, "csv").trimEnd().split("\n");
  assert.equal(table[0], "id,kind,amount,ok,at");
  assert.equal(new Set(table.slice(1).map((line) => line.split(",")[0])).size, 40);
  assert.ok(table.some((line) => line.includes('"y,z"')));
});

Deno.test("deaths follow from seed and round, and come at every step in time", () => {
  const some = (seed: number, round: number) => Array.from(deaths(seed, round, 8).take(200));
  assert.deepEqual(some(1, 0), some(1, 0));
  assert.notDeepEqual(some(1, 0), some(1, 1));
  assert.equal(new Set(some(1, 0).map(({ step }) => step)).size, 12);
  assert.ok(some(1, 0).every(({ step, isCounted }) => isCounted === (step !== "finishing" && step !== "published")));
});

Deno.test("JSON numbers are read back as they were written", () => {
  const { columns, rows } = jsonTable(['{"a":12.30,"b":{"c":90071992547409931}}', '{"d":[1e2,"x"],"a":null}', "raw"]);
  assert.deepEqual(columns, ["a", "b", "d", "value"]);
  assert.deepEqual(rows, [["12.30", '{"c":90071992547409931}', "", ""], ["null", "", '[1e2,"x"]', ""], ["", "", "", "raw"]]);
});
