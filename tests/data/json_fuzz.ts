/**
 * Records of every kind of damage, made from one number, and what must hold for them: the compiled JSON decoder gives what the rules
 * give one record at a time, and marks a record as spelled only where encoding it gives its bytes.
 *
 * The gate tries 200 thousand (json_fuzz_test.ts). The long run: `deno run -A tests/data/json_fuzz.ts 10000000 [SEED]`.
 */
import assert from "node:assert/strict";
import { createWriter } from "../../src/data/bytes.ts";
import type { Column } from "../../src/data/batch.ts";
import type { Decoded, Decoder, DecoderSpec, Records } from "../../src/data/codec.ts";
import { makeMeta } from "../../src/data/columns.ts";
import { asWritten } from "../../src/data/epoch_format.ts";
import { compileJsonDecoder, compileJsonEncoder } from "../../src/data/json/mod.ts";
import { compileSlowJson } from "../../src/data/json/slow.ts";
import { DECIMAL_NUMBERS, DECIMAL_STRINGS } from "../../src/data/json/spelling.ts";
import {
  BOOL,
  DATE,
  decimalOf,
  DOUBLE,
  type Field,
  INT,
  listOf,
  type RecordType,
  STRING,
  TIMESTAMP,
  withNull,
} from "../../src/data/types.ts";
import { EVERYTHING, slowDecoder, specOf, TRANSACTION } from "./support.ts";

const AUTHORISATION: RecordType = {
  fields: [
    { name: "transaction_id", type: STRING },
    { name: "card_id", type: STRING },
    { name: "amount", type: decimalOf(2) },
    { name: "merchant_zip", type: STRING },
    { name: "ts", type: INT },
    { name: "type", type: STRING, oneOf: ["purchase", "fee", "é"] },
  ],
};
const LOOSE: RecordType = {
  fields: [
    { name: "a", type: withNull(STRING) },
    { name: "größe", type: withNull(DOUBLE) },
    { name: "b", type: withNull(decimalOf(3)) },
    { name: "at", type: withNull(TIMESTAMP) },
    { name: "c", type: withNull(INT) },
  ],
};
/** Little else but numbers and times, so that their uncommon forms meet records that are otherwise copied. */
const NUMERIC: RecordType = {
  fields: [
    { name: "x", type: DOUBLE },
    { name: "d", type: decimalOf(2) },
    { name: "at", type: TIMESTAMP },
    { name: "ms", type: TIMESTAMP, format: "epoch_ms" },
    { name: "us", type: withNull(TIMESTAMP), format: "epoch_us" },
  ],
};

/** Structs of plain values, as JSON and as text that holds it. */
export const HELD: RecordType = {
  fields: [
    { name: "id", type: STRING },
    {
      name: "place",
      type: {
        kind: "struct",
        nullable: true,
        fields: [
          { name: "latitude", type: withNull(DOUBLE) },
          { name: "city", type: withNull(STRING) },
          { name: "größe", type: withNull(decimalOf(2)) },
          { name: "at", type: withNull(INT) },
        ],
      },
    },
    {
      name: "state",
      type: {
        kind: "struct",
        nullable: false,
        fields: [{ name: "open", type: BOOL }, { name: "n", type: INT }, { name: "s", type: STRING }],
      },
    },
    { name: "tags", type: withNull(listOf(STRING)) },
    { name: "born", type: withNull(DATE) },
  ],
};

/** A small generator of numbers in [0, 2^32): mulberry32. */
export class Dice {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  next(): number {
    this.#state = this.#state + 0x6d2b79f5 >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ t >>> 15, t | 1);
    t ^= t + Math.imul(t ^ t >>> 7, t | 61);
    return (t ^ t >>> 14) >>> 0;
  }
  below(sides: number): number {
    return this.next() % sides;
  }
  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)];
  }
}

