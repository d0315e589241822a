/**
 * Producer and consumer of config/banking in one process on real servers, killed by SIGKILL again and again and started again until
 * both are done: each payment is in the topic once, for readers of committed records, and in the table once, as it was sent.
 */
import assert from "node:assert/strict";
import { type Banking, bankingOnServers, type BankingServers, rowsOf, storedCount } from "./banking.ts";
import { AFTER_THE_LAST_EPOCH, type Death, deaths, histogramText, killEnvironment, nameOf } from "./deaths.ts";
import { lackingKcat, readCommittedWithKcat } from "./foreign_client.ts";
import { withServers } from "./mod.ts";
import { startMillrace } from "./processes.ts";

const ROUNDS_MAX = 40;
const LIVES_MAX = 60;

interface Ordeal {
  readonly seed: number;
  readonly killsWanted: number;
  readonly payments: number;
  readonly epochRows: number;
}
const ORDEALS: Readonly<Record<string, Ordeal>> = {
  "small epochs": { seed: 20260221, killsWanted: 15, payments: 240, epochRows: 6 },
  // So many rows that they are on their way to the table while their epoch is open.
  "large epochs": { seed: 20260222, killsWanted: 10, payments: 24_000, epochRows: 4000 },
};

const noKcat = await lackingKcat();
for (const [name, ordeal] of Object.entries(ORDEALS)) {
  const { seed, killsWanted } = ordeal;
  if (noKcat !== null) {
    Deno.test(`SKIPPED (no kcat: ${noKcat}): producer, topic, consumer and table, ${name}`, () => {});
    continue;
  }
  await withServers(
    `B-16, P2: producer, topic, consumer and table, ${name}: at least ${killsWanted} counted kills, no payment lost or twice`,
    ["kafka", "postgres"],
    async (servers, test) => {
      const histogram = new Map<string, number>();
      const next = deaths(seed);
      let counted = 0;
      for (let round = 0; counted < killsWanted; round++) {
        assert.ok(round < ROUNDS_MAX, `only ${counted} kills hit in ${ROUNDS_MAX} rounds: ${histogramText(histogram)}`);
        await bankingOnServers(servers, async (banking) => {
          counted += await liveUntilDone(servers, banking, ordeal, next, histogram);
          await verify(servers, banking, ordeal);
        });
      }
      // As the name of a step, since a quiet test run drops what tests print.
      await test.step(`seed ${seed}: ${counted} kills: ${histogramText(histogram)}`, () => assert.ok(counted >= killsWanted));
    },
  );
}

/** Lives and deaths until one ends by itself; gives the deaths that hit unread input or an open epoch. */
async function liveUntilDone(
  { postgres }: BankingServers,
  banking: Banking,
  { payments, epochRows }: Ordeal,
  next: Generator<Death, never>,
  histogram: Map<string, number>,
): Promise<number> {
  const set = [`params.count=${payments}`, "params.rate=max", "params.until=end", "params.partitions=2", `epoch.records_max=${epochRows}`];
  let counted = 0;
  for (let life = 0; life < LIVES_MAX; life++) {
    const death = next.next().value;
    const env = { BANKING_OUTPUT: banking.output, ...banking.env, ...killEnvironment(death) };
    const words = ["run", "config/banking", "produce", "store", "--quiet"];
    const running = startMillrace(words, { input: banking.output, output: banking.output, set, env });
    const timer = death.kind === "outside" ? setTimeout(running.kill, 400 + 2 * death.afterMs) : undefined;
    const { code, killed, stderr } = await running.ended;
    clearTimeout(timer);
    if (!killed) {
      assert.equal(code, 0, `life ${life}: ${stderr}`);
      return counted;
    }
    const isCounted = death.kind === "step" ? !AFTER_THE_LAST_EPOCH.has(death.step) : await storedCount(postgres, banking) < payments;
    const name = isCounted ? nameOf(death) : `(not counted: ${nameOf(death)})`;
    if (isCounted) counted++;
    histogram.set(name, (histogram.get(name) ?? 0) + 1);
  }
  throw new Error(`it was not done after ${LIVES_MAX} lives`);
}

async function verify({ kafka, postgres }: BankingServers, banking: Banking, { payments }: Ordeal): Promise<void> {
  const messages = await readCommittedWithKcat(kafka.brokers, banking.topic);
  const sent = messages.map(({ value, partition, offset }) => {
    const { transaction_id, amount, user_id } = JSON.parse(value) as Record<string, string | number>;
    return [transaction_id, Number(amount).toFixed(2), String(user_id), String(partition), String(offset)] as string[];
  });
  assert.equal(sent.length, payments, "as many are sent as there are");
  assert.equal(new Set(sent.map(([id]) => id)).size, payments, "each payment is sent once");
  const columns = "transaction_id, amount, user_id, source_partition, source_offset";
  const stored = await rowsOf(postgres, banking, `SELECT ${columns} FROM raw_transactions ORDER BY source_partition, source_offset`);
  assert.deepEqual(stored, sent);
}
