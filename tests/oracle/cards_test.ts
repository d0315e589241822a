/** The oracle against the published results and the vectors of the specification. */
import assert from "node:assert/strict";
import { COLUMNS, oracle } from "./cards.ts";
import { csvCells, readCsv } from "./text.ts";
import { PROFILES, type Switches } from "./switches.ts";
import { assertSameAsPublished, publishedCase } from "../golden/published.ts";

const published = await publishedCase();

function run(switches: Switches) {
  const { input } = published!;
  return oracle({ customers: readCsv(input.customers), cards: readCsv(input.cards), transactions: readCsv(input.transactions) }, switches);
}

for (const profile of ["strict-zip", "refund-aware"] as const) {
  Deno.test({
    name: `oracle ${profile}: every published row of cards-22 is reproduced`,
    ignore: published === null,
    fn: () => {
      const result = run(PROFILES[profile]);
      const rows = {
        stream_transactions: [[...COLUMNS.stream], ...result.stream],
        batch_transactions: [[...COLUMNS.stream], ...result.batch],
        cards_updated: [[...COLUMNS.cards], ...result.cards],
        customers_updated: [[...COLUMNS.customers], ...result.customers],
      };
      const compared = Object.entries(rows).map(([name, actual]) =>
        assertSameAsPublished(name, actual, csvCells(published!.expected[name as keyof typeof rows]))
      );
      assert.deepEqual(compared, [400, 400, 54, 30]);
      const reasons = Object.groupBy(result.reasons, (reason) => reason);
      assert.deepEqual(Object.fromEntries(Object.entries(reasons).map(([reason, all]) => [reason, all!.length])), {
        "": 360,
        half: 5,
        zip: 32,
        limit: 3,
      });
      assert.deepEqual(result.totals, { opening: 2227117n, approved: 7389487n, closing: 9616604n });
      assert.deepEqual(result.rejects, []);
    },
  });
}

Deno.test({
  name: "oracle posting twice: the specification's vectors",
  ignore: published === null,
  fn: () => {
    const before = readCsv(published!.input.customers).map((r) => "fields" in r ? Number(r.fields.get("credit_score")) : NaN);
    const limitsBefore = readCsv(published!.input.cards).map((r) => "fields" in r ? Number(r.fields.get("credit_limit")) : NaN);
    const result = run({ ...PROFILES["refund-aware"], posting: "twice" });
    assert.equal(result.totals.closing, 17006091n);
    const changes = result.customers.map((row, index) => Number(row[5]) - before[index]);
    const count = (change: number) => changes.filter((c) => c === change).length;
    assert.deepEqual([15, 10, 5, 0, -5, -15, -25].map(count), [7, 7, 5, 1, 5, 1, 4]);
    assert.equal(changes[15], 0);
    assert.equal(result.customers.reduce((sum, row) => sum + Number(row[5]), 0), 21526);
    assert.equal(result.cards.reduce((sum, row) => sum + Number(row[5]), 0), 1089300);
    const changed = result.cards.filter((row, index) => Number(row[5]) !== limitsBefore[index]).map((row) => [row[0], row[5]]);
    assert.deepEqual(changed, [
      ["6", "16000.00"],
      ["17", "4600.00"],
      ["27", "4200.00"],
      ["28", "28300.00"],
      ["29", "7100.00"],
      ["32", "19200.00"],
      ["33", "6300.00"],
      ["42", "4300.00"],
      ["43", "3900.00"],
      ["47", "1800.00"],
      ["48", "5900.00"],
      ["49", "4300.00"],
    ]);
  },
});
