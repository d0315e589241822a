/**
 * The `log` source: one reader per partition of an embedded topic. A position is "generation:offset:byte", the byte being
 * where the frame of that offset starts, or 0: only a help to find it.
 */
import type { SourceContext, SourcePlan, SourceSpec } from "../../component/component.ts";
import type { Decoder, Records } from "../../data/codec.ts";
import { assert } from "../../data/fault.ts";
import { compileJsonDecoder } from "../../data/json/mod.ts";
import type { Polled, PollLimits, Position, Source, SourceReader } from "../../engine/contracts.ts";
import type { FileHandle, World } from "../../ports/mod.ts";
import { READ_BYTES_MIN, WAIT_MS } from "../limits.ts";
import { plainRows, type RowMaker } from "../source_batch.ts";
import { CHANGES_NOTE, DELETES, READ_FORMAT, topicDecoding } from "../change_format.ts";
import { frameByte, loadBlock, type PartitionBlock } from "./partition_block.ts";
import { partitionFolder, readTopic, segmentName, type TopicPlace } from "./topic.ts";
import { rewritten, TopicView } from "./topic_view.ts";
import { hasEnded, parseUntil, type Until } from "./until.ts";

export const logSource: SourceSpec = {
  role: "source",
  type: "log",
  connection: "log",
  changelog: true,
  summary: "Reads a topic of the embedded log.",
  notes: `Waits until the topic exists, so a reader may be started before its producer. \`meta.position\` is the record's offset in its
partition, from 0; \`meta.origin\` is the place in the producer's own source. When the producer begins the topic anew, a reader in
the middle of the old one stops and asks for a rerun.

${CHANGES_NOTE}`,
  settings: {
    kind: "group",
    doc: "A topic of the embedded log.",
    fields: {
      topic: { kind: "text", doc: "The topic's name." },
      format: READ_FORMAT,
      deletes: DELETES,
      key: { kind: "text", optional: true, doc: "The field that the producer keys the topic by: state keyed alike needs no repartition." },
      start: {
        kind: "choice",
        default: "earliest",
        doc: "Where the first run begins.",
        choices: { earliest: "at the first record", latest: "behind the last record there is at the start" },
      },
      until: {
        kind: "text",
        default: "end",
        doc: "When the input ends: `end` (sealed by its producer and read), `idle 10s`, `count N` (records of each partition), `never`.",
      },
    },
  },
  examples: [{
    title: "A topic until its producer has finished",
    toml:
      `[sources.payments]\nconnection = "bus"\ntopic      = "payments"\nfields     = { id = "int", amount = "decimal(2)" }\nkey        = "id"\n`,
  }],
  plan: planLogSource,
};

function planLogSource(context: SourceContext): SourcePlan | null {
  const { settings, connection, type, name } = context;
  assert(connection, "a log source has a connection");
  const until = parseUntil(settings.text("until"));
  if (!until) {
    context.fault(
      settings.at("until"),
      `"${settings.text("until")}" does not say when the input ends`,
      "write end, idle 10s, count 1000 or never",
    );
    return null;
  }
  const key = settings.has("key") ? settings.text("key") : null;
  if (key !== null && !type.fields.some((field) => field.name === key)) {
    context.fault(
      settings.at("key"),
      `there is no field "${key}" that the topic could be keyed by`,
      `the fields are: ${type.fields.map((f) => f.name).join(", ")}`,
    );
    return null;
  }
  const start = settings.text("start") as "earliest" | "latest";
  if (until.kind === "count" && start === "latest") {
    context.fault(settings.at("until"), "`count` needs a fixed beginning", 'use start = "earliest"');
    return null;
  }
  const topic = settings.text("topic");
  const folder = `${connection.text("path")}/${topic}`;
  const decoding = topicDecoding(context);
  if (!decoding) return null;
  const redecode = (needed: ReadonlySet<string>): Decoder => compileJsonDecoder({ ...decoding, needed });
  return {
    bounded: until.kind !== "never",
    partitionedBy: key,
    partitioned: true,
    place: folder,
    redecode,
    create: (world, needed) => {
      // One object for all partitions: their decoders share the code that is compiled for it.
      const spec = { ...decoding, needed };
      return new LogSource({
        world,
        place: { files: world.files, folder, topic },
        name,
        start,
        until,
        rows: (partition) => plainRows({ source: name, partition, type }, compileJsonDecoder(spec)),
      });
    },
  };
}

