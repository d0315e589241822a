import { equal } from "node:assert/strict";
import { map } from "../../src/transforms/map.ts";
import { lines, run, table } from "./support.ts";

const orders = table(`
  id int | amount decimal(2) | status string | note string?
  1 | 5.00 | pending | null
  2 | 7.25 | declined | late
`);

Deno.test("set replaces a field in its place and appends a new one", () => {
  const out = run(map, { inputs: [orders], settings: { set: { status: "status == 'pending' ? 'approved' : status", twice: "amount * 2" } } });
  equal(out.text, lines(`
    1 | 5.00 | approved | null | 10.00
    2 | 7.25 | declined | late | 14.50
  `));
});
