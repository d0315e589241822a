/** What `check --connect` learns from a cluster: whether a topic is as the project wants it, and how safely it keeps records. */
import type { Finding } from "../../component/component.ts";
import type { World } from "../../ports/mod.ts";
import { Cluster, type Description } from "./cluster.ts";
import type { ConnectionSettings } from "./connection_settings.ts";

/** The sink's `create`; null where the topic must be there. */
export type Wished = { readonly partitions: number } | null;

/** Throws where no broker answers. */
export async function inspectSource(settings: ConnectionSettings, topic: string, world: World): Promise<Finding[]> {
  const description = await new Cluster(settings, world).describe(topic);
  if (!description.partitions) {
    const text = `${clusterName(description)}: there is no topic ${topic} yet`;
    return [{ level: "weak", text, hint: "the source waits for it: start the pipeline that writes it" }];
  }
  return [topicFinding(topic, description), ...retentionFindings(topic, description)];
}

/** Throws where no broker answers. */
export async function inspectSink(settings: ConnectionSettings, topic: string, wished: Wished, world: World): Promise<Finding[]> {
  const description = await new Cluster(settings, world).describe(topic);
  const { partitions } = description;
  if (!partitions) {
    const text = `${clusterName(description)}: there is no topic ${topic}`;
    if (!wished) return [{ level: "fault", text, hint: "make it, or add create = { partitions = 1 } to the sink" }];
    return [{ level: "fine", text: `${text}; it will be made with ${count(wished.partitions, "partition")}` }];
  }
  const findings = [topicFinding(topic, description), ...durabilityFindings(topic, description)];
  if (wished && wished.partitions !== partitions.length) {
    const text = `topic ${topic} has ${count(partitions.length, "partition")}, and the sink would make it with ${wished.partitions}`;
    findings.push({ level: "weak", text, hint: "a topic that is there stays as it is: change one of the two" });
  }
  return findings;
}

function topicFinding(topic: string, description: Description): Finding {
  const partitions = description.partitions!;
  const leaderless = partitions.filter(({ leader }) => leader < 0).length;
  const replicas = Math.min(...partitions.map((partition) => partition.replicas));
  const minInSync = description.settings.get("min.insync.replicas");
  const text =
    `${clusterName(description)}: topic ${topic} has ${count(partitions.length, "partition")}, ${count(replicas, "replica")} each` +
    (minInSync === undefined ? "" : `, min.insync.replicas ${minInSync}`);
  if (leaderless === 0) return { level: "fine", text };
  return { level: "fault", text: `${text}; ${leaderless} without a leader`, hint: "a broker is down: start it" };
}

/** What is acknowledged is as safe as the fewest copies that an acknowledgement stands for. */
function durabilityFindings(topic: string, { partitions, settings }: Description): Finding[] {
  const findings: Finding[] = [];
  const replicas = Math.min(...partitions!.map((partition) => partition.replicas));
  const minInSync = Number(settings.get("min.insync.replicas") ?? Infinity);
  if (replicas < 2) {
    const text = `topic ${topic} is on one broker only: its disk is the only copy`;
    findings.push({ level: "weak", text, hint: "three replicas with min.insync.replicas = 2 survive the loss of a broker" });
  } else if (minInSync < 2) {
    const text = `topic ${topic} acknowledges what only one broker has, when the others lag`;
    findings.push({ level: "weak", text, hint: "set min.insync.replicas = 2 for the topic" });
  }
  const behind = partitions!.filter((partition) => partition.inSync < Math.min(partition.replicas, minInSync)).length;
  if (behind > 0) {
    const text = `${count(behind, "partition")} of topic ${topic} takes no records: too few replicas are in sync`;
    findings.push({ level: "fault", text, hint: "a broker is down or lags: see to it" });
  }
  return findings;
}

/** A topic must hold its records until they were read, and once more after a crash. */
function retentionFindings(topic: string, { settings }: Description): Finding[] {
  if ((settings.get("cleanup.policy") ?? "").includes("compact")) {
    const text = `topic ${topic} is compacted: records that were replaced before they were read are not seen`;
    return [{ level: "weak", text, hint: "set cleanup.policy = delete for a topic of events" }];
  }
  const retentionMs = Number(settings.get("retention.ms") ?? -1);
  if (retentionMs < 0) return [];
  const hours = Math.round(retentionMs / 3_600_000);
  return [{ level: "fine", text: `topic ${topic} keeps records for ${count(hours, "hour")}: the pipeline must not be away for longer` }];
}

function clusterName({ brokers, metadataVersion }: Description): string {
  return `Kafka, ${count(brokers, "broker")}${metadataVersion === null ? "" : `, metadata.version ${metadataVersion}`}`;
}

const count = (number: number, of: string): string => `${number} ${of}${number === 1 ? "" : "s"}`;
