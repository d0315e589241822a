/** The `log` sink: records of a pipeline into an embedded topic, exactly once. */
import type { SinkContext, SinkPlan, SinkSpec } from "../../component/component.ts";
import type { Batch } from "../../data/batch.ts";
import type { RecordsEncoder } from "../../data/codec.ts";
import { assert, MillraceError } from "../../data/fault.ts";
import type { EpochStamp, HeldRun, Marker, Sink, SinkLane } from "../../engine/contracts.ts";
import { makeDurableFolder } from "../../ports/durable.ts";
import type { World } from "../../ports/mod.ts";
import { tellTime } from "../exchange/exchange_encoder.ts";
import { KeyPartitioner, type NullKeys, planRecordKey } from "../key_partitioner.ts";
import type { RecordKey } from "../row_keys.ts";
import { planTopicFormat, TOPIC_FORMAT } from "../topic_format.ts";
import { CommitFollower } from "./commit_log.ts";
import { readTopicRows } from "./delivered_records.ts";
import { PartitionRows } from "./partition_rows.ts";
import { checkTopicName } from "../topic_name.ts";
import { generationFolder, readTopic, type TopicDescription, type TopicPlace, writeTopic } from "./topic.ts";
import { TopicWriter } from "./topic_writer.ts";

export const logSink: SinkSpec = {
  role: "sink",
  local: true,
  type: "log",
  connection: "log",
  summary: "Appends records to a topic of the embedded log, exactly once.",
  notes: `Readers see whole epochs only, in all partitions at once. A topic has one writing pipeline and, while it runs, one writing
process. A new run of it begins the topic anew; the end of a bounded run seals the topic, which is what a source's
\`until = "end"\` waits for. Each record carries \`meta.origin\` of its row. A key's partition is the one Kafka's Java client chooses
for the key's text; records without a key go round by \`meta.position\`.`,
  settings: {
    kind: "group",
    doc: "A topic of the embedded log.",
    fields: {
      topic: { kind: "text", doc: "The topic's name." },
      create: {
        kind: "group",
        optional: true,
        doc: "Makes the topic where it is missing.",
        fields: {
          partitions: { kind: "int", unit: "partitions", min: 1, max: 1024, default: 1, doc: "Number of partitions." },
          replication: {
            kind: "int",
            unit: "replicas",
            min: 1,
            max: 100,
            optional: true,
            doc: "Of no effect: for a connection whose other variant is a cluster.",
          },
        },
      },
      key: { kind: "cel", optional: true, doc: "The record's key: an int, a decimal or a string." },
      format: TOPIC_FORMAT,
    },
  },
  examples: [{
    title: "A topic of four partitions",
    toml:
      `[sinks.topic]\nconnection = "bus"\ninputs     = ["payments"]\ntopic      = "payments"\nkey        = "id"\ncreate     = { partitions = 4 }\n`,
  }],
  plan: planLogSink,
};

function planLogSink(context: SinkContext): SinkPlan | null {
  const { settings, connection, name } = context;
  assert(connection, "a log sink has a connection");
  const topic = settings.text("topic");
  if (!checkTopicName(topic, settings.at("topic"), context)) return null;
  const format = planTopicFormat(context);
  const key = settings.has("key") ? planRecordKey(context, format?.keys) : undefined;
  if (key === null || format === null) return null;
  const partitions = settings.has("create") ? settings.group("create").number("partitions") : null;
  const folder = `${connection.text("path")}/${topic}`;
  return {
    guarantee: "exactly-once",
    guaranteeNote: "one commit entry makes an epoch visible; one process holds the topic's writer lock",
    needs: new Set([...format.needs, ...key?.expression.uses ?? []]),
    place: folder,
    delivered: ({ files }) => readTopicRows({ files, folder, topic }),
    create: (world) =>
      new LogSink({
        world,
        name,
        place: { files: world.files, folder, topic },
        partitions,
        key: key ?? null,
        encoder: format.encoder,
      }),
  };
}

export interface LogSinkOptions {
  readonly world: World;
  readonly name: string;
  readonly place: TopicPlace;
  /** null: the topic must be there. */
  readonly partitions: number | null;
  readonly key: RecordKey | null;
  readonly encoder: RecordsEncoder;
  /** Between two stages of a pipeline: readers are told of event time too. */
  readonly exchange?: { readonly nullKeys: NullKeys; readonly carriesTime: boolean };
}

export class LogSink implements Sink {
  readonly guarantee = "exactly-once";
  readonly anew = "replaced";
  readonly carriesTime?: true;
  #writer: TopicWriter | null = null;
  #owner = 0;
  #lanes = 0;
  constructor(private readonly options: LogSinkOptions) {
    if (options.exchange?.carriesTime) this.carriesTime = true;
  }

