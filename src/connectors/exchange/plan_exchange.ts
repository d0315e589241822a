/** What both ends of a topic between two stages have in common, whatever keeps the topic. */
import type { PlanContext } from "../../component/component.ts";
import type { ExchangeContext } from "../../component/exchange.ts";
import type { Encoder } from "../../data/codec.ts";
import type { RecordKey } from "../key_partitioner.ts";
import { compileRowExpression } from "../row_expressions.ts";
import type { RowMaker } from "../source_batch.ts";
import { exchangeEncoder } from "./exchange_encoder.ts";
import { exchangeForm } from "./exchange_form.ts";
import { exchangeRows } from "./exchange_rows.ts";

export interface ExchangeEnds {
  readonly key: RecordKey | null;
  /** Fields that the writing end reads. */
  readonly needs: ReadonlySet<string>;
  encoder(): Encoder;
  rows(): RowMaker;
}

/** null when faults were reported. */
export function planExchangeEnds(context: ExchangeContext): ExchangeEnds | null {
  const { type, carried, timed, name } = context;
  const key = context.key === null ? null : compileRowExpression(context.key, type, context as PlanContext);
  if (context.key !== null && key === null) return null;
  const form = exchangeForm(type, carried, timed);
  return {
    key: key && { expression: key, member: null },
    needs: new Set([...carried, ...key?.uses ?? []]),
    encoder: () => exchangeEncoder(form),
    rows: () => exchangeRows(form, name),
  };
}

/** What the schedule of the reading end rests on, for people. */
export const EXCHANGE_NOTE = "rows and marker of an epoch become visible together";
