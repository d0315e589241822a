/** config/fintech/warehouse on the real engine: what every table, summary and view shows, against loops over the same rows. */
import assert from "node:assert/strict";
import { sinkOf, withWarehouse } from "../connectors/clickhouse/support.ts";
import { fill, objectsOf, SETUP, TABLES } from "./clickhouse/warehouse.ts";
import { modelOf, type ViewRow } from "./clickhouse/warehouse_model.ts";
import { makeRows } from "./clickhouse/warehouse_rows.ts";
import { withServers } from "./mod.ts";
import { startMillrace } from "./processes.ts";

/** Views that only pass rows on; they are compared by what is asked of them. */
const PLAIN_VIEWS = [
  "customer_lifecycle_analytics",
  "customer_lifecycle_current",
  "customer_transaction_metrics",
  "fraud_detection_alerts",
  "merchant_performance_analytics",
  "merchant_performance_current",
];

/** Rows with the model's columns only, as the model has them: doubles to twelve digits. */
function comparable(rows: readonly ViewRow[], columns: readonly string[], order: "view" | "any"): string[] {
  const rounded = (value: unknown) => typeof value === "number" ? Number(value.toPrecision(12)) : value;
  const texts = rows.map((row) => JSON.stringify(columns.map((column) => rounded(row[column]))));
  return order === "any" ? texts.sort() : texts;
}

await withServers(
  "fintech warehouse: every summary and view shows what the rows say, each once",
  ["clickhouse"],
  async ({ clickhouse }, test) => {
    await withWarehouse(clickhouse, async (warehouse) => {
      const rows = makeRows(20_250_116);
      await fill(warehouse, rows);
      const model = modelOf(rows);
      const views =
        (await warehouse.rows("SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View' ORDER BY name"))
          .flat();
      assert.deepEqual(views, [...model.keys(), ...PLAIN_VIEWS].sort(), "every view has its model");
      for (const merged of ["before merges", "after merges"]) {
        for (const [view, wished] of model) {
          await test.step(`${view}, ${merged}`, async () => {
            assert.ok(wished.length > 0, "the rows give it something to show");
            const columns = Object.keys(wished[0]);
            const order = view.endsWith("_summary") ? "any" : "view";
            const shown = await objectsOf(warehouse, `SELECT * FROM ${view}`);
            const others = Object.keys(shown[0] ?? {}).filter((column) => !columns.includes(column) && !column.endsWith("_state"));
            assert.deepEqual(others, view === "high_risk_transactions" ? ["detectionTime"] : [], "every column is in the model");
            assert.deepEqual(comparable(shown, columns, order), comparable(wished, columns, order));
          });
        }
        for (
          const table of (await warehouse.rows("SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE '%_rows'"))
            .flat()
        ) {
          await warehouse.admin(`OPTIMIZE TABLE ${table} FINAL`);
        }
      }
      await test.step("states of a summary merge to what all rows say", async () => {
        const [merged] = await objectsOf(
          warehouse,
          "SELECT uniqExactMerge(customers_state) AS customers, sum(risk_score_sum) / sum(alerts) AS mean FROM fraud_alerts_summary",
        );
        const alerts = rows.alerts.flat();
        assert.equal(merged.customers, new Set(alerts.map(({ customerId }) => customerId)).size);
        assert.equal(
          (merged.mean as number).toPrecision(12),
          (alerts.reduce((sum, { riskScore }) => sum + riskScore, 0) / alerts.length).toPrecision(12),
        );
      });
    });
  },
);

await withServers(
  "fintech warehouse: its tables take what the pipelines of config/fintech give them",
  ["clickhouse"],
  async ({ clickhouse }) => {
    await withWarehouse(clickhouse, async (warehouse) => {
      const { table, fields } = TABLES.alerts;
      const { sink } = await sinkOf(warehouse, { table, fields, connection: SETUP, sink: "" });
      await sink.open({ pipeline: "p", run: "r", lanes: 1, fresh: false });
      await sink.close();
      const env = {
        FINTECH_BACKEND: "servers",
        // Not asked for what is checked here.
        KAFKA_BROKERS: "127.0.0.1:1",
        POSTGRES_URL: "postgres://u:p@127.0.0.1:1/d",
        CLICKHOUSE_URL: clickhouse.url,
        CLICKHOUSE_USER: clickhouse.user,
        CLICKHOUSE_PASSWORD: clickhouse.password,
        CLICKHOUSE_DATABASE: warehouse.name,
      };
      const { stdout, stderr } = await startMillrace(["check", "config/fintech", "--connect", "--json"], { input: "", output: "", env })
        .ended;
      const { servers } = JSON.parse(stdout) as { servers: { pipeline: string; node: string; level: string; text: string }[] };
      for (const pipeline of ["fraud", "lifecycle", "merchants", "metrics"]) {
        const found = servers.filter((finding) => finding.pipeline === pipeline && finding.node === "warehouse");
        assert.equal(found.length, 1, stderr);
        assert.match(`${found[0].level}: ${found[0].text}`, /^fine: .*_rows takes the rows; ReplacingMergeTree, .*exactly once/);
      }
    });
  },
);
