/** The warehouse of config/fintech on the real engine: its tables filled through the product's sink, as pipelines fill them. */
import type { SinkLane } from "../../../src/engine/contracts.ts";
import { type Made, sinkOf, type Warehouse } from "../../connectors/clickhouse/support.ts";
import { run, stamp } from "../../connectors/support/sql.ts";
import { projectRoot } from "../../golden/command_line.ts";
import { type Alert, type LifecycleRow, makeRows, type MerchantRow, type MetricsRow, type WarehouseRows } from "./warehouse_rows.ts";

const FILES = ["tables.sql", "summaries.sql", "views.sql"].map((name) => `${projectRoot()}/config/fintech/warehouse/${name}`);
/** The connection's setting. */
export const SETUP = `setup = ${JSON.stringify(FILES)}`;

/** Half up, as money averages are. */
const average = (total: number, count: number): number => Math.floor((2 * total + count) / (2 * count));

/** A table's fields in the order of `values`. */
export const TABLES = {
  alerts: {
    table: "fraud_detection_alerts",
    fields: `fields = { transactionId = "string", customerId = "string", fraudTypes = "list<string>", riskScore = "double", \
detectionTime = "timestamp", alertType = "string", fraudDetails = "json", isFraudulent = "bool", severity = "string", recommendation = "string" }`,
    values: (row: Alert) => [
      row.transactionId,
      row.customerId,
      row.fraudTypes,
      row.riskScore,
      row.detectionTime,
      "FRAUD_DETECTED",
      { fraudTypes: row.fraudTypes, transactionAmount: 12.5 },
      row.isFraudulent,
      row.severity,
      row.recommendation,
    ],
  },
  merchants: {
    table: "merchant_performance_analytics",
    fields: `fields = { merchantId = "string", eventType = "string", transactionCount = "int", totalAmount = "decimal(2)", \
averageAmount = "decimal(2)", eventTime = "timestamp", performanceLevel = "string", riskLevel = "string", merchantName = "string?", \
businessType = "string?", mccCode = "string?", country = "string", isActive = "bool" }`,
    values: (row: MerchantRow) => [
      row.merchantId,
      "MERCHANT_ANALYTICS",
      row.transactionCount,
      row.total,
      average(row.total, row.transactionCount),
      row.eventTime,
      row.performanceLevel,
      row.riskLevel,
      row.merchantName,
      row.businessType,
      row.mccCode,
      row.country,
      row.isActive,
    ],
  },
  lifecycle: {
    table: "customer_lifecycle_analytics",
    fields: `fields = { customerId = "string", eventType = "string", currentTier = "string", currentKycStatus = "string", \
eventTime = "timestamp", tierChangeCount = "int", isUpgrade = "bool", isDowngrade = "bool", kycCompleted = "bool", riskScore = "double", \
timeSinceLastUpdate = "int", previousTier = "string", previousKycStatus = "string?", riskScoreChange = "double" }`,
    values: (row: LifecycleRow) => [
      row.customerId,
      row.eventType,
      row.currentTier,
      row.currentKycStatus,
      row.eventTime,
      row.tierChangeCount,
      row.isUpgrade,
      row.isDowngrade,
      row.kycCompleted,
      row.riskScore,
      0,
      row.previousTier,
      null,
      0.5,
    ],
  },
  metrics: {
    table: "customer_transaction_metrics",
    fields: `fields = { customerId = "string", eventTime = "timestamp", totalAmount = "decimal(2)", transactionCount = "int", \
averageAmount = "decimal(2)", minAmount = "decimal(2)", maxAmount = "decimal(2)", preferredTransactionType = "string", \
preferredLocation = "string", preferredDevice = "string", transactionVelocity = "double", riskScore = "double", \
transactionTypeCounts = "map<string, int>", locationCounts = "map<string, int>", deviceCounts = "map<string, int>", \
recentTransactionCount = "int", lastTransactionAmount = "decimal(2)", lastTransactionType = "string" }`,
    values: (row: MetricsRow) => [
      row.customerId,
      row.eventTime,
      row.total,
      row.transactionCount,
      average(row.total, row.transactionCount),
      1,
      row.total,
      row.preferredTransactionType,
      "US",
      "unknown",
      120 * row.transactionCount,
      row.riskScore,
      new Map([[row.preferredTransactionType, row.transactionCount]]),
      row.locationCounts,
      row.deviceCounts,
      row.transactionCount,
      100,
      row.preferredTransactionType,
    ],
  },
} as const;
type TableName = keyof typeof TABLES;

export interface FilledTable {
  readonly made: Made;
  readonly lane: SinkLane;
}
/** Opens a table's sink for a new run. */
export async function openTable(warehouse: Warehouse, name: TableName, runId: string, connection = SETUP): Promise<FilledTable> {
  const { table, fields } = TABLES[name];
  const made = await sinkOf(warehouse, { table, fields, connection, sink: "create = true" });
  await made.sink.open({ ...run(runId, true), pipeline: name });
  const lane = made.sink.lane(0);
  await lane.fence(1);
  return { made, lane };
}
/** One epoch of rows, given as the table's `values`. */
export async function deliver(
  { made, lane }: FilledTable,
  name: TableName,
  runId: string,
  epoch: number,
  rows: readonly unknown[][],
): Promise<void> {
  lane.write(made.batch(rows));
  await lane.deliver({ ...stamp(runId, epoch), pipeline: name });
}

/**
 * All four tables: first a run with other rows, which the second one retires; every third epoch is delivered again, some of them after
 * all others. What the views must show are `rows` alone.
 */
export async function fill(warehouse: Warehouse, rows: WarehouseRows, others: WarehouseRows = makeRows(7)): Promise<void> {
  let connection = SETUP;
  for (const name of Object.keys(TABLES) as TableName[]) {
    const values = TABLES[name].values as (row: never) => unknown[];
    for (const [runId, epochs] of [["old", others[name].slice(0, 3)], ["new", rows[name]]] as const) {
      const table = await openTable(warehouse, name, runId, connection);
      connection = "";
      const put = (at: number) => deliver(table, name, runId, at + 1, (epochs[at] as never[]).map(values));
      for (let at = 0; at < epochs.length; at++) {
        await put(at);
        if (at % 3 === 0) await put(at);
      }
      // The last two have one recorded time: only their numbers say which is newer.
      for (const at of [0, 1, 10, epochs.length - 2]) if (at < epochs.length) await put(at);
      await table.made.sink.close();
    }
  }
}

/** Rows of a query, by column; integers and doubles as numbers, decimals as numbers too. */
export async function objectsOf(warehouse: Warehouse, sql: string): Promise<Record<string, unknown>[]> {
  const settings = "output_format_json_quote_64bit_integers = 0, output_format_json_quote_decimals = 0";
  const lines = await warehouse.rows(`${sql} SETTINGS ${settings} FORMAT JSONEachRow`);
  return lines.map((line) => JSON.parse(line.join("\t")));
}
