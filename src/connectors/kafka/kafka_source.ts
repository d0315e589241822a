/** The `kafka` source: settings, their check, and what the partitions of a topic share while they are read. */
import type { SourceContext, SourcePlan, SourceSpec } from "../../component/component.ts";
import type { Decoder } from "../../data/codec.ts";
import { assert, MillraceError } from "../../data/fault.ts";
import { compileJsonDecoder } from "../../data/json/mod.ts";
import { timestampText } from "../../data/time.ts";
import type { PartitionShare, Position, Source, SourceReader } from "../../engine/contracts.ts";
import type { World } from "../../ports/mod.ts";
import { parseUntil, type Until } from "../log/until.ts";
import { CHANGES_NOTE, DELETES, READ_FORMAT, topicDecoding } from "../change_format.ts";
import { plainRows, type RowMaker } from "../source_batch.ts";
import { Cluster, type Topic } from "./cluster.ts";
import { type ConnectionSettings, connectionSettings } from "./connection_settings.ts";
import type { OffsetPlace } from "./broker_connection.ts";
import { PartitionFetcher } from "./fetcher.ts";
import { type GroupSettings, GroupShare } from "./group_share.ts";
import { inspectSource } from "./inspect.ts";
import { checkTopicName } from "../topic_name.ts";
import { EMPTY_TOPIC_WAIT_MS, NOTE_WAIT_MS, SEAL_POLL_MS } from "./limits.ts";
import { PartitionReader } from "./partition_reader.ts";
import { Patience } from "./patience.ts";
import { readTopic, topicName } from "./proof.ts";
import { parsePlace } from "./position.ts";
import { readNote, type WriterNote } from "./writer_note.ts";

export const kafkaSource: SourceSpec = {
  role: "source",
  type: "kafka",
  connection: "kafka",
  changelog: true,
  summary: "Reads a Kafka topic, partition by partition.",
  notes:
    `Positions are offsets and lie in the pipeline's own checkpoint. Only committed records are read: those of aborted transactions are not seen. \`meta.position\` is the offset, \`meta.origin\` the number in the header \`millrace-origin\`,
else the offset. A record without a value is rejected as \`json\`, like any other that is none. Waits for the topic and for brokers that
do not answer. Records that retention removed before they were read stop the pipeline with \`offset_lost\`: nothing is passed over in
silence.

Kafka knows no end of a topic. \`until = "end"\` is the end as it is when the run first starts, however often it is started again.
Where a bounded pipeline of millrace writes the topic, it is that writer's end, and is waited for: the writer keeps a note as offsets of
the group \`millrace.writer.TOPIC\`, which source and sink need the right to. A topic that is empty and has no note yet is given five seconds to get one. A run over a topic without such a note begins anew when
it is started again after its end, because the topic may hold more by then.

Replicas share the partitions of an endless source (\`until = "never"\`) where the checkpoints lie in a shared store (\`[state] url\`): they join
the consumer group \`group\`. A replica that comes or goes moves as few partitions as possible: the old owner finishes its open epoch, the
new one goes on from the checkpoint. One that dies is missed after \`session_timeout\`; with a \`member\` of its own it may come back
before that and finds its partitions again. Membership only settles who reads: a replica that was given up and wakes again is refused by
the checkpoint store and by the sinks. The group's offsets are committed once a second, as information for those who watch its lag.
Without a shared store no group is joined.

Each partition is read over a connection of its own and holds up to 4 MiB fetched ahead.

${CHANGES_NOTE}`,
  settings: {
    kind: "group",
    doc: "A Kafka topic.",
    fields: {
      topic: { kind: "text", doc: "The topic's name." },
      format: READ_FORMAT,
      deletes: DELETES,
      key: { kind: "text", optional: true, doc: "The field that the producer keys the topic by: state keyed alike needs no repartition." },
      start: {
        kind: "text",
        default: "earliest",
        doc:
          "Where the first run begins: `earliest`, `latest`, or at the first record that is not older than a time, as 2026-02-21T12:00:00Z.",
      },
      until: {
        kind: "text",
        default: "end",
        doc:
          "When the input ends: `end` (as seen at the start, or of its writer), `idle 10s`, `count N` (records of each partition), `never`.",
      },
      group: {
        kind: "text",
        optional: true,
        operational: true,
        doc: "The consumer group of the pipeline's replicas. Default: `millrace.PIPELINE.SOURCE`.",
      },
      member: {
        kind: "text",
        optional: true,
        operational: true,
        doc:
          'Names this replica in the group over restarts (group.instance.id), for example "${HOSTNAME}"; each needs another. Default: none.',
      },
      session_timeout: {
        kind: "duration",
        default: "10s",
        operational: true,
        doc: "A replica that is silent for this long is given up, and others read its partitions.",
      },
    },
  },
  examples: [{
    title: "A topic without end",
    toml: `[connections.bus]
type    = "kafka"
brokers = "127.0.0.1:9092"

[sources.payments]
connection = "bus"
topic      = "payments"
fields     = { id = "int", amount = "decimal(2)" }
key        = "id"
until      = "never"
`,
  }],
  plan: planKafkaSource,
};

