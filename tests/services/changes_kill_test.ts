/**
 * A pipeline that follows two tables while others write them, killed by SIGKILL again and again: what it has given its sinks, tables
 * and a topic, is a state of the tables and every change behind it, each once and in order, as triggers of the database wrote them down.
 */
import assert from "node:assert/strict";
import { churn, follow, halt, ledgerOn, requireFaithful, requireFaithfulTopic, seenCount } from "./changes.ts";
import { AFTER_THE_LAST_EPOCH, deaths, histogramText, killEnvironment, nameOf } from "./deaths.ts";
import { lackingKcat, readCommittedWithKcat } from "./foreign_client.ts";
import { eventually } from "./instance.ts";
import { type KafkaBroker, type PostgresServer, withServers } from "./mod.ts";

const noKcat = await lackingKcat();
const KILLS = 30;
const SEED = 20260305;

await withServers(
  `postgres changes: ${KILLS} kills while the tables are written, nothing lost, doubled or reordered`,
  noKcat === null ? ["postgres", "kafka"] : ["postgres"],
  async (servers: { readonly postgres: PostgresServer; readonly kafka?: KafkaBroker }, test) => {
    const { postgres, kafka } = servers;
    const histogram = new Map<string, number>();
    await ledgerOn(postgres, async (ledger) => {
      await ledger.admin("INSERT INTO ledger SELECT n, 1, 0, 'x' FROM generate_series(1000, 1049) AS n");
      const writing = churn(ledger, 2, 0.01);
      writing.catch(() => {}); // Told where it is awaited.
      const next = deaths(SEED);
      for (let kills = 0; kills < KILLS;) {
        const death = next.next().value;
        // A life without end does not come to its last steps.
        if (death.kind === "step" && AFTER_THE_LAST_EPOCH.has(death.step)) continue;
        const running = follow(ledger, killEnvironment(death));
        // What dies at a step is given time to come to it.
        const timer = setTimeout(running.kill, death.kind === "outside" ? 700 + 2 * death.afterMs : 6_000);
        const { killed, stderr } = await running.ended;
        clearTimeout(timer);
        assert.ok(killed, stderr);
        kills++;
        histogram.set(nameOf(death), (histogram.get(nameOf(death)) ?? 0) + 1);
      }
      await halt(ledger);
      await writing;
      const last = follow(ledger);
      for (const table of ["ledger", "accounts"]) {
        const [[newest]] = await ledger.rows(`SELECT id || ':' || version FROM audit WHERE what = '${table}' ORDER BY seq DESC LIMIT 1`);
        const isThere = async () => {
          if ((await seenCount(ledger, table)) === 0) return false;
          const newestSeen = await ledger.rows(`SELECT id || ':' || version FROM ${table}_seen ORDER BY place DESC LIMIT 5`);
          return newestSeen.some(([text]) => text === newest);
        };
        assert.ok(await eventually(isThere, 40_000), `the last change of ${table} came`);
      }
      last.stop();
      const { stderr } = await last.ended;
      for (const table of ["ledger", "accounts"]) {
        await requireFaithful(ledger, table).catch((error) => assert.fail(`${error.message}\n${stderr}`));
      }
      if (kafka) {
        const messages = await readCommittedWithKcat(kafka.brokers, ledger.database);
        await requireFaithfulTopic(ledger, messages.map(({ value }) => value));
      }
    }, kafka);
    await test.step(`${KILLS} kills: ${histogramText(histogram)}`, () => {});
  },
);