const TEXTS = [
  "",
  "a",
  "4395 Brenda Lake, Queens, NY 10859",
  "bé",
  'c"d',
  "\\",
  "\u0000",
  "\u001f",
  "\u007f",
  "😀",
  "\ufeff",
  "{",
  "purchase",
  "u",
];
const NUMBERS =
  "0 -0 0.0 -0.00 7 12 -5 00 007 1. .5 - 1e2 12E-1 1.5 1.50 1.500 1.005 0.1 0.000001 0.0000001 0.00000012 007.50 012.34 100000000000000 999999999999999 1234567890123456 9007199254740991 9007199254740992 90071992547409.91 1e400 1.2.3 +1 123456789.123456 0x1"
    .split(" ");
const TIMES = (
  "2025-04-01T01:21:09Z 2025-04-01T01:21:09.5Z 2025-04-01T01:21:09.500Z 2025-04-01T01:21:09.123456Z 2025-04-01T01:21:09.1234567Z " +
  "2025-04-01T01:21:09.1234560Z 2025-04-01t01:21:09Z 2025-04-01T01:21:09+02:00 2025-02-29T00:00:00Z 2025-04-01T24:00:00Z 2300-01-01T00:00:00Z 2025-04-01 " +
  "2024-02-29 29.02.2024 10s 1h30m 60m"
).split(" ").concat("2025-04-01 01:21:09", "2025-03-30 02:30:00", "2025-04-01 01:21:0a");
const OTHERS = [
  "null",
  "true",
  "false",
  "tru",
  "nul",
  "[]",
  "{}",
  "[1.5,null]",
  '{"k":1}',
  '{"p":1,"q":"u"}',
  '{"p":1,"p":1}',
  "[[1]]",
  "",
  "\ufeff1",
];
const BLANKS = [" ", "\t", "\r\n", "  "];
const SIGNS = [34, 44, 58, 92, 123, 125, 91, 93, 48, 57, 32, 46, 45, 0, 10, 101, 117, 127, 0x80, 0xc3, 0xed, 0xff];
/** What lies between records, so that reading too far meets something that looks like a record. */
const GAPS = ["", "\n", "0", '"', '"}', '","card_id":"', "}0"];

function jsonString(text: string, dice: Dice): string {
  const json = JSON.stringify(text);
  if (text === "" || !dice.once(12)) return json;
  return `"${[...json.slice(1, -1)].map((c) => c !== "\\" && c.length === 1 && dice.once(3) ? escape(c) : c).join("")}"`.replace(
    /\\\\u/g,
    "\\u",
  );
}
const escape = (char: string): string => "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0");

