/**
 * Loader and validator on real servers, killed by SIGKILL again and again, at named protocol steps and at random moments, and
 * started again until they are done: the tables are those of the reference, no row twice.
 */
import assert from "node:assert/strict";
import {
  assertDecisions,
  byId,
  type CardsOnServers,
  cardsOnServers,
  type CardsServers,
  edgesInput,
  expectedOf,
  mysqlRows,
} from "./cards.ts";
import { AFTER_THE_LAST_EPOCH, type Death, deaths, histogramText, killEnvironment, nameOf } from "./deaths.ts";
import { withServers } from "./mod.ts";
import { layerDone, startLayer } from "./processes.ts";

const SEED = 20250402;
const KILLS_WANTED = 15;
const LIVES_MAX = 60;
const ROUNDS_MAX = 40;
const EPOCH_ROWS = 2;

interface Victim {
  readonly name: string;
  readonly layer: readonly string[];
  /** What must have happened before its first life. */
  prepare(cards: CardsOnServers): Promise<void>;
  /** Rows that readers of the database see, to tell whether a death from outside came before the end. */
  visible(servers: CardsServers, cards: CardsOnServers): Promise<number>;
  readonly visibleAtTheEnd: number;
  verify(servers: CardsServers, cards: CardsOnServers): Promise<void>;
}

const input = edgesInput();
const expected = expectedOf(input);
const settings = (cards: CardsOnServers) => ({ ...cards.run, partitions: 2, set: [`epoch.records_max=${EPOCH_ROWS}`] });

async function rowsIn(servers: CardsServers, { database }: CardsOnServers, table: string): Promise<number> {
  const [[there]] = await servers.mysql.rows(
    `SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = '${database}' AND TABLE_NAME = '${table}'`,
  );
  return there === "0" ? 0 : Number((await servers.mysql.rows(`SELECT COUNT(*) FROM ${database}.${table}`))[0][0]);
}

const loader: Victim = {
  name: "loader",
  layer: ["load", "initial"],
  prepare: () => Promise.resolve(),
  visible: (servers, cards) => rowsIn(servers, cards, "transactions"),
  visibleAtTheEnd: expected.counts.read - expected.counts.rejected,
  verify: async ({ mysql }, { database, output }) => {
    const cards = await mysqlRows(mysql, database, "cards", ["card_id", "customer_id", "card_number", "credit_limit", "current_balance"]);
    // Refused cards, and second ones of a key, are in the reference's results neither.
    const wished = expected.cards.map(([id, customer, , number]) => [id, customer, number]).toSorted(byId);
    assert.deepEqual(cards.map(([id, customer, number]) => [id, customer, number]), wished);
    const opening = cards.reduce((sum, row) => sum + BigInt(row[4].replace(".", "")), 0n);
    assert.equal(opening, expected.totals.opening);
    const places = await mysqlRows(mysql, database, "transactions", ["position", "transaction_id"]);
    assert.equal(places.length, expected.counts.read - expected.counts.rejected);
    assert.equal(new Set(places.map(([position]) => position)).size, places.length);
    const rejects = Deno.readTextFileSync(`${output}/rejects/load-initial.ndjson`).trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.equal(rejects.filter(({ source }) => source === "transactions").length, expected.counts.rejected);
  },
};
const validator: Victim = {
  name: "validator",
  layer: ["stream"],
  prepare: async (cards) => {
    await layerDone(["load", "initial"], { ...cards.run, partitions: 2 });
    await layerDone(["produce"], { ...cards.run, partitions: 2 });
  },
  visible: (servers, cards) => rowsIn(servers, cards, "decisions"),
  visibleAtTheEnd: expected.stream.length,
  verify: ({ mysql }, { database }) => assertDecisions(mysql, database, expected),
};

for (const [index, victim] of [loader, validator].entries()) {
  await withServers(
    `${victim.name}: at least ${KILLS_WANTED} counted kills, no row lost or twice`,
    ["kafka", "mysql"],
    async (servers, test) => {
      const histogram = new Map<string, number>();
      const next = deaths(SEED + index);
      let counted = 0;
      for (let round = 0; counted < KILLS_WANTED; round++) {
        assert.ok(round < ROUNDS_MAX, `only ${counted} kills hit in ${ROUNDS_MAX} rounds`);
        await cardsOnServers(servers, input, async (cards) => {
          await victim.prepare(cards);
          counted += await liveUntilDone(victim, servers, cards, next, histogram);
          await victim.verify(servers, cards);
        });
      }
      const shown = histogramText(histogram);
      // As the name of a step, since a quiet test run drops what tests print.
      await test.step(`${victim.name} (seed ${SEED + index}): ${counted} kills: ${shown}`, () => assert.ok(counted >= KILLS_WANTED));
    },
  );
}

/** Lives and deaths until one ends by itself; gives the deaths that hit unread input or an open epoch. */
async function liveUntilDone(
  victim: Victim,
  servers: CardsServers,
  cards: CardsOnServers,
  next: Generator<Death, never>,
  histogram: Map<string, number>,
): Promise<number> {
  let counted = 0;
  for (let life = 0; life < LIVES_MAX; life++) {
    const death = next.next().value;
    const running = startLayer(victim.layer, { ...settings(cards), env: { ...cards.run.env, ...killEnvironment(death) } });
    const timer = death.kind === "outside" ? setTimeout(running.kill, death.afterMs) : undefined;
    const { code, killed, stderr } = await running.ended;
    clearTimeout(timer);
    if (!killed) {
      assert.equal(code, 0, `life ${life}: ${stderr}`);
      return counted;
    }
    const name = nameOf(death);
    if (await hitSomething(death, victim, servers, cards)) {
      counted++;
      histogram.set(name, (histogram.get(name) ?? 0) + 1);
    } else histogram.set(`(not counted: ${name})`, (histogram.get(`(not counted: ${name})`) ?? 0) + 1);
  }
  throw new Error(`${victim.name} was not done after ${LIVES_MAX} lives`);
}

/** Whether input was unread or an epoch open. */
async function hitSomething(death: Death, victim: Victim, servers: CardsServers, cards: CardsOnServers): Promise<boolean> {
  if (death.kind === "step") return !AFTER_THE_LAST_EPOCH.has(death.step);
  return await victim.visible(servers, cards) < victim.visibleAtTheEnd;
}
