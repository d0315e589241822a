/** Every kind of record that can be generated without end, by the name that sources take. */
import { banking } from "./banking/payment_sequence.ts";
import { fintech } from "./fintech/fintech.ts";
import type { RecordGenerator } from "./record_sequence.ts";
import { trades } from "./trades/trade_sequence.ts";

export const recordGenerators: ReadonlyMap<string, RecordGenerator> = new Map([["banking", banking], ["fintech", fintech], [
  "trades",
  trades,
]]);
