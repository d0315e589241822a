/** A topic, read by librdkafka's reader of committed records. */
import { lackingKcat, readCommittedWithKcat } from "../../services/foreign_client.ts";
import { kafkaBroker } from "../../services/mod.ts";
import { PARTITIONS, rowOf } from "../ledger.ts";
import { freshName, type OpenTarget } from "../target.ts";

export const kafka: OpenTarget = async () => {
  const lacking = await lackingKcat();
  if (lacking !== null) return { skipped: `no kcat: ${lacking}` };
  const broker = await kafkaBroker();
  if ("skipped" in broker) return broker;
  return {
    name: "kafka",
    heldBackMax: 0,
    place: () => {
      const topic = freshName();
      const read = async () => {
        const values = await readCommittedWithKcat(broker.brokers, topic);
        return values.map(({ value }) => {
          const { id, account, amount, balance, count } = JSON.parse(value);
          return rowOf([id, account, amount, balance, count]);
        });
      };
      return Promise.resolve({
        toml: `[connections.target]
type    = "kafka"
brokers = "${broker.brokers}"

[sinks.out]
connection          = "target"
inputs              = ["balances"]
topic               = "${topic}"
key                 = "account"
create              = { partitions = ${PARTITIONS} }
transaction_timeout = "5s"
`,
        env: {},
        shelves: [{ sink: "out", content: "all", rows: read }],
        visible: () => read().then(({ length }) => length, () => 0),
        remove: () => Promise.resolve(),
      });
    },
  };
};
