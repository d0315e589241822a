/** Group C of the fintech specification's acceptance cases: rows of the processors' topics, loaded by a pipeline into the warehouse. */
import assert from "node:assert/strict";
import { Warehouse, withWarehouse } from "../connectors/clickhouse/support.ts";
import { inTemporaryFolder } from "../golden/command_line.ts";
import { SETUP } from "./clickhouse/warehouse.ts";
import { withServers } from "./mod.ts";
import { startMillrace } from "./processes.ts";

interface Load {
  readonly table: string;
  /** The topic's messages, one per line. */
  readonly lines: readonly object[];
  readonly fields: string;
  /** Settings of the sink. */
  readonly sink?: string;
}

/** Runs a pipeline from a file of messages into a table, one message an epoch; gives the reasons of its rejects. */
async function load({ server, name }: Warehouse, { table, lines, fields, sink = "" }: Load): Promise<string[]> {
  return await inTemporaryFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/topic.ndjson`, lines.map((line) => JSON.stringify(line) + "\n").join(""));
    await Deno.writeTextFile(
      `${folder}/load.toml`,
      `[connections.warehouse]
type     = "clickhouse"
url      = "${server.url}"
user     = "${server.user}"
password = "${server.password}"
database = "${name}"
${SETUP}

[sources.topic]
type   = "ndjson"
path   = "${folder}/topic.ndjson"
fields = { ${fields} }

[sinks.table]
connection = "warehouse"
table      = "${table}"
inputs     = ["topic"]
create     = true
${sink}

[sinks.rejects]
type   = "ndjson"
inputs = ["*.rejected"]
path   = "${folder}/rejects"
`,
    );
    const run = { input: folder, output: folder, set: [`state=${folder}/state`, "epoch.records_max=1"] };
    const { code, stderr } = await startMillrace(["run", `${folder}/load.toml`, "--quiet"], run).ended;
    assert.equal(code, 0, stderr);
    const rejects = [...Deno.readDirSync(`${folder}/rejects`)].map((file) => Deno.readTextFileSync(`${folder}/rejects/${file.name}`)).join(
      "",
    );
    return rejects.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line).reason);
  });
}

const ALERT =
  `transactionId = "string", customerId = "string", fraudTypes = "list<string>", riskScore = "double", detectionTime = "timestamp", \
alertType = "string", fraudDetails = "json", severity = "string", recommendation = "string"`;
const alert = (more: object) => ({
  transactionId: "t1",
  customerId: "c1",
  fraudTypes: ["HIGH_AMOUNT", "EXCESSIVE_AMOUNT"],
  riskScore: 120.0,
  detectionTime: "2025-01-16T12:00:00.000+00:00",
  alertType: "FRAUD_DETECTED",
  fraudDetails: { transactionAmount: 12000.5, location: null },
  severity: "CRITICAL",
  recommendation: "BLOCK_TRANSACTION",
  ...more,
});
await withServers(
  "C1: an alert keeps its day, hour and details; AS-RUN's wrongly named flag stays false",
  ["clickhouse"],
  async ({ clickhouse }) => {
    for (const [profile, flag] of [["AS-RUN", "fraudulent"], ["FIXED", "isFraudulent"]]) {
      await withWarehouse(clickhouse, async (warehouse) => {
        const columns = [...ALERT.matchAll(/(\w+) = /g)].map(([, name]) => name);
        const sink = profile === "AS-RUN" ? `columns = ${JSON.stringify(columns)}` : "";
        const fields = `${ALERT}, ${flag} = "bool"`;
        assert.deepEqual(await load(warehouse, { table: "fraud_detection_alerts", lines: [alert({ [flag]: true })], fields, sink }), []);
        const shown = await warehouse.rows(
          "SELECT isFraudulent, date, hour, isValidJSON(fraudDetails), JSONExtractFloat(fraudDetails, 'transactionAmount'), fraudTypes FROM fraud_detection_alerts",
        );
        assert.deepEqual(shown, [[String(profile === "FIXED"), "2025-01-16", "12", "1", "12000.5", "['HIGH_AMOUNT','EXCESSIVE_AMOUNT']"]]);
      });
    }
  },
);

const LIFECYCLE =
  `customerId = "string", eventType = "string", currentTier = "string", currentKycStatus = "string", eventTime = "timestamp", \
tierChangeCount = "int", isUpgrade = "bool", isDowngrade = "bool", kycCompleted = "bool", riskScore = "double", timeSinceLastUpdate = "int", \
previousTier = "string", previousKycStatus = "string", riskScoreChange = "double"`;
const lifecycle = (customerId: string, second: number) => ({
  customerId,
  eventType: "TRANSACTION_UPDATE",
  currentTier: "basic",
  currentKycStatus: "pending",
  eventTime: `2025-01-16T12:00:0${second}Z`,
  tierChangeCount: 0,
  isUpgrade: false,
  isDowngrade: false,
  kycCompleted: false,
  riskScore: 10.5,
  timeSinceLastUpdate: 0,
  previousTier: "basic",
  previousKycStatus: "pending",
  riskScoreChange: 0,
});
const threeBlocks: Load = {
  table: "customer_lifecycle_analytics",
  lines: [lifecycle("c1", 1), lifecycle("c1", 2), lifecycle("c2", 3)],
  fields: LIFECYCLE,
};
await withServers("C2: three rows of two customers are two customers in the tier distribution", ["clickhouse"], async ({ clickhouse }) => {
  await withWarehouse(clickhouse, async (warehouse) => {
    await load(warehouse, threeBlocks);
    assert.deepEqual(await warehouse.rows("SELECT count(), uniqExact(customerId) FROM customer_lifecycle_analytics"), [["3", "2"]]);
    assert.deepEqual(await warehouse.rows("SELECT currentTier, customers, percentage FROM customer_tier_distribution"), [[
      "basic",
      "2",
      "100",
    ]]);
    assert.deepEqual(await warehouse.rows("SELECT customers FROM customer_analytics_overview"), [["2"]]);
  });
});
await withServers(
  "C3: the mean risk of three blocks is that of their rows, before and after a merge",
  ["clickhouse"],
  async ({ clickhouse }) => {
    await withWarehouse(clickhouse, async (warehouse) => {
      await load(warehouse, threeBlocks);
      const summary = "SELECT mean_risk_score, events, customers FROM customer_lifecycle_summary";
      assert.deepEqual(await warehouse.rows(summary), [["10.5", "3", "2"]]);
      await warehouse.admin("OPTIMIZE TABLE customer_lifecycle_analytics_rows FINAL");
      assert.deepEqual(await warehouse.rows(summary), [["10.5", "3", "2"]]);
    });
  },
);

const MERCHANT =
  `merchantId = "string", eventType = "string", transactionCount = "int", totalAmount = "decimal(2)", averageAmount = "decimal(2)", \
eventTime = "timestamp", performanceLevel = "string", riskLevel = "string", merchantName = "string", businessType = "string", mccCode = "string", \
country = "string", isActive = "bool"`;
await withServers("C4: running totals 10, 40, 60 of a merchant are a revenue of 60", ["clickhouse"], async ({ clickhouse }) => {
  await withWarehouse(clickhouse, async (warehouse) => {
    const lines = [10, 40, 60].map((totalAmount, at) => ({
      merchantId: "m1",
      eventType: "MERCHANT_ANALYTICS",
      transactionCount: at + 1,
      totalAmount,
      averageAmount: totalAmount / (at + 1),
      eventTime: `2025-01-16T12:00:0${at}Z`,
      performanceLevel: "MINIMAL_ACTIVITY",
      riskLevel: "LOW_RISK",
      merchantName: "Acme",
      businessType: "Hotel",
      mccCode: "7011",
      country: "US",
      isActive: true,
    }));
    await load(warehouse, { table: "merchant_performance_analytics", lines, fields: MERCHANT });
    assert.deepEqual(
      await warehouse.rows("SELECT sum(totalAmount) FROM merchant_performance_analytics"),
      [["110"]],
      "what a naive sum reads",
    );
    assert.deepEqual(await warehouse.rows("SELECT revenue, transactions, merchants FROM merchant_performance_overview"), [[
      "60",
      "3",
      "1",
    ]]);
    assert.deepEqual(await warehouse.rows("SELECT revenue, transactions, merchants FROM merchant_performance_summary"), [["60", "3", "1"]]);
    assert.deepEqual(await warehouse.rows("SELECT revenue FROM merchant_performance_trend"), [["60"]]);
  });
});

const METRICS =
  `customerId = "string", eventTime = "timestamp", totalAmount = "decimal(2)", transactionCount = "int", averageAmount = "decimal(2)", \
minAmount = "decimal(2)", maxAmount = "decimal(2)", preferredTransactionType = "string", preferredLocation = "string", preferredDevice = "string", \
transactionVelocity = "double", riskScore = "double", transactionTypeCounts = "map<string, int>", locationCounts = "map<string, int>", \
deviceCounts = "map<string, int>", recentTransactionCount = "int", lastTransactionAmount = "decimal(2)", lastTransactionType = "string"`;
await withServers(
  "C5: a row of another shape on the metrics topic is rejected, and the loading goes on",
  ["clickhouse"],
  async ({ clickhouse }) => {
    await withWarehouse(clickhouse, async (warehouse) => {
      const good = {
        customerId: "c2",
        eventTime: "2025-09-05T06:00:30.000+00:00",
        totalAmount: 35.01,
        transactionCount: 3,
        averageAmount: 11.67,
        minAmount: 5.01,
        maxAmount: 20,
        preferredTransactionType: "card_payment",
        preferredLocation: "US",
        preferredDevice: "dA",
        transactionVelocity: 360,
        riskScore: 0,
        transactionTypeCounts: { card_payment: 2, deposit: 1 },
        locationCounts: { US: 2 },
        deviceCounts: { dA: 1, dB: 1, dC: 1 },
        recentTransactionCount: 3,
        lastTransactionAmount: 20,
        lastTransactionType: "deposit",
      };
      const lines = [{ customer_id: "c1", transaction_count: 4 }, good];
      assert.deepEqual(await load(warehouse, { table: "customer_transaction_metrics", lines, fields: METRICS }), ["missing:customerId"]);
      const shown =
        "SELECT customerId, toString(totalAmount), averageAmount, transactionTypeCounts, deviceCounts, hour FROM customer_transaction_metrics";
      assert.deepEqual(await warehouse.rows(shown), [[
        "c2",
        "35.01",
        "11.67",
        "{'card_payment':2,'deposit':1}",
        "{'dA':1,'dB':1,'dC':1}",
        "6",
      ]]);
    });
  },
);
