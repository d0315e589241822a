import assert from "node:assert/strict";
import type { DecoderSpec } from "../../src/data/codec.ts";
import { compileFastCsv } from "../../src/data/csv/fast.ts";
import { DecodedColumns } from "../../src/data/decoded_columns.ts";
import { compileFastJson } from "../../src/data/json/fast.ts";
import { compactLayout, type Layout, layoutOf } from "../../src/data/json/layout.ts";
import { compileTemplate } from "../../src/data/json/template.ts";
import { CompiledLayouts } from "../../src/data/json/compiled_layouts.ts";
import { ShortTexts } from "../../src/data/json/short_texts.ts";
import { compileStructTemplate } from "../../src/data/json/struct_template.ts";
import { DATE, decimalOf, DOUBLE, STRING, TIMESTAMP, type Type, withNull } from "../../src/data/types.ts";
import { viewOf } from "../../src/data/words.ts";
import { EVERYTHING, fieldsOf, recordsOf, specOf, TRANSACTION } from "./support.ts";

const names = (spec: DecoderSpec) => spec.type.fields.map((field) => field.name);
/** Whether the generated code alone reads the record. */
function staysFast(spec: DecoderSpec, format: "json" | "csv", text: string): boolean {
  const fast = format === "json" ? compileFastJson(spec, names(spec)) : compileFastCsv(spec, names(spec))!;
  return fast(new DecodedColumns(spec, recordsOf([text])), 0, 1) === 1;
}

Deno.test("everyday records never leave the generated code", () => {
  const spec = specOf(TRANSACTION);
  const json =
    '{"transaction_id":1,"card_id":26,"merchant_name":"Barrett","timestamp":"2025-04-01 01:21:09","amount":-131.7,"location":"1 A","transaction_type":"refund","related_transaction_id":null}';
  const everyday = [
    json,
    json.replaceAll(":", ": ").replaceAll("01: 21: 09", "01:21:09").replaceAll(',"', ', "'),
    json.replace("-131.7", '"131.70"').replace("26", '"26"').replace("null", '""'),
    json.replace("Barrett", 'Müller \\"&\\u00e9\\ud83d\\ude00'),
    json.replace(',"related_transaction_id":null', ""),
  ];
  for (const text of everyday) assert.ok(staysFast(spec, "json", text), text);
  assert.ok(!staysFast(spec, "json", json.replace("-131.7", "1e2")));
  const csv = '1,26,Barrett,2025-04-01 01:21:09,-131.7,"1 A, ""B""",refund,';
  for (const text of [csv, csv + "7", csv.replace("26", '"26"'), csv.replace("Barrett", "Müller")]) {
    assert.ok(staysFast(spec, "csv", text), text);
  }
  assert.ok(!staysFast(spec, "csv", csv.replace("-131.7", "131.700")));
});

/** Whether the code for one layout alone reads the record, which stands away from the end of the buffer. */
function fitsTemplate(spec: DecoderSpec, layout: Layout, text: string): boolean {
  const columns = new DecodedColumns(spec, recordsOf([text, " ".repeat(2000)]), new Uint8Array(2));
  return compileTemplate(spec, layout)(columns, 0, 1) === 1;
}
function learned(text: string): Layout | null {
  const bytes = new TextEncoder().encode(text + '"');
  return layoutOf(bytes, 0, bytes.length - 1);
}

Deno.test("a template reads records of its layout alone, whatever their values, and no others", () => {
  const spec = specOf(TRANSACTION);
  const json =
    '{"transaction_id":1,"card_id":26,"merchant_name":"Barrett","timestamp":"2025-04-01 01:21:09","amount":-131.7,"location":"1 A","transaction_type":"refund","related_transaction_id":null}';
  const everyday = [
    json,
    json.replace("-131.7", '"131.70"').replace("26", '"26"').replace("null", '""'),
    json.replace("Barrett", 'Müller \\"&\\u00e9\\ud83d\\ude00').replace("null", "-12345678901234"),
    json.replace(',"related_transaction_id":null', ""),
  ];
  const compact = compactLayout(names(spec));
  for (const text of everyday) assert.ok(fitsTemplate(spec, compact, text), text);
  assert.deepEqual(learned(json), compact);
  const spaced = json.replaceAll('":', '": ').replaceAll(',"', ', "');
  const pretty = "{\n  " + spaced.slice(1, -1).replaceAll(', "', ',\n  "') + "\n}";
  const turned = `{"unknown":{"a":[1]},${json.slice(1).replace('"transaction_id":1,', "").replace("}", ',"transaction_id":1}')}`;
  for (const text of [spaced, pretty, turned]) {
    assert.ok(!fitsTemplate(spec, compact, text), text);
    const layout = learned(text);
    assert.ok(layout !== null && fitsTemplate(spec, layout, text), text);
    assert.ok(!fitsTemplate(spec, layout, json), text);
  }
  assert.equal(learned('{"\\u0061":1}'), null);
});

