/** The running `kafka` sink: the topic, its writer's note, and per lane the rows of the open epoch. */
import type { Batch } from "../../data/batch.ts";
import type { RecordsEncoder } from "../../data/codec.ts";
import { assert } from "../../data/fault.ts";
import type { Anew, EpochStamp, Guarantee, HeldRun, Marker, Sink, SinkLane } from "../../engine/contracts.ts";
import type { World } from "../../ports/mod.ts";
import { tellTime } from "../exchange/exchange_encoder.ts";
import { KeyPartitioner, type NullKeys } from "../key_partitioner.ts";
import type { RecordKey } from "../row_keys.ts";
import { BatchMemory, PartitionBatches, type PreparedBatch } from "./batch_writer.ts";
import type { RecordHeaders } from "./record_wrapper.ts";
import { Cluster, type Topic } from "./cluster.ts";
import type { CompressionName, Compressor } from "./compression.ts";
import type { ConnectionSettings } from "./connection_settings.ts";
import { MARKER_PARTITION, markerGroup, parseHeldRun } from "./epoch_marker.ts";
import type { EpochProducer } from "./epoch_producer.ts";
import { LANES_ASKED_MAX } from "./limits.ts";
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
  readonly key: RecordKey | null;
  readonly encoder: RecordsEncoder;
  readonly headers: RecordHeaders;
  readonly compression: CompressionName | "none";
  /** Whether the input ends: then readers are told when it has. */
  readonly ends: "bounded" | "endless";
  /** Between two stages of a pipeline: the topic is its alone, and readers are told of event time too. */
  readonly exchange?: { readonly nullKeys: NullKeys; readonly carriesTime: boolean };
}
interface Opened {
  readonly topic: Topic;
  readonly pipeline: string;
  readonly run: string;
  readonly lanes: number;
  readonly epochMs: number;
  readonly compressor: Compressor | null;
  /** Of one record batch, before it is compressed. */
  readonly bytesMax: number;
}

export class TopicSink implements Sink {
  readonly guarantee: Guarantee;
  readonly anew: Anew;
  readonly carriesTime?: true;
  readonly #cluster: Cluster;
  readonly #producers = new Set<EpochProducer>();
  readonly #memory = new BatchMemory();
  #opened: Opened | null = null;
  constructor(private readonly options: TopicSinkOptions) {
    this.guarantee = options.guarantee;
    this.anew = options.exchange ? "replaced" : "repeated";
    if (options.exchange?.carriesTime) this.carriesTime = true;
    this.#cluster = new Cluster(options.connecting, options.world);
  }