export interface LogSourceOptions {
  readonly world: World;
  readonly place: TopicPlace;
  readonly name: string;
  readonly start: "earliest" | "latest";
  readonly until: Until;
  /** Makes rows of a partition's records. */
  rows(partition: number): RowMaker;
}

export class LogSource implements Source {
  #view: TopicView | null = null;
  constructor(private readonly options: LogSourceOptions) {}

  async partitions(): Promise<number> {
    return (await this.#open()).description.partitions;
  }

  async reader(partition: number): Promise<SourceReader> {
    const view = await this.#open();
    await view.refresh();
    return new PartitionReader(this.options, view, partition);
  }

  async identity(): Promise<string> {
    const { until, place } = this.options;
    const description = await readTopic(place);
    if (until.kind === "never" || !description) return "";
    const view = new TopicView(place, description);
    try {
      await view.refresh();
      const { generation, run } = description;
      if (until.kind === "count") return `${generation}:${run}`;
      return until.kind === "end" && !view.sealed ? "" : `${generation}:${run}:${view.ends().join(",")}`;
    } finally {
      view.close();
    }
  }

  progress(positions: readonly Position[]): number {
    if (!this.#view) return 0;
    const ends = this.#view.ends().reduce((sum, end) => sum + end, 0);
    const read = positions.reduce((sum, position) => sum + parsePlace(position).offset, 0);
    return ends === 0 ? (this.#view.sealed ? 1 : 0) : Math.min(1, read / ends);
  }

  /** Waits until the producer has made the topic. */
  async #open(): Promise<TopicView> {
    const { world, place } = this.options;
    while (!this.#view) {
      const description = await readTopic(place);
      if (description) this.#view ??= new TopicView(place, description);
      else await world.clock.sleep(WAIT_MS);
    }
    return this.#view;
  }
}

interface Place {
  readonly generation: number;
  readonly offset: number;
  readonly byte: number;
}

class PartitionReader implements SourceReader {
  readonly start: Position;
  readonly #rows: RowMaker;
  #block: PartitionBlock | null = null;
  #segment: { readonly session: number; readonly handle: FileHandle } | null = null;
  #quietSinceMs: number;
  /** One behind the last record that was there when somebody first asked; null: nobody has. */
  #endAtFirst: number | null = null;

  constructor(private readonly options: LogSourceOptions, private readonly view: TopicView, private readonly partition: number) {
    const { generation } = view.description;
    this.start = formatPlace({ generation, offset: options.start === "latest" ? view.end(partition) : 0, byte: 0 });
    this.#rows = options.rows(partition);
    this.#quietSinceMs = options.world.clock.monotonicMs();
  }

  async poll(from: Position, limits: PollLimits): Promise<Polled> {
    const place = parsePlace(from);
    const { view, partition } = this;
    if (place.generation !== view.description.generation) throw rewritten(view.place);
    const bound = limits.until === undefined ? this.#bound() : parsePlace(limits.until).offset;
    if (place.offset >= view.end(partition) && place.offset < bound) await view.refresh();
    const target = Math.min(bound, view.end(partition));
    if (place.offset < target) return await this.#read(place, target, limits);
    if (limits.until !== undefined && place.offset >= bound) return { kind: "end" };
    return this.#waitOrEnd(place);
  }

  behind(position: Position): number {
    return Math.max(0, Math.min(this.#bound(), this.view.end(this.partition)) - parsePlace(position).offset);
  }

  async hasCaughtUp(position: Position): Promise<boolean> {
    if (this.options.until.kind !== "never") return false; // It is waited for until it ends.
    if (this.#endAtFirst === null) {
      await this.view.refresh();
      this.#endAtFirst = this.view.end(this.partition);
    }
    return parsePlace(position).offset >= this.#endAtFirst;
  }

  close(): void {
    this.#segment?.handle.close();
    this.#segment = null;
  }

  /** One behind the last record this source may ever give. */
  #bound(): number {
    const { until } = this.options;
    return until.kind === "count" ? until.count : Infinity;
  }

  #waitOrEnd({ offset }: Place): Polled {
    const quietMs = this.options.world.clock.monotonicMs() - this.#quietSinceMs;
    const caughtUp = offset >= this.view.end(this.partition);
    const ended = hasEnded(this.options.until, { read: offset, caughtUp, sealed: this.view.sealed, quietMs });
    return ended ? { kind: "end" } : { kind: "idle", retryAfterMs: WAIT_MS };
  }

  async #read(place: Place, target: number, limits: PollLimits): Promise<Polled> {
    const block = await this.#blockAt(place, limits);
    const row = place.offset - block.offset;
    const count = Math.min(limits.rowsMax, block.records.rows - row, target - place.offset);
    const { bytes, start, end } = block.records;
    const records: Records = {
      bytes,
      start: start.subarray(row, row + count),
      end: end.subarray(row, row + count),
      rows: count,
      keyOf: (at) => block.keyOf(row + at),
    };
    const position = new Float64Array(count);
    for (let i = 0; i < count; i++) position[i] = place.offset + i;
    const tooLong = block.tooLong.filter((long) => long >= row && long < row + count).map((long) => long - row);
    const origin = block.origin.subarray(row, row + count);
    const { taken, ...made } = this.#rows.make({ records, position, origin, tooLong });
    this.#quietSinceMs = this.options.world.clock.monotonicMs();
    return { kind: "batch", ...made, next: this.#after(block, place, taken, limits) };
  }

  #after(block: PartitionBlock, place: Place, count: number, { until }: PollLimits): Position {
    const offset = place.offset + count;
    if (until !== undefined && parsePlace(until).offset === offset) return until;
    return formatPlace({ generation: place.generation, offset, byte: frameByte(block, offset) });
  }

  async #blockAt({ offset, byte }: Place, { bytesMax, rowsMax }: PollLimits): Promise<PartitionBlock> {
    const held = this.#block;
    if (held && offset >= held.offset && offset < held.offset + held.records.rows) return held;
    const range = this.view.rangeOf(this.partition, offset);
    const { handle, path } = await this.#openSegment(range.session);
    const size = Math.min(bytesMax, Math.max(READ_BYTES_MIN, rowsMax * 256));
    // Only the range says whether the byte is one of this segment: the offset may be the first of the next session's.
    const known = byte > range.byte && byte < range.endByte && offset > range.offset;
    let block = await loadBlock(handle, range, known ? byte : range.byte, size, path);
    while (offset >= block.offset + block.records.rows) block = await loadBlock(handle, range, block.endByte, size, path);
    assert(offset >= block.offset, "a frame's start stands behind no record of it");
    return this.#block = block;
  }

  async #openSegment(session: number): Promise<{ handle: FileHandle; path: string }> {
    const { place, description } = this.view;
    const path = `${partitionFolder(place, description.generation, this.partition)}/${segmentName(session)}`;
    if (this.#segment?.session === session) return { handle: this.#segment.handle, path };
    this.close();
    let handle: FileHandle;
    try {
      handle = await place.files.open(path, "read");
    } catch (error) {
      await this.view.refresh(); // Says so where the topic was begun anew.
      throw error;
    }
    this.#segment = { session, handle };
    return { handle, path };
  }
}

const formatPlace = ({ generation, offset, byte }: Place): Position => `${generation}:${offset}:${byte}`;

function parsePlace(position: Position): Place {
  const match = /^(\d+):(\d+):(\d+)$/.exec(position);
  assert(match, `"${position}" is a position in a topic`);
  return { generation: Number(match[1]), offset: Number(match[2]), byte: Number(match[3]) };
}
