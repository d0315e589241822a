/** What both ends of a topic between two stages have in common, whatever keeps the topic. */
import type { ExchangeContext } from "../../component/exchange.ts";
import type { RecordsEncoder } from "../../data/codec.ts";
import { cell } from "../../data/columns.ts";
import { assert } from "../../data/fault.ts";
import { type RecordType, STRING } from "../../data/types.ts";
import type { RecordKey } from "../row_keys.ts";
import { compileRowExpression, type RowExpression } from "../row_expressions.ts";
import type { RowMaker } from "../source_batch.ts";
import { checkTopicName } from "../topic_name.ts";
import { exchangeEncoder } from "./exchange_encoder.ts";
import { exchangeForm } from "./exchange_form.ts";
import { exchangeRows } from "./exchange_rows.ts";

export interface ExchangeEnds {
  readonly key: RecordKey | null;
  /** Fields that the writing end reads. */
  readonly needs: ReadonlySet<string>;
  encoder(): RecordsEncoder;
  rows(): RowMaker;
}

/** null when faults were reported. */
export function planExchangeEnds(context: ExchangeContext): ExchangeEnds | null {
  const { type, carried, timed, name, topic } = context;
  const key = context.key === null
    ? null
    : "cel" in context.key
    ? compileRowExpression(context.key, type, context)
    : keyOfFields(context.key, type);
  const isNamed = checkTopicName(topic, context.wished, context);
  if (!isNamed || context.key !== null && key === null) return null;
  const form = exchangeForm(type, carried, timed);
  return {
    key: key && { expression: key, member: null },
    needs: new Set([...carried, ...key?.uses ?? []]),
    encoder: () => exchangeEncoder(form),
    rows: () => exchangeRows(form, name),
  };
}

/** One field's own value, or the text of several: equal only where all of them are. */
function keyOfFields(names: readonly string[], type: RecordType): RowExpression {
  const indexes = names.map((name) => type.fields.findIndex((field) => field.name === name));
  assert(indexes.every((index) => index >= 0), "a key is made of fields that are there");
  const uses = new Set(names);
  const [first] = indexes;
  const isPlain = indexes.length === 1 && ["string", "int", "decimal"].includes(type.fields[first].type.kind);
  return {
    type: isPlain ? type.fields[first].type : STRING,
    field: isPlain ? first : null,
    uses,
    over: ({ columns }) => {
      const read = indexes.map((index) => ({ column: columns[index]!, type: type.fields[index].type }));
      if (isPlain) return (row) => cell(read[0].column, read[0].type, row);
      return (row) => JSON.stringify(read.map(({ column, type }) => cell(column, type, row)));
    },
  };
}

/** What the schedule of the reading end rests on, for people. */
export const EXCHANGE_NOTE = "rows and marker of an epoch become visible together";