function text(dice: Dice): string {
  if (dice.once(3)) return dice.pick(TEXTS);
  if (dice.once(200)) return "x".repeat(dice.below(5000)) + dice.pick(TEXTS);
  return "merchant 0123456789, place".slice(dice.below(9), dice.below(27)) + (dice.once(10) ? dice.pick(TEXTS) : "");
}
function number(dice: Dice, scale: number): string {
  if (dice.once(8)) return dice.pick(NUMBERS);
  const whole = dice.once(4) ? dice.next() * dice.below(100_000) : dice.below(10 ** (1 + dice.below(6)));
  const fraction = scale === 0 || dice.once(5) ? "" : "." + String(dice.below(10 ** scale)).padStart(scale, "0");
  return (dice.once(5) ? "-" : "") + whole + fraction;
}
function anyValue(dice: Dice): string {
  switch (dice.below(5)) {
    case 0:
      return number(dice, dice.below(4));
    case 1:
      return `"${number(dice, 2)}"`;
    case 2:
      return jsonString(text(dice), dice);
    case 3:
      return `"${dice.pick(TIMES)}"`;
    default:
      return dice.once(20) ? "[".repeat(dice.below(140)) + "]".repeat(dice.below(140)) : dice.pick(OTHERS);
  }
}
/** Mostly what the field takes. */
function value(field: Field, dice: Dice): string {
  const { type } = field;
  if (dice.once(60)) return anyValue(dice);
  if (type.nullable && dice.once(4)) return dice.once(4) ? '""' : "null";
  switch (type.kind) {
    case "string":
      return jsonString(field.oneOf && !dice.once(20) ? dice.pick(field.oneOf) : text(dice), dice);
    case "int":
    case "decimal":
    case "double": {
      const digits = number(dice, type.kind === "decimal" ? type.scale : type.kind === "double" ? 1 + dice.below(8) : 0);
      return dice.once(4) ? `"${digits}"` : digits;
    }
    case "bool":
      return dice.pick(["true", "false"]);
    case "timestamp":
    case "date":
      if (field.format?.startsWith("epoch")) {
        const time = field.format === "epoch_us" || dice.once(2)
          ? dice.pick(NUMBERS)
          : String(1_760_000_000_000 + dice.next()) + dice.pick(["", "", ".5", ".123", ".10"]);
        return dice.once(8) ? `"${time}"` : time;
      }
      if (field.format === undefined) return type.kind === "date" ? '"2024-02-29"' : `"${dice.pick(TIMES.slice(0, 8))}"`;
      return `"2025-04-${10 + dice.below(20)} 01:21:${10 + dice.below(50)}"`.slice(0, field.format.length + 1) + '"';
    case "duration":
      return dice.pick(['"10s"', '"1h30m"']);
    case "list":
      return inText(
        type.item.kind === "string" ? dice.pick(["[]", '["a","b"]', '["\\u00e9"]', "[1]"]) : dice.pick(["[]", "[1.5,null]", "[ 1 ]"]),
        dice,
      );
    case "map":
      return inText(dice.pick(["{}", '{"k":1}']), dice);
    case "struct":
      return inText(struct(type.fields, dice), dice);
    default:
      return anyValue(dice);
  }
}
/** Sometimes as text that holds it, whole or damaged. */
function inText(json: string, dice: Dice): string {
  if (!dice.once(2)) return json;
  const damagedText = dice.once(20) ? new TextDecoder().decode(damaged(encoder.encode(json), dice)) : json;
  return dice.once(50) ? '""' : JSON.stringify(damagedText);
}
function struct(fields: readonly Field[], dice: Dice): string {
  const members = fields.flatMap((field): string[] =>
    field.type.nullable && dice.once(5) ? [] : [`${JSON.stringify(field.name)}${dice.pick([":", ": "])}${value(field, dice)}`]
  );
  if (dice.once(4)) members.splice(dice.below(members.length + 1), 0, `"more": ${anyValue(dice)}`);
  if (dice.once(30)) members.push(dice.pick(members) ?? '"x":1');
  if (dice.once(6)) members.reverse();
  if (dice.once(40)) members.splice(dice.below(members.length), 1);
  return `{${members.join(dice.pick([",", ", ", " ,\n"]))}}`;
}

/** How the records of one batch are written, as one producer would. */
export interface Style {
  readonly fields: readonly Field[];
  readonly comma: string;
  readonly colon: string;
  readonly isTidy: boolean;
  /** The name of a field that half of the records lack. */
  readonly lacking: string | null;
}
export function style(type: RecordType, dice: Dice): Style {
  const fields = [...type.fields];
  if (dice.once(3)) shuffle(fields, dice);
  const spaced = dice.once(4);
  const lacking = dice.once(4) ? dice.pick(fields).name : null;
  return { fields, comma: spaced ? ", " : ",", colon: spaced ? ": " : ":", isTidy: dice.once(2), lacking };
}
function shuffle(items: unknown[], dice: Dice): void {
  for (let i = items.length - 1; i > 0; i--) {
    const other = dice.below(i + 1);
    [items[i], items[other]] = [items[other], items[i]];
  }
}
const encoder = new TextEncoder();

