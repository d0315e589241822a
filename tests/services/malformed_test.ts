/** Messages that are no payments, from other clients: each is refused with its place, and they stop nothing. */
import assert from "node:assert/strict";
import { assertDecisions, cardsOnServers, edgesInput, expectedOf } from "./cards.ts";
import { type ForeignMessage, lackingKcat, makeTopic, sendWithKafkajs, sendWithKcat } from "./foreign_client.ts";
import { withServers } from "./mod.ts";
import { layerDone } from "./processes.ts";

const PAYMENT = {
  transaction_id: 1,
  card_id: 1,
  merchant_name: "M",
  timestamp: "2025-04-01 10:00:00",
  location: "L",
  transaction_type: "T",
};

/** Value, and the reason for which it is refused. */
const MALFORMED: readonly (readonly [value: string | null, reason: string])[] = [
  ["not JSON", "json"],
  ["", "json"],
  [null, "json"],
  ['{"transaction_id": 1, "card_id"', "json"],
  ["[1, 2, 3]", "json"],
  ["\u0000\u0001\u0002", "json"],
  [JSON.stringify({ ...PAYMENT }), "missing:amount"],
  [JSON.stringify({ ...PAYMENT, amount: "a lot" }), "type:amount"],
  [JSON.stringify({ ...PAYMENT, amount: null }), "type:amount"],
  [JSON.stringify({ ...PAYMENT, amount: 1.005 }), "scale:amount"],
  [JSON.stringify({ ...PAYMENT, amount: 1, timestamp: "soon" }), "type:timestamp"],
  ['{"transaction_id":1,"card_id":1,"amount":NaN}', "json"],
];

interface Reject {
  readonly source: string;
  readonly partition: number;
  readonly position: number;
  readonly reason: string;
  readonly raw: string;
}

await withServers(
  "messages of kafkajs and kcat that are no payments end among the rejects",
  ["kafka", "mysql"],
  async ({ kafka, mysql }, test) => {
    const input = edgesInput();
    const noKcat = await lackingKcat();
    await cardsOnServers({ kafka, mysql }, input, async ({ run, topic, output, database }) => {
      const cards = { ...run, partitions: 2 };
      await layerDone(["load", "initial"], cards);
      await makeTopic(kafka.brokers, topic, 2);
      const messages = MALFORMED.map(([value], index): ForeignMessage => ({
        partition: index % 2,
        key: index % 3 === 0 ? null : "1",
        value,
      }));
      await sendWithKafkajs(kafka.brokers, topic, messages);
      const wished = MALFORMED.map(([value, reason], index) => ({
        partition: index % 2,
        position: Math.floor(index / 2),
        reason,
        raw: value ?? "",
      }));
      const lines = ["from kcat", '{"amount": }'];
      if (noKcat === null) {
        await sendWithKcat(kafka.brokers, topic, 1, lines);
        wished.push(...lines.map((raw, index) => ({ partition: 1, position: MALFORMED.length / 2 + index, reason: "json", raw })));
      }
      await layerDone(["produce"], cards);
      await layerDone(["stream"], cards);

      const rejects = Deno.readTextFileSync(`${output}/rejects/validate.ndjson`).trimEnd().split("\n").map((line) =>
        JSON.parse(line) as Reject
      );
      const byPlace = (a: { partition: number; position: number }, b: { partition: number; position: number }) =>
        a.partition - b.partition || a.position - b.position;
      assert.deepEqual(
        rejects.map(({ partition, position, reason, raw }) => ({ partition, position, reason, raw })).toSorted(byPlace),
        wished.toSorted(byPlace),
      );
      assert.ok(rejects.every(({ source }) => source === "transactions"));
      // All payments behind the poison are decided as if it had not been there.
      await assertDecisions(mysql, database, expectedOf(input));
      await test.step(noKcat === null ? "with kcat" : `SKIPPED (${noKcat}): kcat`, () => {});
    });
  },
);
