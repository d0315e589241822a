/** The scope of the message snapshots. */
import { scopeOf } from "./support.ts";

export const MESSAGE_SCOPE = scopeOf({
  amount: "decimal(2)",
  rate: "decimal(4)",
  count: "int",
  score: "double",
  name: "string",
  note: "string?",
  done: "bool",
  at: "timestamp",
  day: "date",
  items: "list<int>",
  notes: "list<string?>",
  tags: "map<string, int>",
  customer: "struct{address: string, phone: string?}?",
  body: "json",
});