Deno.test("a wide row of change data capture never leaves its template, nor does the JSON in its text", () => {
  const place: Type = {
    kind: "struct",
    nullable: true,
    fields: [{ name: "city", type: withNull(STRING) }, { name: "x", type: withNull(DOUBLE) }],
  };
  const fields = fieldsOf({ id: STRING, amount: decimalOf(2), rate: withNull(decimalOf(6)), born: withNull(DATE), at: TIMESTAMP, place });
  const { spec } = CompiledLayouts.of(specOf(fields, { changes: { deletes: "drop", key: null } }));
  const row = {
    id: "a",
    unread: "x",
    amount: "84.10",
    rate: null,
    none: null,
    count: 7,
    born: 7300,
    at: "2025-01-16T11:23:45.123456Z",
    place: '{"city": "Lima", "x": -1.5}',
    tags: '["a", "b"]',
    object: { a: [1, { b: "c" }] },
    __deleted: "false",
  };
  const layout = learned(JSON.stringify(row))!;
  const everyday = [
    row,
    { ...row, amount: 84.1, rate: "0.5", born: null, tags: "[]", place: null, __deleted: true },
    { ...row, born: "1989-12-27", place: { city: "Köln", x: 2 }, unread: 'é "quoted" \\ ', none: '{"a":"\\u00e9"}', __deleted: false },
    { ...row, place: "", __deleted: null },
  ];
  for (const each of everyday) assert.ok(fitsTemplate(spec, layout, JSON.stringify(each)), JSON.stringify(each));
  // The code that is lenient about blanks and missing members reads them too.
  const lenient = compileFastJson(spec, layout.keys);
  const loose = JSON.stringify({ ...row, rate: undefined, none: undefined, tags: undefined }).replaceAll('":', '": ');
  assert.equal(lenient(new DecodedColumns(spec, recordsOf([loose])), 0, 1), 1);
  for (const each of [{ ...row, amount: "8,4" }, { ...row, place: "Lima" }, { ...row, __deleted: "maybe" }, { ...row, born: 3e6 }]) {
    assert.ok(!fitsTemplate(spec, layout, JSON.stringify(each)), JSON.stringify(each));
  }
  const texts = new ShortTexts();
  const struct = learned(row.place)!;
  const holds = (form: "object" | "text", json: string): boolean => {
    const { bytes } = recordsOf([json, " ".repeat(400)]);
    const into: unknown[] = [];
    const end = compileStructTemplate(place.fields, struct, form, texts)(bytes, viewOf(bytes), 1, json.length + 1, into, 0);
    if (end === json.length + 1) assert.deepEqual(into[0], form === "text" ? JSON.parse(JSON.parse(json)) : JSON.parse(json));
    return end === json.length + 1;
  };
  assert.ok(holds("object", row.place) && holds("text", JSON.stringify(row.place)));
  assert.ok(holds("text", JSON.stringify('{"city": null, "x": 0.25}')));
  assert.ok(!holds("text", JSON.stringify('{"x": 1, "city": "Lima"}')) && !holds("text", JSON.stringify('{"city": "a\\"b", "x": 1}')));
});

Deno.test("every type has generated code", () => {
  const values = [
    "1",
    "null",
    "2",
    "3.5",
    "null",
    "0.25",
    "null",
    '"é"',
    "null",
    '"bé"',
    '"b"',
    "true",
    "null",
    '"2025-04-01T01:21:09Z"',
    '"2025-04-01 01:21:09"',
    '"2025-04-01"',
    "null",
    '"10s"',
    "[1.5]",
    '{"k":1}',
    '{"p":1}',
    "[1]",
  ];
  const spec = specOf(EVERYTHING);
  assert.ok(staysFast(spec, "json", `{${names(spec).map((name, i) => `"${name}":${values[i]}`).join(",")}}`));
  const fields = values.map((value) => value === "null" ? "" : value.replace(/^"(.*)"$/, "$1")).map((text) =>
    /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  );
  assert.ok(staysFast(spec, "csv", fields.join(",")));
});

Deno.test("a batch that fills its buffer to the last byte is read like any other", () => {
  const spec = specOf(TRANSACTION, { needed: new Set(["merchant_name", "related_transaction_id"]) });
  const bytes = new TextEncoder().encode("xx1,26,Barrett,2025-04-01 01:21:09,1,A,refund,7").subarray(2);
  const columns = new DecodedColumns(spec, { bytes, start: Int32Array.of(0), end: Int32Array.of(bytes.length), rows: 1 });
  assert.equal(compileFastCsv(spec, names(spec))!(columns, 0, 1), 1);
  const { columns: read } = columns.finish([]);
  assert.deepEqual(
    read.map((column) => column === null ? null : column.kind === "text" ? column.at(0) : column.kind === "number" && column.values[0]),
    [
      null,
      null,
      "Barrett",
      null,
      null,
      null,
      null,
      7,
    ],
  );
});
