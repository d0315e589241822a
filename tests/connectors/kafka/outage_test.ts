/** Brokers that stop and come back in the middle: everything waits, says so and goes on. */
import assert from "node:assert/strict";
import type { MillraceError } from "../../../src/data/fault.ts";
import { withServers } from "../../services/mod.ts";
import { plan } from "../support/project.ts";
import { batchOf, rowTexts } from "../support/rows.ts";
import { connectionToml, kafkaSource, loggedWorld, makeTopic, newTopic, readTopic, recordJson, withClient } from "./support/kafka_world.ts";

const LIMITS = { rowsMax: 100, bytesMax: 1 << 20 };

for (const guarantee of ["exactly_once", "at_least_once"]) {
  await withServers(
    `a broker that stops and starts: the source reads on, the sink writes on (${guarantee}), nothing is lost or twice`,
    ["kafka"],
    async ({ kafka }) => {
      const { brokers } = kafka;
      const [input, output] = [newTopic("in"), newTopic("out")];
      await withClient(brokers, async (client) => {
        await makeTopic(client, input);
        for (let part = 0; part < 10; part++) {
          const messages = Array.from({ length: 100 }, (_, i) => ({ partition: 0, value: recordJson(part * 100 + i) }));
          await client.producer.send({ topic: input, messages });
        }
      });
      const world = loggedWorld();
      const reader = await (await kafkaSource({ brokers, topic: input, more: 'until = "never"' }, world)).reader(0);
      const blueprint = await plan(`${connectionToml(brokers)}
[sources.in]
type = "csv"
path = "x"
fields = { id = "int" }
[sinks.out]
connection = "bus"
inputs = ["in"]
topic = "${output}"
create = { partitions = 1 }
guarantee = "${guarantee}"`);
      const { plan: sinkPlan, input: type } = blueprint.sinks.find(({ name }) => name === "out")!;
      const sink = sinkPlan.create(world);
      await sink.open({ pipeline: "p", run: "r", lanes: 1, fresh: true });
      const lane = sink.lane(0);
      await lane.fence(1);
      /** Does as the engine does where a delivery is in doubt: takes over again and believes the marker. */
      const deliver = async (epoch: number): Promise<void> => {
        lane.write(batchOf(type, Array.from({ length: 10 }, (_, i) => [epoch * 10 + i])));
        try {
          await lane.deliver({ pipeline: "p", run: "r", lane: 0, epoch, owner: 1, digest: String(epoch), timeMicros: 0 });
        } catch (error) {
          assert.notEqual((error as MillraceError).retry, "never");
          if ((await lane.fence(2))?.epoch !== epoch) await deliver(epoch);
        }
      };
      const rows: string[] = [];
      let position = reader.start;
      const readTo = async (count: number) => {
        const idle: number[] = [];
        while (rows.length < count) {
          const polled = await reader.poll(position, LIMITS);
          if (polled.kind === "batch") {
            rows.push(...rowTexts(polled.batch));
            position = polled.next;
          } else {
            assert.equal(polled.kind, "idle");
            idle.push(1);
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        }
      };
      await readTo(300);
      await deliver(0);
      await kafka.stop();
      const waiting = [deliver(1), readTo(1100)];
      await new Promise((resolve) => setTimeout(resolve, 2500));
      await kafka.start();
      await withClient(brokers, (client) =>
        client.producer.send({
          topic: input,
          messages: Array.from({ length: 100 }, (_, i) => ({ partition: 0, value: recordJson(1000 + i) })),
        }));
      await Promise.all(waiting);
      await deliver(2);
      await sink.finish();
      await sink.close();
      reader.close();
      assert.deepEqual(
        rows.map((row) => Number(row.split(" ")[0])),
        Array.from({ length: 1100 }, (_, i) => i),
      );
      const messages = await withClient(brokers, (client) => readTopic(client, output, 30));
      assert.deepEqual(messages.map(({ value }) => JSON.parse(value!).id), Array.from({ length: 30 }, (_, id) => id));
      const names = world.events.map(({ name, text }) => `${name} ${JSON.parse(text.split(" ").slice(2).join(" ")).node}`);
      for (const node of ["in", "out"]) {
        const told = names.filter((name) => name === `server_unreachable ${node}`).length;
        assert.ok(told >= 1 && told <= 3, `${node}: ${names}`);
        assert.ok(names.includes(`server_reached ${node}`), names.join());
      }
    },
  );
}
