/** Rows change lanes through a Kafka topic while the process is killed by SIGKILL again and again: none lost, doubled or reordered. */
import assert from "node:assert/strict";
import { newTopic } from "../connectors/kafka/support/kafka_world.ts";
import { inTemporaryFolder } from "../golden/command_line.ts";
import { killUntilDone } from "../repartition/kills.ts";
import { paymentsProject } from "../repartition/payments.ts";
import { withServers } from "./mod.ts";

const SEED = 20260303;
const busOf = (brokers: string): string => `type = "kafka"\nbrokers = "${brokers}"`;

await withServers("rows that change lanes through Kafka, and a second run that begins the topic anew", ["kafka"], async ({ kafka }) => {
  await inTemporaryFolder(async (folder) => {
    const name = newTopic("lanes");
    const project = await paymentsProject(folder, { bus: busOf(kafka.brokers), name, rows: 2000, seed: SEED });
    const produced = await project.run(["run", ".", `produce_${name}`]);
    assert.equal(produced.code, 0, produced.stderr);
    for (const flags of [[], ["--rerun"]]) {
      const { code, stderr } = await project.run(["run", ".", name, ...flags]);
      assert.equal(code, 0, stderr);
      await project.verify();
    }
  });
});

await withServers(
  `rows that change lanes through Kafka, killed at every step of both stages (seed ${SEED})`,
  ["kafka"],
  async (servers, test) => {
    const shown = await killUntilDone({
      seed: SEED,
      wanted: 20,
      bus: () => ({ bus: busOf(servers.kafka.brokers), name: newTopic("lanes") }),
      inFolder: inTemporaryFolder,
    });
    // As the name of a step, since a quiet test run drops what tests print.
    await test.step(shown, () => {});
  },
);
