/** A server that goes away during a run and comes back: the run waits, says so, and goes on to the same result. */
import { assertDecisions, type CardsOnServers, cardsOnServers, type CardsServers, edgesInput, expectedOf } from "./cards.ts";
import { eventually } from "./instance.ts";
import { withServers } from "./mod.ts";
import { layerDone, startLayer } from "./processes.ts";
import assert from "node:assert/strict";

const input = edgesInput();
const small = (cards: CardsOnServers) => ({ ...cards.run, partitions: 2, set: ["epoch.records_max=10"] });

/** The producer dies with most of its records unsent, so that the validator, which follows it, is in the middle of a run. */
async function inTheMiddleOfARun(servers: CardsServers, body: (cards: CardsOnServers) => Promise<void>): Promise<void> {
  await cardsOnServers(servers, input, async (cards) => {
    await layerDone(["load", "initial"], small(cards));
    await layerDone(["produce", "order"], small(cards));
    const dying = startLayer(["produce", "produce"], { ...small(cards), env: { ...cards.run.env, MILLRACE_KILL_AT: "head_flipped:5" } });
    assert.ok((await dying.ended).killed);
    await body(cards);
  });
}

await withServers("MySQL stops and starts while the validator writes into it", ["kafka", "mysql"], async (servers) => {
  await inTheMiddleOfARun(servers, async (cards) => {
    const validator = startLayer(["stream"], small(cards));
    try {
      await someDecisions(servers, cards);
      await servers.mysql.stop();
      await layerDone(["produce"], small(cards));
      await validator.says(/server_unreachable|mysql_unreachable|mysql_lost/);
      await servers.mysql.start();
      const { code, stderr } = await validator.ended;
      assert.equal(code, 0, stderr);
      await assertDecisions(servers.mysql, cards.database, expectedOf(input));
    } finally {
      validator.kill();
      await validator.ended;
    }
  });
});

await withServers("Kafka stops and starts while the validator reads from it", ["kafka", "mysql"], async (servers) => {
  await inTheMiddleOfARun(servers, async (cards) => {
    const validator = startLayer(["stream"], small(cards));
    try {
      await someDecisions(servers, cards);
      await servers.kafka.stop();
      await validator.says(/server_unreachable/);
      await servers.kafka.start();
      await layerDone(["produce"], small(cards));
      const { code, stderr } = await validator.ended;
      assert.equal(code, 0, stderr);
      await assertDecisions(servers.mysql, cards.database, expectedOf(input));
    } finally {
      await servers.kafka.start();
      validator.kill();
      await validator.ended;
    }
  });
});

await withServers("servers that are down at the start are waited for", ["kafka", "mysql"], async (servers) => {
  await cardsOnServers(servers, input, async (cards) => {
    await servers.mysql.stop();
    const loader = startLayer(["load", "initial"], small(cards));
    try {
      await loader.says(/server_unreachable/);
      await servers.mysql.start();
      assert.equal((await loader.ended).code, 0, (await loader.ended).stderr);
    } finally {
      loader.kill();
      await loader.ended;
    }
    await servers.kafka.stop();
    const producer = startLayer(["produce"], small(cards));
    try {
      await producer.says(/server_unreachable/);
      await servers.kafka.start();
      assert.equal((await producer.ended).code, 0, (await producer.ended).stderr);
    } finally {
      producer.kill();
      await producer.ended;
      await servers.kafka.start();
    }
  });
});

/** Waits until the validator has written something. */
async function someDecisions({ mysql }: CardsServers, { database }: CardsOnServers): Promise<void> {
  const written = async () => {
    try {
      return Number((await mysql.rows(`SELECT COUNT(*) FROM ${database}.decisions`))[0][0]) > 0;
    } catch {
      return false; // The table is not there yet.
    }
  };
  assert.ok(await eventually(written, 30_000), "the validator writes");
}
