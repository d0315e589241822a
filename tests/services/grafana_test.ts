/** deploy/grafana/fintech.json: every query of every panel, run on the real engine over a filled warehouse, against loops over its rows. */
import assert from "node:assert/strict";
import { withWarehouse } from "../connectors/clickhouse/support.ts";
import { projectRoot } from "../golden/command_line.ts";
import { fill, objectsOf } from "./clickhouse/warehouse.ts";
import { panelsOf, type Range } from "./clickhouse/grafana_model.ts";
import { makeRows } from "./clickhouse/warehouse_rows.ts";
import { withServers } from "./mod.ts";

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly rawSql: string }[];
}
interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly options?: readonly { readonly value: string }[] }[] };
}
const dashboard: Dashboard = JSON.parse(Deno.readTextFileSync(`${projectRoot()}/deploy/grafana/fintech.json`));
const asking = dashboard.panels.filter(({ type }) => type !== "row");

/** 2025-01-17T00:00Z to 2025-01-20T12:00Z, within the made rows. */
const RANGE: Range = { from: 1_737_072_000, to: 1_737_374_400, intervalSeconds: 6 * 3600 };

/** The data source's macros, as its documentation has them, and the dashboard's variables. */
function expanded(sql: string, { from, to, intervalSeconds }: Range, alertTime: string): string {
  const text = sql.replaceAll("${alert_time}", alertTime)
    .replaceAll(/\$__timeFilter\((\w+)\)/g, (_, column) => `(${column} >= toDateTime(${from}) AND ${column} <= toDateTime(${to}))`)
    .replaceAll(/\$__timeInterval\((\w+)\)/g, (_, column) => `toStartOfInterval(toDateTime(${column}), INTERVAL ${intervalSeconds} second)`)
    .replaceAll("$__fromTime", `toDateTime(${from})`).replaceAll("$__toTime", `toDateTime(${to})`);
  assert.doesNotMatch(text, /\$/, "no macro is left");
  return text;
}

Deno.test("fintech dashboard: panels have names and places of their own", () => {
  assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  assert.equal(new Set(asking.map(({ title }) => title)).size, asking.length);
  const taken = new Set<string>();
  for (const { title, gridPos: { x, y, w, h } } of dashboard.panels) {
    assert.ok(x >= 0 && x + w <= 24, `${title} lies on the grid`);
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        assert.ok(!taken.has(`${column} ${line}`), `${title} lies on no other panel`);
        taken.add(`${column} ${line}`);
      }
    }
  }
  const times = dashboard.templating.list.find(({ name }) => name === "alert_time")!.options!.map(({ value }) => value);
  assert.deepEqual(times, ["detectionTime", "loadedTime"]);
});

await withServers("fintech dashboard: every panel shows what the rows say", ["clickhouse"], async ({ clickhouse }, test) => {
  await withWarehouse(clickhouse, async (warehouse) => {
    const startedMs = Date.now();
    const rows = makeRows(20_250_905);
    await fill(warehouse, rows);
    const model = panelsOf(rows, RANGE);
    assert.deepEqual(asking.map(({ title }) => title).sort(), [...model.keys()].sort(), "every panel has its model");
    for (const { title, targets } of asking) {
      await test.step(title, async () => {
        assert.equal(targets!.length, 1);
        const wished = model.get(title)!;
        assert.ok(wished.length > 0);
        const found = await objectsOf(warehouse, expanded(targets![0].rawSql, RANGE, "detectionTime"));
        // Arrival is by the server's clock: since this test began.
        const shown = found.map(({ newest_arrival: arrival, ...row }) => {
          if (arrival !== undefined) assert.ok(Date.parse(`${String(arrival).replace(" ", "T")}Z`) >= startedMs - 1);
          return row;
        });
        assert.deepEqual(shown, wished);
      });
    }
    await test.step("by arrival, all alerts came since the test began", async () => {
      const active = asking.find(({ title }) => title === "Active Fraud Alerts")!.targets![0].rawSql;
      const range = { ...RANGE, from: Math.floor(startedMs / 1000), to: Math.ceil(Date.now() / 1000) };
      const [{ alerts }] = await objectsOf(warehouse, expanded(active, range, "loadedTime"));
      assert.equal(alerts, rows.alerts.flat().filter(({ isFraudulent }) => isFraudulent).length);
    });
  });
});
