/**
 * The head of a lane: the one KV value that decides which epoch is current, who owns the lane and what is being attempted.
 * Invariant: every decision writes it and every other write checks its versionstamp (DESIGN.md section 1).
 */
import { BinaryReader, BinaryWriter, type Seal, seal, unseal } from "./binary.ts";
import type { NodeTally, Tallies } from "./counters.ts";
import type { Position } from "./contracts.ts";
import { type Intent, readIntent, writeIntent } from "./schedule.ts";

/** How far one partition of one source was read. */
export interface InputPosition {
  readonly source: string;
  readonly partition: number;
  readonly position: Position;
  readonly ended: boolean;
}
/** Event time of one partition of one source. */
export interface PartitionTime {
  /** Where it is carried: of each lane that writes the source, named SOURCE#LANE. */
  readonly source: string;
  readonly partition: number;
  /** The greatest time seen, µs; -Infinity when none was. */
  readonly greatestMicros: number;
  /** Not waited for. */
  readonly idle: boolean;
}
/** The newest epoch that gave a sink rows. */
export interface SinkEpoch {
  readonly sink: string;
  readonly epoch: number;
  readonly digest: string;
}
/** How a state table is laid out; its place in the list is its number in stored rows. */
export interface TableLayout {
  readonly name: string;
  readonly version: number;
  /** Key and column kinds as text, for example "number,text|balance:wide". */
  readonly shape: string;
}
export interface Head {
  /** The newest epoch whose outputs and state are complete; 0 when none is. */
  readonly epoch: number;
  /** Chained digest of that epoch's intent; "" for epoch 0. */
  readonly digest: string;
  /** That epoch's recorded time, µs. */
  readonly timeMicros: number;
  /** The owner's generation; only grows. */
  readonly generation: number;
  /** Transactional ids not yet known to be silent. */
  readonly ids: readonly string[];
  /** The plan of the newest epoch, and the one that the counters began with. */
  readonly planHash: string;
  readonly firstPlanHash: string;
  readonly inputs: readonly InputPosition[];
  /** Next position of each operator's `drain`. */
  readonly drains: ReadonlyMap<string, number>;
  readonly tallies: ReadonlyMap<string, NodeTally>;
  readonly times: readonly PartitionTime[];
  /** How far event time has come, by source and operator; those without any left out. */
  readonly watermarks: ReadonlyMap<string, number>;
  readonly sinks: readonly SinkEpoch[];
  readonly tables: readonly TableLayout[];
  readonly intent: Intent | null;
  /** Values that hold the rows of this epoch which sinks' targets refused (refused_rows.ts); the next epoch gives them out. */
  readonly refusedParts: number;
}

const HEAD: Seal = { magic: 0x4448_524d, version: 2, what: "lane head" };

/** The head of a lane that nobody has owned. */
export function firstHead(planHash: string): Head {
  return {
    epoch: 0,
    digest: "",
    timeMicros: 0,
    generation: 0,
    ids: [],
    planHash,
    firstPlanHash: planHash,
    inputs: [],
    drains: new Map(),
    tallies: new Map(),
    times: [],
    watermarks: new Map(),
    sinks: [],
    tables: [],
    intent: null,
    refusedParts: 0,
  };
}

/** A head as a KV value. */
export function encodeHead(head: Head): Uint8Array {
  const writer = new BinaryWriter();
  writer.f64(head.epoch);
  writer.string(head.digest);
  writer.f64(head.timeMicros);
  writer.f64(head.generation);
  writeList(writer, head.ids, (id) => writer.string(id));
  writer.string(head.planHash);
  writer.string(head.firstPlanHash);
  writeList(writer, head.inputs, (input) => {
    writer.string(input.source);
    writer.u32(input.partition);
    writer.string(input.position);
    writer.u32(input.ended ? 1 : 0);
  });
  writeList(writer, [...head.drains], ([operator, position]) => {
    writer.string(operator);
    writer.f64(position);
  });
  writeTallies(writer, head.tallies);
  writeList(writer, head.times, ({ source, partition, greatestMicros, idle }) => {
    writer.string(source);
    writer.u32(partition);
    writer.f64(greatestMicros);
    writer.u32(idle ? 1 : 0);
  });
  writeList(writer, [...head.watermarks], ([node, micros]) => {
    writer.string(node);
    writer.f64(micros);
  });
  writeList(writer, head.sinks, ({ sink, epoch, digest }) => {
    writer.string(sink);
    writer.f64(epoch);
    writer.string(digest);
  });
  writeList(writer, head.tables, ({ name, version, shape }) => {
    writer.string(name);
    writer.f64(version);
    writer.string(shape);
  });
  writer.u32(head.intent ? 1 : 0);
  if (head.intent) writeIntent(writer, head.intent);
  // Not written where there is none: so were all heads before rows could be refused.
  if (head.refusedParts > 0) writer.u32(head.refusedParts);
  return seal(HEAD, writer.written());
}

/** Reads a stored head; throws MillraceError for another format or damaged bytes. */
export function decodeHead(bytes: Uint8Array): Head {
  const reader = new BinaryReader(unseal(HEAD, bytes));
  return {
    epoch: reader.f64(),
    digest: reader.string(),
    timeMicros: reader.f64(),
    generation: reader.f64(),
    ids: readList(reader, () => reader.string()),
    planHash: reader.string(),
    firstPlanHash: reader.string(),
    inputs: readList(reader, () => ({
      source: reader.string(),
      partition: reader.u32(),
      position: reader.string(),
      ended: reader.u32() === 1,
    })),
    drains: new Map(readList(reader, () => [reader.string(), reader.f64()] as const)),
    tallies: readTallies(reader),
    times: readList(reader, () => ({
      source: reader.string(),
      partition: reader.u32(),
      greatestMicros: reader.f64(),
      idle: reader.u32() === 1,
    })),
    watermarks: new Map(readList(reader, () => [reader.string(), reader.f64()] as const)),
    sinks: readList(reader, () => ({ sink: reader.string(), epoch: reader.f64(), digest: reader.string() })),
    tables: readList(reader, () => ({ name: reader.string(), version: reader.f64(), shape: reader.string() })),
    intent: reader.u32() === 1 ? readIntent(reader) : null,
    refusedParts: reader.done ? 0 : reader.u32(),
  };
}

function writeTallies(writer: BinaryWriter, tallies: ReadonlyMap<string, NodeTally>): void {
  writeList(writer, [...tallies], ([name, tally]) => {
    writer.string(name);
    writer.f64(tally.in);
    writer.f64(tally.filtered);
    writer.f64(tally.duplicates);
    writer.f64(tally.folded);
    writer.f64(tally.drained);
    writeList(writer, [...tally.ports], ([port, rows]) => {
      writer.string(port);
      writer.f64(rows);
    });
  });
}

function readTallies(reader: BinaryReader): Tallies {
  return new Map(readList(reader, () => {
    const name = reader.string();
    const tally: NodeTally = {
      in: reader.f64(),
      filtered: reader.f64(),
      duplicates: reader.f64(),
      folded: reader.f64(),
      drained: reader.f64(),
      ports: new Map(readList(reader, () => [reader.string(), reader.f64()] as const)),
    };
    return [name, tally] as const;
  }));
}

function writeList<T>(writer: BinaryWriter, items: readonly T[], write: (item: T) => void): void {
  writer.u32(items.length);
  for (const item of items) write(item);
}

function readList<T>(reader: BinaryReader, read: () => T): T[] {
  const items: T[] = [];
  for (let left = reader.u32(); left > 0; left--) items.push(read());
  return items;
}