  /** A topic is of one run; one in which nothing was committed holds nothing of it. */
  async heldRuns({ pipeline, shownAs }: { readonly pipeline: string; readonly shownAs?: string }): Promise<readonly HeldRun[]> {
    const { place } = this.options;
    const found = await readTopic(place);
    if (found?.pipeline !== (shownAs ?? pipeline)) return [];
    const follower = new CommitFollower(place.files, generationFolder(place, found.generation));
    try {
      const entries = await follower.read();
      if (entries.length === 0) return [];
      const epochs = entries.map(({ entry }) => entry.kind === "commit" ? entry.epoch : 0);
      return [{ run: found.run, epoch: epochs.reduce((a, b) => Math.max(a, b)) || null }];
    } finally {
      follower.close();
    }
  }

  async open({ shownAs, ...run }: Parameters<Sink["open"]>[0]): Promise<void> {
    this.#lanes = run.lanes;
    const { world, place } = this.options;
    // The lock would make missing folders too, but none that outlive a power cut.
    await makeDurableFolder(place.files, place.folder);
    const lock = await world.locks.acquire(`${place.folder}/writer.lock`);
    if (!lock) {
      throw new MillraceError("locked", `another process is writing topic "${place.topic}"`, {
        hint: `a topic has one writer at a time; the lock is ${place.folder}/writer.lock`,
      });
    }
    try {
      this.#writer = new TopicWriter(place, await this.#describe({ ...run, pipeline: shownAs ?? run.pipeline }), lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  lane(lane: number): SinkLane {
    assert(this.#writer, "a sink is opened before its lanes");
    return new LogSinkLane(this.options, this.#writer, { lane, lanes: this.#lanes }, (owner) => this.#owner = Math.max(this.#owner, owner));
  }

  async finish(): Promise<void> {
    assert(this.#writer, "a sink is opened before it is finished");
    await this.#writer.seal(this.#owner);
  }

  async close(): Promise<void> {
    await this.#writer?.close();
    this.#writer = null;
  }

  /** The generation that this run writes, made where it is a new one. */
  async #describe({ pipeline, run, fresh }: { pipeline: string; run: string; fresh: boolean }): Promise<TopicDescription> {
    const { place } = this.options;
    const { topic, folder } = place;
    const found = await readTopic(place);
    if (found && found.pipeline !== pipeline) {
      throw new MillraceError("topic_owned", `topic "${topic}" is written by pipeline "${found.pipeline}"`, {
        hint: `give "${pipeline}" a topic of its own, or remove ${folder}`,
      });
    }
    if (found?.run === run) return found;
    if (!fresh) {
      throw new MillraceError("topic_lost", `topic "${topic}" no longer holds what this run has written`, {
        hint: `${folder} was removed or replaced; put it back, or start over with --rerun`,
      });
    }
    const partitions = this.options.partitions ?? found?.partitions;
    if (partitions === undefined) {
      throw new MillraceError("topic_missing", `there is no topic "${topic}" at ${folder}`, {
        hint: "add create = { partitions = 1 } to the sink",
      });
    }
    const next: TopicDescription = { version: 1, generation: (found?.generation ?? 0) + 1, partitions, pipeline, run };
    await writeTopic(place, next, run);
    if (found) await place.files.remove(`${folder}/${found.generation}`);
    return next;
  }
}

class LogSinkLane implements SinkLane {
  readonly #partitions: PartitionRows[];
  readonly #partitioner: KeyPartitioner;
  constructor(
    options: LogSinkOptions,
    private readonly writer: TopicWriter,
    private readonly place: { readonly lane: number; readonly lanes: number },
    private readonly onOwner: (owner: number) => void,
  ) {
    this.#partitions = Array.from({ length: writer.partitions }, () => new PartitionRows(options.encoder));
    this.#partitioner = new KeyPartitioner(options.key, options.exchange?.nullKeys);
  }

  async fence(owner: number): Promise<Marker | null> {
    this.onOwner(owner);
    this.discard();
    return await this.writer.fence(this.place.lane, owner);
  }

  write(batch: Batch): void {
    this.#partitioner.spread(batch, this.#partitions);
  }

  async deliver(stamp: EpochStamp): Promise<void> {
    if (stamp.time) tellTime(stamp.time, this.place, this.#partitions);
    if (this.bytesHeld() > 0) await this.writer.commit(stamp, this.#partitions.map((rows) => rows.bodies()));
    this.discard();
  }

  discard(): void {
    for (const rows of this.#partitions) rows.clear();
  }

  bytesHeld(): number {
    let bytes = 0;
    for (const rows of this.#partitions) bytes += rows.bytes;
    return bytes;
  }
}
