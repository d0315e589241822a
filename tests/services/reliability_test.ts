/** Every sink on its real server, killed by SIGKILL: a short run of what tests/reliability/main.ts does at length (docs/reliability.md). */
import assert from "node:assert/strict";
import { added, expectedRows, isExact, judge, NOTHING } from "../reliability/ledger.ts";
import { killOverAndOver } from "../reliability/ordeal.ts";
import { openerOf, SINKS } from "../reliability/targets.ts";
import { histogramText } from "./deaths.ts";
import { withServers } from "./mod.ts";
import { lackingS3 } from "./s3_server.ts";

const KILLS = 15;
const SEED = 20261200;

Deno.test("a row that is lost, doubled or of a stale state is told", () => {
  const rows = expectedRows(50, "all");
  assert.ok(isExact(judge(rows, rows)));
  const counts = (found: typeof rows) => {
    const { lost, doubled, wrong } = judge(rows, found);
    return { lost, doubled, wrong };
  };
  assert.deepEqual(counts(rows.slice(1)), { lost: 1, doubled: 0, wrong: 0 });
  assert.deepEqual(counts([...rows, rows[3]]), { lost: 0, doubled: 1, wrong: 0 });
  const [id, account, amount, balance] = rows[40];
  assert.deepEqual(counts(rows.with(40, [id, account, amount, balance, "1"])), { lost: 0, doubled: 0, wrong: 1 });
  assert.ok(!isExact(added(judge(rows, rows), judge(rows, rows.slice(1)))) && !isExact(NOTHING));
  assert.equal(expectedRows(50, "newest").length, 37);
});

for (const [index, sink] of SINKS.entries()) {
  const name = `${sink}: ${KILLS} counted kills, every row once and of the right state`;
  const lacking = sink === "s3" ? await lackingS3() : null;
  if (lacking !== null) {
    Deno.test(`SKIPPED (${lacking}): ${name}`, () => {});
    continue;
  }
  await withServers(name, sink === "files" || sink === "s3" ? [] : [sink], async (_servers, test) => {
    const target = await openerOf(sink, "bounded")();
    if ("skipped" in target) throw new Error(target.skipped);
    const { kills, histogram, verdicts } = await killOverAndOver(target, { kills: KILLS, seed: SEED + index, tell: () => {} });
    for (const [shelf, verdict] of verdicts) assert.ok(isExact(verdict), `${shelf}: ${JSON.stringify(verdict, null, 2)}`);
    // As the name of a step, since a quiet test run drops what tests print.
    await test.step(`seed ${SEED + index}: ${histogramText(histogram)}`, () => assert.equal(kills, KILLS));
  });
}
