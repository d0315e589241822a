/** Timestamps as numbers since 1970: exact in and out, in both codecs, and never copied in another spelling. */
import { deepEqual, equal } from "node:assert/strict";
import { createWriter, writtenText } from "../../src/data/bytes.ts";
import { cell } from "../../src/data/columns.ts";
import { compileCsvDecoder, splitCsv } from "../../src/data/csv/mod.ts";
import { compileJsonDecoder, compileJsonEncoder, jsonText, splitLines } from "../../src/data/json/mod.ts";
import { makeMeta } from "../../src/data/columns.ts";
import type { Batch } from "../../src/data/batch.ts";
import { type Field, listOf, type RecordType, TIMESTAMP, withNull } from "../../src/data/types.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const type = (format: string): RecordType => ({ fields: [{ name: "at", type: TIMESTAMP, format }] });

function decode(format: string, values: readonly string[], numericText: "accept" | "reject" = "reject") {
  const text = bytes(values.map((value) => `{"at":${value}}\n`).join(""));
  const { records } = splitLines(text, 0, text.length, "end", 1000);
  const spec = { type: type(format), needed: new Set(["at"]), numericText, unknownFields: "ignore" } as const;
  const { columns, bad } = compileJsonDecoder(spec)(records);
  const reasons = new Map(bad.map(({ row, reason }) => [row, reason]));
  return values.map((_, row) => reasons.get(row) ?? cell(columns[0]!, TIMESTAMP, row));
}
function encode(format: string, micros: readonly number[], timestamps?: string): string {
  const values = Float64Array.from(micros);
  const batch: Batch = {
    rows: values.length,
    type: type(format),
    columns: [{ kind: "number", values, valid: null }],
    meta: makeMeta("s", 0, values),
  };
  const into = createWriter();
  const write = compileJsonEncoder(type(format), timestamps === undefined ? {} : { timestamps });
  for (let row = 0; row < values.length; row++) write(batch, row, into);
  return writtenText(into);
}

Deno.test("numbers since 1970 are read exactly to the microsecond, and refused beyond it", () => {
  deepEqual(decode("epoch_ms", ["1700000000000", "-1", "0.5", "1700000000000.001", "1.7e12", "1.0005", '"5"', "true", "9e15"]), [
    1_700_000_000_000_000,
    -1000,
    500,
    1_700_000_000_000_001,
    1_700_000_000_000_000,
    "scale:at",
    "type:at",
    "type:at",
    "range:at",
  ]);
  deepEqual(decode("epoch_s", ["1700000000", "1700000000.5"]), [1_700_000_000_000_000, 1_700_000_000_500_000]);
  deepEqual(decode("epoch_us", ["1700000000000001", "1.5"]), [1_700_000_000_000_001, "scale:at"]);
  deepEqual(decode("epoch_ms", ['"1700000000000"'], "accept"), [1_700_000_000_000_000]);
});

Deno.test("numbers since 1970 are written without quotes and without zeros that are not needed", () => {
  equal(encode("epoch_ms", [1_700_000_000_000_000, 1500, -1, 0]), '{"at":1700000000000}\n{"at":1.5}\n{"at":-0.001}\n{"at":0}\n');
  equal(encode("epoch_s", [1_700_000_000_500_000]), '{"at":1700000000.5}\n');
  equal(encode("yyyy", [1_000_000], "epoch_s"), '{"at":1}\n');
  const field: Field = { name: "at", type: TIMESTAMP, format: "epoch_ms" };
  equal(jsonText(field, 1500, {}), "1.5");
  equal(jsonText({ ...field, type: listOf(TIMESTAMP) }, [1000, 2000], {}), "[1,2]");
});

Deno.test("CSV reads them as text, null where it is empty", () => {
  const text = bytes("1700000000000,a\n,b\n1.25,c\nx,d\n");
  const { records } = splitCsv(text, 0, text.length, "end", 1000);
  const nullable: RecordType = { fields: [{ name: "at", type: withNull(TIMESTAMP), format: "epoch_ms" }] };
  const spec = { type: nullable, needed: new Set(["at"]), numericText: "accept", unknownFields: "ignore" } as const;
  const { columns, bad } = compileCsvDecoder(spec, ["at", "other"])(records);
  deepEqual(bad, [{ row: 3, reason: "type:at" }]);
  deepEqual([0, 1, 2].map((row) => cell(columns[0]!, nullable.fields[0].type, row)), [1_700_000_000_000_000, null, 1250]);
});

Deno.test("what is read at the border of exact numbers is exact or refused, on both paths", () => {
  const limit = Number.MAX_SAFE_INTEGER;
  const values = ["9007199254740.991", "9007199254740.992", "-9007199254740.991", "9999999999999.999", "9007199254741"];
  const wished = [limit, "range:at", -limit, "range:at", "range:at"];
  deepEqual(decode("epoch_ms", values), wished);
  const text = bytes(values.map((value) => `${value},x\n`).join(""));
  const { records } = splitCsv(text, 0, text.length, "end", 1000);
  const spec = { type: type("epoch_ms"), needed: new Set(["at"]), numericText: "accept", unknownFields: "ignore" } as const;
  const { columns, bad } = compileCsvDecoder(spec, ["at", "other"])(records);
  const reasons = new Map(bad.map(({ row, reason }) => [row, reason]));
  deepEqual(values.map((_, row) => reasons.get(row) ?? cell(columns[0]!, TIMESTAMP, row)), wished);
});
