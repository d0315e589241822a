/** Every kind of record that can be generated without end, by the name that sources take. */
import type { RecordGenerator } from "./record_sequence.ts";
import { trades } from "./trades/trade_sequence.ts";

export const recordGenerators: ReadonlyMap<string, RecordGenerator> = new Map([["trades", trades]]);