export function record({ fields, comma, colon, isTidy, lacking }: Style, dice: Dice): Uint8Array {
  const left = lacking !== null && dice.once(2) ? fields.filter(({ name }) => name !== lacking) : fields;
  const members = left.flatMap((field): [string, string][] =>
    field.type.nullable && dice.once(isTidy ? 50 : 6) ? [] : [[JSON.stringify(field.name), value(field, dice)]]
  );
  if (!isTidy) {
    if (dice.once(9)) members.splice(dice.below(members.length + 1), 0, ['"unknown"', anyValue(dice)]);
    if (dice.once(40)) members.push(dice.pick(members) ?? ['"x"', "1"]);
    if (dice.once(40) && members.length > 1) members.push(members.shift()!);
    if (dice.once(60)) members.splice(dice.below(members.length), 1);
    if (dice.once(60) && members.length > 0) members[0][0] = `"${escape(members[0][0].charAt(1))}${members[0][0].slice(2)}`;
  }
  let json = `{${members.map(([key, json]) => key + colon + json).join(comma)}}`;
  if (!isTidy && dice.once(20)) json = json.replaceAll(dice.pick([":", ",", "}", "{"]), (sign) => sign + dice.pick(BLANKS));
  if (dice.once(200)) json = "\ufeff" + json;
  const bytes = encoder.encode(json);
  return !isTidy && dice.once(3) ? damaged(bytes, dice) : bytes;
}
export function damaged(bytes: Uint8Array, dice: Dice): Uint8Array {
  const at = dice.below(bytes.length);
  switch (dice.below(5)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return bytes.with(at, dice.once(2) ? dice.pick(SIGNS) : dice.below(256));
    case 2:
      return Uint8Array.from([...bytes.subarray(0, at), dice.pick(SIGNS), ...bytes.subarray(at)]);
    case 3:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1 + dice.below(4))]);
    default:
      return bytes.with(at, bytes[at] ^ 1 << dice.below(8));
  }
}

const BATCH_RECORDS = 256;

function batch(type: RecordType, dice: Dice): Records {
  const written = style(type, dice);
  const gap = encoder.encode(dice.pick(GAPS));
  const parts = Array.from({ length: BATCH_RECORDS }, () => record(written, dice));
  const room = dice.pick([0, 1, 5, 4000]);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length + gap.length, 3 + room)).fill(dice.pick(SIGNS));
  const start = new Int32Array(parts.length);
  const end = new Int32Array(parts.length);
  let at = 3;
  for (const [i, part] of parts.entries()) {
    bytes.set(gap, at);
    at += gap.length;
    start[i] = at;
    bytes.set(part, at);
    end[i] = at += part.length;
  }
  return { bytes, start, end, rows: parts.length };
}

/** One schema with its compiled decoder, which keeps learning while it is tried. */
export class Subject {
  readonly #spec: DecoderSpec;
  readonly #fast: Decoder;
  readonly #slow: Decoder;
  readonly #encoders: readonly { readonly form: number; readonly encode: ReturnType<typeof compileJsonEncoder> }[];
  records = 0;
  accepted = 0;
  spelled = 0;