/** What a source reads and a sink writes, as both state it. */
export const topicPlace = (topic: string): string => `topic ${topic}`;

function planKafkaSource(context: SourceContext): SourcePlan | null {
  const { settings, connection, type, name, pipeline } = context;
  assert(connection, "a kafka source has a connection");
  const connecting = connectionSettings(connection, context);
  const until = checkUntil(context);
  const start = checkStart(context);
  const configured = settings.text("topic");
  const topic = topicName(context, configured);
  const isNamed = checkTopicName(configured, settings.at("topic"), context);
  const isKeyed = checkKey(context);
  const decoding = topicDecoding(context);
  if (!connecting || !until || !start || !isNamed || !isKeyed || !decoding) return null;
  const redecode = (needed: ReadonlySet<string>): Decoder => compileJsonDecoder({ ...decoding, needed });
  return {
    bounded: until.kind !== "never",
    partitionedBy: settings.has("key") ? settings.text("key") : null,
    partitioned: true,
    isShared: context.replicas === "several" && until.kind === "never",
    place: topicPlace(topic),
    proof: readTopic(context),
    inspect: (world) => inspectSource(connecting, topic, world),
    redecode,
    create: (world, needed) => {
      // One object for all partitions: their decoders share the code that is compiled for it.
      const spec = { ...decoding, needed };
      return new KafkaSource({
        world,
        connecting,
        node: name,
        topic,
        start,
        until,
        rows: (partition) => plainRows({ source: name, partition, type }, compileJsonDecoder(spec)),
        group: {
          group: settings.has("group") ? settings.text("group") : `millrace.${pipeline}.${name}`,
          member: settings.has("member") && settings.text("member") !== "" ? settings.text("member") : null,
          sessionTimeoutMs: settings.number("session_timeout"),
        },
      });
    },
  };
}

function checkUntil(context: SourceContext): Until | null {
  const { settings } = context;
  const until = parseUntil(settings.text("until"));
  if (!until) {
    const message = `"${settings.text("until")}" does not say when the input ends`;
    context.fault(settings.at("until"), message, "write end, idle 10s, count 1000 or never");
  }
  return until;
}

function checkStart({ settings, fault }: SourceContext): OffsetPlace | null {
  const text = settings.text("start");
  if (text === "earliest" || text === "latest") return text;
  const micros = timestampText().parse(text);
  if (Number.isSafeInteger(micros)) return { sinceMs: Math.ceil(micros / 1000) };
  fault(settings.at("start"), `"${text}" does not say where to begin`, "write earliest, latest, or a time as 2026-02-21T12:00:00Z");
  return null;
}

function checkKey({ settings, type, fault }: SourceContext): boolean {
  if (!settings.has("key") || type.fields.some((field) => field.name === settings.text("key"))) return true;
  fault(
    settings.at("key"),
    `there is no field "${settings.text("key")}" that the topic could be keyed by`,
    `the fields are: ${type.fields.map((field) => field.name).join(", ")}`,
  );
  return false;
}

export interface KafkaSourceOptions {
  readonly world: World;
  readonly connecting: ConnectionSettings;
  readonly node: string;
  readonly topic: string;
  readonly start: OffsetPlace;
  readonly until: Until;
  /** Makes rows of a partition's records. */
  rows(partition: number): RowMaker;
  readonly group: GroupSettings;
}
/** Where each partition begins and ends in a run that starts now; an end is null while its writer goes on. */
interface Bounds {
  readonly first: readonly number[];
  readonly end: readonly (number | null)[];
}

export class KafkaSource implements Source {
  readonly #cluster: Cluster;
  #topic: Topic | null = null;
  /** Seen to come into being: then its writer is about to leave a note. */
  #appeared = false;
  /** Taken once, so that a lane that is taken over again begins where it began. */
  #bounds: Promise<Bounds> | null = null;
  #share: GroupShare | null = null;
  #note: { readonly readMs: number; readonly note: Promise<WriterNote | null> } | null = null;

  constructor(private readonly options: KafkaSourceOptions) {
    this.#cluster = new Cluster(options.connecting, options.world);
  }