  /** By lane: each keeps the marker of the run that wrote through it last. */
  async heldRuns({ pipeline: configured, lanes }: { readonly pipeline: string; readonly lanes: number }): Promise<readonly HeldRun[]> {
    const { topic, node } = this.options;
    const pipeline = this.#named(configured);
    if (!(await this.#patiently(() => this.#cluster.findTopic(topic)))) return [];
    const held = new Map<string, HeldRun>();
    for (let from = 0; from < lanes; from += LANES_ASKED_MAX) {
      const asked = Array.from({ length: Math.min(LANES_ASKED_MAX, lanes - from) }, (_, i) => from + i);
      const found = await Promise.all(asked.map((lane) => {
        const group = markerGroup({ pipeline, sink: node, lane, run: "" });
        return this.#patiently(async () => parseHeldRun(await this.#cluster.committedOffsets(group, topic, [MARKER_PARTITION])));
      }));
      for (const one of found) if (one && (one.epoch ?? 0) >= (held.get(one.run)?.epoch ?? 0)) held.set(one.run, one);
    }
    return [...held.values()];
  }

  /** What stands in a topic stays, and may have been read already; but one between two stages begins each run empty. */
  async open({ pipeline: configured, run, lanes, fresh, epochMs = Infinity }: Parameters<Sink["open"]>[0]): Promise<void> {
    const pipeline = this.#named(configured);
    const topic = await this.#patiently(() => this.#findOrCreate());
    if (fresh && this.options.exchange) await this.#patiently(() => this.#cluster.deleteRecords(this.options.topic, topic));
    const { compression } = this.options;
    const compressor = compression === "none" ? null : (await this.#cluster.codecs()).compressor(compression);
    const bytesMax = await this.#patiently(() => this.#cluster.batchBytesMax(this.options.topic));
    this.#opened = { topic, pipeline, run, lanes, epochMs, compressor, bytesMax };
    await this.#writeNote("open");
  }

  lane(lane: number): SinkLane {
    assert(this.#opened, "a sink is opened before its lanes");
    const { world, node, topic: name, guarantee, transactionTimeoutMs: timeoutMs } = this.options;
    const { topic, pipeline, run, lanes, epochMs, compressor, bytesMax } = this.#opened;
    const options = { world, cluster: this.#cluster, node, name, topic };
    const producer = guarantee === "exactly-once"
      ? new TransactionalProducer({ ...options, timeoutMs, epochMs, marked: { pipeline, sink: node, lane, run } })
      : new ResendingProducer(options);
    this.#producers.add(producer);
    const { encoder, headers, key, exchange } = this.options;
    const memory = this.#memory;
    const batches = () => new PartitionBatches(encoder, headers, { compressor, memory, bytesMax });
    const partitions = Array.from({ length: topic.partitions }, batches);
    const partitioner = new KeyPartitioner(key, exchange?.nullKeys);
    return new TopicSinkLane({ lane, lanes }, partitioner, partitions, producer, () => void this.#producers.delete(producer));
  }

  async settle(): Promise<void> {
    await Promise.all(this.#producers.values().map((producer) => producer.settle()));
  }

  /** What readers do not see yet lies behind the ends that the note would tell. */
  async finish(): Promise<void> {
    await this.settle();
    await this.#writeNote("sealed");
  }

  close(): Promise<void> {
    for (const producer of this.#producers) producer.close();
    this.#producers.clear();
    this.#opened = null;
    return Promise.resolve();
  }

  /** The cluster knows a proof's pipeline by a name of its own. */
  #named(pipeline: string): string {
    return (this.options.connecting.proof ?? "") + pipeline;
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
  /** Whether anything of the open epoch was handed to the producer. */
  #hasPushed = false;

  constructor(
    private readonly place: { readonly lane: number; readonly lanes: number },
    private readonly partitioner: KeyPartitioner,
    private readonly partitions: readonly PartitionBatches[],
    private readonly producer: EpochProducer,
    private readonly released: () => void,
  ) {}

  async fence(owner: number): Promise<Marker | null> {
    this.discard();
    return await this.producer.fence(owner);
  }

  write(batch: Batch): void {
    this.partitioner.spread(batch, this.partitions);
    if (this.producer.sendsEarly) this.#push((each) => each.takeFull());
  }

  async deliver(stamp: EpochStamp): Promise<void> {
    if (this.producer.holds(stamp)) return this.discard();
    if (stamp.time) tellTime(stamp.time, this.place, this.partitions);
    this.#push((each) => each.takeAll());
    if (!this.#hasPushed) return;
    this.#hasPushed = false;
    await this.producer.commit(stamp);
  }

  discard(): void {
    for (const each of this.partitions) each.clear();
    if (this.#hasPushed) this.producer.discard();
    this.#hasPushed = false;
  }

  bytesHeld(): number {
    let bytes = this.producer.bytesWaiting;
    for (const each of this.partitions) bytes += each.bytesHeld;
    return bytes;
  }

  release(): Promise<void> {
    this.producer.close();
    this.released();
    return Promise.resolve();
  }

  #push(take: (from: PartitionBatches) => PreparedBatch[]): void {
    for (const [partition, batches] of this.partitions.entries()) {
      for (const batch of take(batches)) {
        this.producer.push(partition, batch);
        this.#hasPushed = true;
      }
    }
  }
}
