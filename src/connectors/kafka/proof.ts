/** A topic of its own that a proof has at a cluster. Invariant: only a topic whose name a proof made is ever removed. */
import type { PlanContext, ProofPlace } from "../../component/component.ts";
import { assert, MillraceError } from "../../data/fault.ts";
import type { World } from "../../ports/mod.ts";
import { ofConnection, proofName } from "../proof_setting.ts";
import { Cluster } from "./cluster.ts";
import type { ConnectionSettings } from "./connection_settings.ts";
import { Patience } from "./patience.ts";

const TOPIC_NAME_LENGTH_MAX = 249;

/** As configured; in a proof, one that nobody else has. */
export const topicName = (context: PlanContext, topic: string): string => proofName(context, topic, TOPIC_NAME_LENGTH_MAX);

/** What a sink writes. `configured`: of which a topic that the sink does not make takes its partitions; null: the sink makes it. */
export function proofTopic(context: PlanContext, settings: ConnectionSettings, topic: string, configured: string | null): ProofPlace {
  const patiently = <T>(world: World, action: (cluster: Cluster) => Promise<T>): Promise<T> => {
    assert(context.proof !== undefined && topic.startsWith(context.proof), "a proof touches no topic but its own");
    const cluster = new Cluster(settings, world);
    return new Patience({ world, node: context.name }).until(() => action(cluster));
  };
  return {
    ...ofConnection(context),
    key: `topic ${topic}`,
    async make(world) {
      if (configured === null) return;
      await patiently(world, async (cluster) => {
        if (await cluster.findTopic(topic)) return;
        const { partitions } = await cluster.describe(configured);
        if (partitions === null) throw missing(context, configured);
        await cluster.createTopic(topic, { partitions: partitions.length, replication: -1 });
      });
    },
    remove: (world) => patiently(world, (cluster) => cluster.deleteTopic(topic)),
  };
}

/** What a source reads: whoever writes it makes it. */
export const readTopic = (context: PlanContext): ProofPlace => ({
  ...ofConnection(context),
  key: null,
  make: () => Promise.resolve(),
  remove: () => Promise.resolve(),
});

function missing({ name }: PlanContext, topic: string): MillraceError {
  return new MillraceError("topic_missing", `"${name}" writes topic "${topic}", which is not there`, {
    hint: "make it, or add create = { partitions = 1 } to the sink",
  });
}