  async partitions(): Promise<number> {
    return (await this.#waitForTopic()).partitions;
  }

  async reader(partition: number): Promise<SourceReader> {
    const { world, node, topic: name, until } = this.options;
    const topic = await this.#waitForTopic();
    this.#bounds ??= this.#findBounds(topic).catch((error) => {
      this.#bounds = null;
      throw error;
    });
    const { first, end } = await this.#bounds;
    const fetcher = new PartitionFetcher({ world, cluster: this.#cluster, node, topic: name, topicId: topic.id, partition });
    return new PartitionReader(
      {
        world,
        node,
        topic: name,
        partition,
        until,
        rows: this.options.rows(partition),
        fetcher,
        sealedEnd: () => this.#sealedEnd(topic, partition),
        endNow: () => this.#patience().until(async () => (await this.#cluster.offsets(name, topic, "latest"))[partition]),
      },
      { topicId: topic.id, first: first[partition], offset: first[partition], read: 0, end: end[partition] },
    );
  }

  async identity(asked: "before" | "behind" = "before"): Promise<string> {
    const { until, topic: name } = this.options;
    if (until.kind === "never") return "";
    return await this.#patience().until(async () => {
      const topic = await this.#cluster.findTopic(name);
      if (!topic) return "";
      if (until.kind === "count") return `${topic.id}:count ${until.count}`;
      const note = await readNote({ cluster: this.#cluster, name, topic });
      if (note?.state === "sealed") return `${topic.id}:${note.run}:${note.ends.join(",")}`;
      // Before it is read it may grow without becoming another input; a finished run is done as long as nothing came behind it.
      if (note || !this.#bounds && asked === "before") return "";
      const { end } = await (this.#bounds ?? this.#findBounds(topic));
      return `${topic.id}:${end.map((end) => end ?? "").join(",")}`;
    });
  }

  share(spread: "each" | "whole"): PartitionShare {
    const { world, connecting, node, topic, group } = this.options;
    return this.#share = new GroupShare({ ...group, world, connecting, node, topic, spread, partitions: () => this.partitions() });
  }

  covered(partition: number, position: Position): void {
    this.#share?.covered(partition, parsePlace(position).offset);
  }

  progress(positions: readonly Position[]): number {
    const { until } = this.options;
    let done = 0;
    let all = 0;
    // Partitions that no lane has read from yet are holes.
    for (const position of Object.values(positions)) {
      const { first, offset, read, end } = parsePlace(position);
      done += until.kind === "count" ? read : offset - first;
      all += until.kind === "count" ? until.count : (end ?? Infinity) - first;
    }
    return all === 0 ? 1 : Math.min(1, done / all);
  }

  async #waitForTopic(): Promise<Topic> {
    this.#topic ??= await this.#patience().until(async () => {
      const topic = await this.#cluster.findTopic(this.options.topic);
      if (!topic) this.#appeared = true;
      return topic ?? await this.#cluster.requireTopic(this.options.topic);
    });
    return this.#topic;
  }

  async #findBounds(topic: Topic): Promise<Bounds> {
    const { topic: name, start, until } = this.options;
    return await this.#patience().until(async () => {
      const first = await this.#cluster.offsets(name, topic, start);
      if (until.kind !== "end") return { first, end: first.map(() => null) };
      const note = await this.#noteAtStart(topic);
      if (note?.state === "open") return { first, end: first.map(() => null) };
      const end = note?.ends ?? await this.#cluster.offsets(name, topic, "latest");
      return { first, end: end.map((each, partition) => Math.max(each, first[partition])) };
    });
  }

  /** A topic that was just made, or that nothing was ever written to, is given time to get its writer's note. */
  async #noteAtStart(topic: Topic): Promise<WriterNote | null> {
    const { world: { clock }, topic: name } = this.options;
    const isUnwritten = async () => (await this.#cluster.offsets(name, topic, "latest")).every((end) => end === 0);
    const waitMs = this.#appeared ? NOTE_WAIT_MS : await isUnwritten() ? EMPTY_TOPIC_WAIT_MS : 0;
    const deadlineMs = clock.monotonicMs() + waitMs;
    for (;;) {
      const note = await readNote({ cluster: this.#cluster, name, topic });
      if (note || clock.monotonicMs() >= deadlineMs) return note;
      await clock.sleep(SEAL_POLL_MS);
    }
  }

  /** Readers of several partitions share one look, and look twice a second at most. */
  async #sealedEnd(topic: Topic, partition: number): Promise<number | null> {
    const { world: { clock }, topic: name } = this.options;
    const nowMs = clock.monotonicMs();
    if (!this.#note || nowMs - this.#note.readMs >= SEAL_POLL_MS) {
      this.#note = { readMs: nowMs, note: readNote({ cluster: this.#cluster, name, topic }) };
      this.#note.note.catch(() => {}); // Told to those who wait for it.
    }
    try {
      const note = await this.#note.note;
      return note?.state === "sealed" ? note.ends[partition] : null;
    } catch (error) {
      if (error instanceof MillraceError && error.retry !== "never") return null; // Nobody answers: so nothing has ended.
      throw error;
    }
  }

  #patience(): Patience {
    const { world, node } = this.options;
    return new Patience({ world, node });
  }
}
