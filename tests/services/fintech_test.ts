/**
 * The whole way of the fintech workload on real servers: made rows in PostgreSQL, its changes on Kafka, four processors, their topics and the
 * warehouse in ClickHouse; straight and killed. What stands on the input topics decides by the model what must stand at the end.
 */
import assert from "node:assert/strict";
import { comparable } from "../fintech/shipped.ts";
import { expected, PROCESSORS } from "../fintech/model.ts";
import type { Message } from "../oracle/fintech/rows.ts";
import { captured, changesOf, done, type Fintech, fintechOnServers, TOPICS } from "./fintech.ts";
import { type ClickhouseServer, withServers } from "./mod.ts";

const LIVES_MAX = 40;
const PROCESS = ["lifecycle", "merchants", "metrics", "fraud"];

async function assertOutputs(fintech: Fintech, clickhouse: ClickhouseServer, messages: readonly Message[]): Promise<void> {
  for (const processor of PROCESSORS) {
    const { rows } = expected(processor, "FIXED", messages, "event");
    const inOrder = (list: readonly Readonly<Record<string, unknown>>[]) => {
      const texts = list.map((row) => comparable(processor, row));
      const key = (row: Record<string, unknown>) =>
        JSON.stringify([row.customerId ?? row.merchantId, processor === "metrics" && row.eventTime]);
      return texts.sort((a, b) => key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);
    };
    const came = inOrder(await fintech.topic(TOPICS[processor]));
    inOrder(rows).forEach((row, i) => assert.deepEqual(came[i], row, `${processor}: row ${i} of ${rows.length}`));
    assert.equal(came.length, rows.length, processor);
  }
  const one = async (sql: string): Promise<string> => (await clickhouse.rows(sql, fintech.name))[0].join(" ");
  const sum = (list: readonly unknown[]): number => list.reduce((total: number, value) => total + Number(value), 0);
  const alerts = expected("fraud", "FIXED", messages).rows;
  assert.equal(
    await one("SELECT count(), sum(riskScore), countIf(isFraudulent), countIf(severity = 'CRITICAL') FROM fraud_detection_alerts"),
    [alerts.length, sum(alerts.map((row) => row.riskScore)), alerts.length, alerts.filter((row) => row.severity === "CRITICAL").length]
      .join(" "),
  );
  const events = expected("lifecycle", "FIXED", messages).rows;
  assert.equal(
    await one("SELECT count(), sum(tierChangeCount), countIf(isUpgrade), uniqExact(customerId) FROM customer_lifecycle_analytics"),
    [
      events.length,
      sum(events.map((row) => row.tierChangeCount)),
      events.filter((row) => row.isUpgrade).length,
      new Set(events.map((row) => row.customerId)).size,
    ].join(" "),
  );
  const figures = expected("merchants", "FIXED", messages).rows;
  assert.equal(await one("SELECT count() FROM merchant_performance_analytics"), String(figures.length));
  const windows = expected("metrics", "FIXED", messages, "event").rows;
  assert.equal(
    await one("SELECT count(), sum(transactionCount), sum(toInt64(totalAmount * 100)) FROM customer_transaction_metrics"),
    [
      windows.length,
      sum(windows.map((row) => row.transactionCount)),
      sum(windows.map((row) => String(row.totalAmount).replace(".", ""))),
    ].join(" "),
  );
}

await withServers(
  "fintech on servers: from PostgreSQL's changes to Kafka and ClickHouse, every row is the model's",
  ["kafka", "postgres", "clickhouse"],
  async ({ kafka, postgres, clickhouse }) => {
    await fintechOnServers({ kafka, postgres, clickhouse }, async (fintech) => {
      await captured(fintech, 4000);
      const messages = await changesOf(fintech);
      assert.ok(messages.length > 4000);
      await done(fintech, PROCESS);
      await assertOutputs(fintech, clickhouse, messages);
    });
  },
);

await withServers(
  "fintech on servers: capture and processors killed again and again, every row is the model's",
  ["kafka", "postgres", "clickhouse"],
  async ({ kafka, postgres, clickhouse }) => {
    await fintechOnServers({ kafka, postgres, clickhouse }, async (fintech) => {
      let { kills } = await captured(fintech, 1500, (life) => ({ MILLRACE_KILL_AFTER_STEPS: String(60 + 40 * life) }));
      for (let life = 0;; life++) {
        assert.ok(life < LIVES_MAX, `not done after ${LIVES_MAX} lives`);
        const ran = await fintech.run(PROCESS, { MILLRACE_KILL_AFTER_STEPS: String(60 + 45 * life) }, ["epoch.records_max=300"]);
        if (ran.signal !== "SIGKILL") {
          assert.equal(ran.code, 0, ran.output);
          break;
        }
        kills++;
      }
      await assertOutputs(fintech, clickhouse, await changesOf(fintech));
      assert.ok(kills >= 4, `${kills} kills`);
    });
  },
);
