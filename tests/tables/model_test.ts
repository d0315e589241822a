/** Random interleavings of records, rows, deletes, time and crashes against the slow model. */
import assert from "node:assert/strict";
import { blueprintOf } from "../windows/support.ts";
import { Model, type ModelChange, modelled, type ModelRecord } from "./model.ts";
import { draws, TestLane } from "./support.ts";

const WAIT_MS = 10_000;
const SEEDS = Number(Deno.env.get("TABLE_SEEDS") ?? 60);

Deno.test(`${SEEDS} random interleavings give what the model says, crashed anywhere, drained in pieces`, async () => {
  const blueprint = await blueprintOf(modelled("10s"));
  const totals = { waited: 0, again: 0, crashes: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const draw = draws(seed);
    const lane = new TestLane(blueprint);
    const model = new Model(WAIT_MS);
    lane.drainRowsMax = [1, 3, 1000][draw(3)];
    const crashes = draw(3) > 0;
    lane.crashes = () => crashes && draw(6) === 0 && ++totals.crashes > 0;
    let ms = 0;
    let id = 0;
    for (let step = 0; step < 40; step++) {
      const what = draw(10);
      if (what < 2) {
        ms += draw(7000);
        lane.at(ms);
        model.clock(ms);
      } else if (what < 5) {
        const table = draw(2) === 0 ? "shops" as const : "others" as const;
        const changes = Array.from(
          { length: 1 + draw(4) },
          (): ModelChange => ({ table, id: `${table[0]}${draw(6)}`, name: draw(3) === 0 ? null : `n${draw(100)}` }),
        );
        lane.changes(table, changes.map(({ id, name }) => name === null ? { row: { id }, deleted: true } : { row: { id, name } }));
        model.changes(changes);
      } else {
        const records = Array.from({ length: 1 + draw(6) }, (): ModelRecord => ({
          id: id++,
          key: `k${draw(4)}`,
          shop: draw(5) === 0 ? null : `s${draw(6)}`,
          other: draw(5) === 0 ? null : `o${draw(6)}`,
        }));
        lane.records("payments", records as unknown as readonly Record<string, unknown>[]);
        model.records(records);
      }
      model.settle();
      assert.deepEqual(lane.rows("out"), model.rows, `seed ${seed} step ${step}`);
    }
    lane.verify("stopped");
    lane.end();
    model.end();
    model.settle();
    assert.deepEqual(lane.rows("out"), model.rows, `seed ${seed} at the end`);
    lane.verify("ended");
    totals.waited += model.rows.filter(({ shop_name }) => shop_name === "?").length;
    totals.again += model.rows.length - id;
  }
  assert.ok(totals.waited > SEEDS && totals.again > SEEDS && totals.crashes > SEEDS, JSON.stringify(totals));
});
