/** `check --connect` says what the servers have and lack, and plainly when one does not answer. */
import assert from "node:assert/strict";
import { type CardsOnServers, cardsOnServers, edgesInput } from "./cards.ts";
import { makeTopic } from "./foreign_client.ts";
import { withServers } from "./mod.ts";
import { layerDone, startMillrace } from "./processes.ts";

interface Finding {
  readonly pipeline: string;
  readonly node: string;
  readonly level: string;
  readonly text: string;
  readonly hint?: string;
}

async function findings(cards: CardsOnServers, env: Readonly<Record<string, string>>, wishedCode: number): Promise<readonly Finding[]> {
  const words = ["check", "config/cards", "--connect", "--json"];
  const { code, stdout, stderr } = await startMillrace(words, { ...cards.run, partitions: 4, env: { ...cards.run.env, ...env } }).ended;
  assert.equal(code, wishedCode, stderr || stdout);
  return (JSON.parse(stdout) as { readonly servers: readonly Finding[] }).servers;
}
function of(found: readonly Finding[], pipeline: string, node: string): readonly Finding[] {
  const mine = found.filter((finding) => finding.pipeline === pipeline && finding.node === node);
  assert.ok(mine.length > 0, `something is said about ${node} of ${pipeline}`);
  return mine;
}

await withServers("check --connect, before anything was run and after", ["kafka", "mysql"], async (servers) => {
  await cardsOnServers(servers, edgesInput(), async (cards) => {
    const before = await findings(cards, {}, 0);
    const [topic] = of(before, "produce", "topic");
    assert.match(topic.text, /there is no topic .*; it will be made with 4 partitions/);
    assert.match(of(before, "validate", "decisions")[0].text, /\d+\.\d+.*table decisions will be made/);
    assert.equal(of(before, "validate", "cards")[0].level, "weak");
    assert.match(of(before, "validate", "cards")[0].text, /there is no table "cards"/);

    await layerDone(["load", "initial"], cards.run);
    await makeTopic(servers.kafka.brokers, cards.topic, 2);
    const after = await findings(cards, {}, 0);
    const said = of(after, "produce", "topic").map(({ text }) => text).join("\n");
    assert.match(said, /topic .* has 2 partitions, 1 replica each, min\.insync\.replicas 1/);
    assert.match(said, /is on one broker only/);
    assert.match(said, /has 2 partitions, and the sink would make it with 4/);
    assert.match(of(after, "validate", "transactions")[0].text, /Kafka, 1 broker, metadata\.version \d+: topic/);
    assert.match(of(after, "validate", "cards")[0].text, /table cards has \d+ rows/);
    assert.ok(of(after, "validate", "cards").every(({ level }) => level === "fine"));
  });
});

await withServers("check --connect names a table that cannot keep the rows exactly", ["kafka", "mysql"], async (servers) => {
  await cardsOnServers(servers, edgesInput(), async (cards) => {
    await servers.mysql.admin(`CREATE TABLE ${cards.database}.cards_updated (card_id BIGINT PRIMARY KEY) ENGINE=InnoDB`);
    await servers.mysql.admin(`CREATE TABLE ${cards.database}.decisions LIKE ${cards.database}.cards_updated`);
    await servers.mysql.admin(`ALTER TABLE ${cards.database}.decisions ENGINE=MyISAM`);
    const found = await findings(cards, {}, 1);
    assert.equal(of(found, "load-updated", "cards_updated_table")[0].level, "fault");
    assert.equal(of(found, "validate", "decisions")[0].level, "fault");
  });
});

await withServers("check --connect says plainly which server does not answer", ["kafka", "mysql"], async (servers) => {
  await cardsOnServers(servers, edgesInput(), async (cards) => {
    const found = await findings(cards, { KAFKA_BROKERS: "127.0.0.1:1", MYSQL_URL: "mysql://u:p@127.0.0.1:1/d" }, 1);
    assert.ok(found.length > 5 && found.every(({ level }) => level === "fault"));
    assert.match(of(found, "produce", "topic")[0].text, /127\.0\.0\.1:1\b/);
    assert.match(of(found, "validate", "decisions")[0].text, /127\.0\.0\.1:1\b/);
  });
});