  constructor(spec: DecoderSpec) {
    this.#spec = spec;
    this.#fast = compileJsonDecoder(spec);
    this.#slow = slowDecoder(spec, compileSlowJson({ ...spec, type: asWritten(spec.type) }));
    const isWhole = spec.needed.size === spec.type.fields.length;
    this.#encoders = !isWhole ? [] : ([[DECIMAL_NUMBERS, "number"], [DECIMAL_STRINGS, "string"]] as const).map(([form, decimals]) => ({
      form,
      encode: compileJsonEncoder(spec.type, { decimals }),
    }));
  }

  /** Tries one batch made from the dice. */
  tryBatch(dice: Dice): void {
    const records = batch(this.#spec.type, dice);
    const fast = this.#fast(records);
    const slow = this.#slow(records);
    assert.deepEqual(fast.bad, slow.bad);
    const good = new Uint8Array(records.rows).fill(1);
    for (const { row } of fast.bad) good[row] = 0;
    for (const [i, column] of fast.columns.entries()) sameColumn(column, slow.columns[i], good);
    this.records += records.rows;
    this.accepted += records.rows - fast.bad.length;
    this.#checkSpelling(records, fast, good);
  }

  #checkSpelling(records: Records, { columns, spelled }: Decoded, good: Uint8Array): void {
    if (spelled === null) return;
    const meta = makeMeta("fuzz", 0, new Float64Array(records.rows));
    const made = { rows: records.rows, type: this.#spec.type, columns, meta };
    const writer = createWriter(1024);
    for (let row = 0; row < records.rows; row++) {
      if (spelled[row] === 0) continue;
      assert.equal(good[row], 1, "a refused record spells nothing");
      this.spelled++;
      for (const { form, encode } of this.#encoders) {
        if ((spelled[row] & form) === 0) continue;
        writer.length = 0;
        encode(made, row, writer);
        const line = writer.bytes.subarray(0, writer.length - 1);
        if (!sameBytes(line, records.bytes.subarray(records.start[row], records.end[row]))) {
          assert.equal(textOf(line), textOf(records.bytes.subarray(records.start[row], records.end[row])));
        }
      }
    }
  }
}

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
/** Compares the values of the good rows. */
export function sameColumn(a: Column | null, b: Column | null, good: Uint8Array): void {
  if (a === null || b === null) return assert.equal(a, b);
  for (let row = 0; row < good.length; row++) {
    if (good[row] === 0) continue;
    if (a.kind === "value" && b.kind === "value") {
      if (a.values[row] !== b.values[row]) assert.deepEqual(a.values[row], b.values[row]);
      continue;
    }
    assert.ok(a.kind === b.kind && a.kind !== "value" && b.kind !== "value");
    const isNull = (column: typeof a): boolean => column.valid !== null && column.valid[row] === 0;
    if (isNull(a) !== isNull(b)) assert.fail(`row ${row}: null on one side`);
    if (isNull(a)) continue;
    if (a.kind === "number" && b.kind === "number") {
      if (!Object.is(a.values[row], b.values[row])) assert.fail(`row ${row}: ${a.values[row]} and ${b.values[row]}`);
    } else if (a.kind === "text" && b.kind === "text") {
      const left = a.bytes.subarray(a.start[row], a.end[row]);
      const right = b.bytes.subarray(b.start[row], b.end[row]);
      if (!sameBytes(left, right)) assert.equal(textOf(left), textOf(right));
    }
  }
}

/** The schemas that are tried, in turns. */
export function subjects(): Subject[] {
  const all = [AUTHORISATION, TRANSACTION, LOOSE, NUMERIC, HELD, EVERYTHING];
  return [
    ...all.map((type) => new Subject(specOf(type))),
    new Subject(specOf(AUTHORISATION, { needed: new Set(["card_id", "amount"]) })),
    new Subject(specOf(AUTHORISATION, { numericText: "reject", unknownFields: "reject" })),
    new Subject(specOf(LOOSE, { needed: new Set(["b"]), unknownFields: "reject" })),
    new Subject(specOf(TRANSACTION, { numericText: "reject" })),
  ];
}

/** Tries at least so many records; throws at the first difference. */
export function tryRecords(
  wished: number,
  seed: number,
  tell: (records: number) => void = () => {},
): Record<"records" | "accepted" | "spelled", number> {
  const dice = new Dice(seed);
  const tried = subjects();
  const sum = (of: "records" | "accepted" | "spelled"): number => tried.reduce((total, subject) => total + subject[of], 0);
  for (let round = 0; round * BATCH_RECORDS < wished; round++) {
    // From time to time decoders that have learned nothing yet.
    if (round % 4000 === 3999) {
      subjects().forEach((fresh, i) =>
        tried[i] = Object.assign(fresh, { records: tried[i].records, accepted: tried[i].accepted, spelled: tried[i].spelled })
      );
    }
    tried[round % tried.length].tryBatch(dice);
    if (round % 4000 === 0) tell(sum("records"));
  }
  return { records: sum("records"), accepted: sum("accepted"), spelled: sum("spelled") };
}

if (import.meta.main) {
  const started = performance.now();
  const seed = Number(Deno.args[1] ?? 5);
  const counts = tryRecords(Number(Deno.args[0] ?? 1_000_000), seed, (records) => console.log(`${records} records`));
  console.log(JSON.stringify({ seed, ...counts, seconds: Math.round((performance.now() - started) / 1000) }));
}
