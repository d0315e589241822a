/** The running `kafka` sink: the topic, its writer's note, and per lane the rows of the open epoch. */
import type { Batch } from "../../data/batch.ts";
import { createWriter } from "../../data/bytes.ts";
import type { Encoder } from "../../data/codec.ts";
import { assert } from "../../data/fault.ts";
import type { EpochStamp, Guarantee, Marker, Sink, SinkLane } from "../../engine/contracts.ts";
import type { World } from "../../ports/mod.ts";
import { KeyPartitioner } from "../key_partitioner.ts";
import type { RowExpression } from "../row_expressions.ts";
import { PartitionBatches } from "./batch_writer.ts";
import { Cluster, type Topic } from "./cluster.ts";
import type { ConnectionSettings } from "./connection_settings.ts";
import type { EpochProducer } from "./epoch_producer.ts";
import { Patience } from "./patience.ts";
import { ResendingProducer } from "./resending_producer.ts";
import { TransactionalProducer } from "./transactional_producer.ts";
import { writeNote } from "./writer_note.ts";

export interface TopicSinkOptions {
  readonly world: World;
  readonly connecting: ConnectionSettings;
  /** The sink's name. */
  readonly node: string;
  readonly topic: string;
  readonly guarantee: Guarantee;
  /** Where exactly-once: how long readers wait for a writer that died. */
  readonly transactionTimeoutMs: number;
  /** null: the topic must be there. `replication` -1: as the broker is set up. */
  readonly create: { readonly partitions: number; readonly replication: number } | null;
  readonly key: RowExpression | null;
  readonly encoder: Encoder;
  /** Whether the input ends: then readers are told when it has. */
  readonly ends: "bounded" | "endless";
}
interface Opened {
  readonly topic: Topic;
  readonly pipeline: string;
  readonly run: string;
}

export class TopicSink implements Sink {
  readonly guarantee: Guarantee;
  readonly #cluster: Cluster;
  readonly #producers: EpochProducer[] = [];
  #opened: Opened | null = null;
  constructor(private readonly options: TopicSinkOptions) {
    this.guarantee = options.guarantee;
    this.#cluster = new Cluster(options.connecting, options.world);
  }

  /** `fresh` changes nothing: what stands in a topic stays, and may have been read already. */
  async open({ pipeline, run }: { readonly pipeline: string; readonly run: string }): Promise<void> {
    const topic = await this.#patiently(() => this.#findOrCreate());
    this.#opened = { topic, pipeline, run };
    await this.#writeNote("open");
  }

  lane(lane: number): SinkLane {
    assert(this.#opened, "a sink is opened before its lanes");
    const { world, node, topic: name, guarantee, transactionTimeoutMs: timeoutMs } = this.options;
    const { topic, pipeline, run } = this.#opened;
    const options = { world, cluster: this.#cluster, node, name, topic };
    const producer = guarantee === "exactly-once"
      ? new TransactionalProducer({ ...options, timeoutMs, marked: { pipeline, sink: node, lane, run } })
      : new ResendingProducer(options);
    this.#producers.push(producer);
    return new TopicSinkLane(this.options, producer, this.#opened.topic.partitions);
  }

  /** What readers do not see yet lies behind the ends that the note would tell. */
  async finish(): Promise<void> {
    await Promise.all(this.#producers.map((producer) => producer.settle()));
    await this.#writeNote("sealed");
  }

  close(): Promise<void> {
    for (const producer of this.#producers) producer.close();
    this.#producers.length = 0;
    this.#opened = null;
    return Promise.resolve();
  }

  async #findOrCreate(): Promise<Topic> {
    const { topic: name, create, world, node } = this.options;
    const found = await this.#cluster.findTopic(name);
    if (!found) return create ? await this.#cluster.createTopic(name, create) : await this.#cluster.requireTopic(name);
    if (create && create.partitions !== found.partitions) {
      world.log.event("warning", "topic_differs", { node, topic: name, partitions: found.partitions, wished: create.partitions });
    }
    return found;
  }

  async #writeNote(state: "open" | "sealed"): Promise<void> {
    const { ends, topic: name, world, node } = this.options;
    assert(this.#opened, "a sink is opened before its note is written");
    if (ends === "endless") return;
    const { topic, pipeline, run } = this.#opened;
    const written = await this.#patiently(() => writeNote({ cluster: this.#cluster, name, topic }, { state, pipeline, run }));
    if (written === "refused") world.log.event("warning", "note_refused", { node, topic: name, state });
  }

  #patiently<T>(action: () => Promise<T>): Promise<T> {
    const { world, node } = this.options;
    return new Patience({ world, node }).until(action);
  }
}

class TopicSinkLane implements SinkLane {
  readonly #partitions: PartitionBatches[];
  readonly #partitioner: KeyPartitioner;

  constructor(options: TopicSinkOptions, private readonly producer: EpochProducer, partitions: number) {
    this.#partitioner = new KeyPartitioner(options.key);
    const value = createWriter(1024);
    this.#partitions = Array.from({ length: partitions }, () => new PartitionBatches(options.encoder, value));
  }

  async fence(owner: number): Promise<Marker | null> {
    this.discard();
    return await this.producer.fence(owner);
  }

  write(batch: Batch): void {
    this.#partitioner.spread(batch, this.#partitions);
  }

  async deliver(stamp: EpochStamp): Promise<void> {
    if (this.bytesHeld() > 0) await this.producer.commit(stamp, this.#partitions.map((each) => each.prepared()));
    this.discard();
  }

  discard(): void {
    for (const each of this.#partitions) each.clear();
  }

  bytesHeld(): number {
    let bytes = 0;
    for (const each of this.#partitions) bytes += each.bytesHeld;
    return bytes;
  }
}
