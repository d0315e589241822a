/**
 * Input made from a schema, for a file that is not there. Some keys come far more often than others, times are not in order, some
 * records come twice and some are none. Invariant: the same seed, name and schema give the same text.
 */
import { SeededSequence } from "../../connectors/generate/seeded_sequence.ts";
import type { SchemaPlan } from "../../component/component.ts";
import { jsonText } from "../../data/json/mod.ts";
import type { Field, Type } from "../../data/types.ts";

/** Different values of a field that is not unique: small, so that groups and look-ups meet. */
const VALUES = 40;
const START_MICROS = 1_767_225_600_000_000; // 2026-01-01
const STEP_MICROS = 1_000_000;
/** A time is up to so much behind the one that it would have in order. */
const DISORDER_MICROS = 5_000_000;

export interface Wish {
  readonly seed: number;
  /** Of the node that reads them. */
  readonly name: string;
  readonly schema: SchemaPlan;
  readonly records: number;
  /** "table": each key once, and nothing that a decoder would refuse. */
  readonly kind: "stream" | "table";
}

export function madeText(wish: Wish, format: "csv" | "ndjson"): string {
  const { schema, kind, records } = wish;
  const sequence = new SeededSequence(wish.seed, `input of ${wish.name}`);
  const { fields } = schema.type;
  const unique = new Set([...schema.unique, ...(schema.id === null ? [] : [schema.id])]);
  const lines: string[] = [];
  for (let number = 1; lines.length < records; number++) {
    const texts = fields.map((field) => jsonText(field, valueOf(field, { number, isUnique: unique.has(field.name), sequence }), {}));
    const line = format === "csv"
      ? texts.map(csvField).join(",")
      : `{${texts.map((text, i) => `${JSON.stringify(fields[i].name)}:${text}`).join(",")}}`;
    const luck = kind === "table" ? 100 : sequence.below(100);
    // Two in a hundred are no record; three are an earlier one once more.
    if (luck < 2) lines.push(format === "csv" ? "not a record" : '{"not a record');
    else lines.push(luck < 5 && lines.length > 0 ? lines[Math.max(0, lines.length - 1 - sequence.below(50))] : line);
  }
  const header = format === "csv" ? [fields.map(({ name }) => csvField(JSON.stringify(name))).join(",")] : [];
  return [...header, ...lines].map((line) => `${line}\n`).join("");
}

interface Place {
  readonly number: number;
  readonly isUnique: boolean;
  readonly sequence: SeededSequence;
}

/** In the form of a column's value (data/types.ts). */
function valueOf({ name, type, oneOf }: Field, place: Place): unknown {
  const { sequence, number, isUnique } = place;
  if (type.nullable && sequence.below(10) === 0) return null;
  if (oneOf) return sequence.pick(oneOf);
  const some = isUnique ? number : skewed(sequence);
  if (type.kind === "string") return isUnique ? `${name}-${number}` : `${name}-${some}`;
  return plainValue(type, some, place);
}

function plainValue(type: Type, some: number, { sequence, number }: Place): unknown {
  switch (type.kind) {
    case "int":
      return some;
    case "decimal":
      return sequence.between(1, 500) * 10 ** type.scale + sequence.below(10 ** Math.min(type.scale, 6));
    case "double":
      return sequence.between(0, 100_000) / 8;
    case "bool":
      return sequence.below(2);
    case "timestamp":
      return START_MICROS + number * STEP_MICROS - sequence.below(DISORDER_MICROS / STEP_MICROS) * STEP_MICROS;
    case "date":
      return Math.floor(START_MICROS / 86_400_000_000) + sequence.below(365);
    case "duration":
      return sequence.between(1, 3600) * STEP_MICROS;
    case "list":
      return [];
    case "map":
      return new Map();
    case "struct":
      return Object.fromEntries(type.fields.map((field) => [field.name, valueOf(field, { sequence, number, isUnique: false })]));
    case "string":
      return `text-${some}`;
    case "json":
      return { number: some };
    case "null":
      return null;
  }
}

/** One of VALUES, half of the time one of the first few. */
function skewed(sequence: SeededSequence): number {
  return sequence.below(2) === 0 ? sequence.between(1, 3) : sequence.between(1, VALUES);
}

/** A JSON text as a CSV field: null is empty, a string stands without its JSON quotes. */
function csvField(json: string): string {
  if (json === "null") return "";
  const text = json.startsWith('"') ? JSON.parse(json) as string : json;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
