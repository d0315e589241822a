import assert from "node:assert/strict";
import { tryRecords } from "./json_fuzz.ts";

Deno.test("the compiled decoder agrees with the rules on 200 thousand records, whole and damaged, and knows which it could copy", () => {
  const { records, accepted, spelled } = tryRecords(200_000, 20_265);
  assert.ok(records >= 200_000 && accepted > records / 4 && accepted < records * 3 / 4, JSON.stringify({ records, accepted }));
  assert.ok(spelled > records / 50, JSON.stringify({ records, spelled }));
});
