/**
 * The schedule of an epoch: in which order its input was taken and how far. With the state before it, the time and the plan it
 * determines everything that the epoch does, so the digest over these names its content. Invariant: an entry is one call of
 * the graph; batch borders are kept, because where branches meet again the order of rows depends on them.
 */
import { createHash } from "node:crypto";
import { unreachable } from "../data/fault.ts";
import type { BinaryReader, BinaryWriter } from "./binary.ts";
import type { Position } from "./contracts.ts";

export type ScheduleEntry =
  /** `read` records of the partition, up to `end`. */
  | { readonly kind: "batch"; readonly source: string; readonly partition: number; readonly read: number; readonly end: Position }
  /** The partition has no more input. */
  | { readonly kind: "end"; readonly source: string; readonly partition: number }
  /** The partition gave nothing for so long that it is not waited for any more. */
  | { readonly kind: "idle"; readonly source: string; readonly partition: number }
  /** The pipeline was told to stop: what is to leave unfinished is due. */
  | { readonly kind: "stop" }
  /** Rows that an operator held back, from its position up to `end`. */
  | { readonly kind: "drain"; readonly operator: string; readonly end: number }
  /** So many rows that sinks were given in the epoch before, and whose targets refused them: all there are. */
  | { readonly kind: "refused"; readonly rows: number };

/** What was decided about the next epoch before anything of it became visible. */
export interface Intent {
  readonly schedule: readonly ScheduleEntry[];
  /** The epoch's recorded time, µs. */
  readonly timeMicros: number;
  readonly planHash: string;
}

/** An upper bound of what the entry adds to a head. */
export function entryBytes(entry: ScheduleEntry): number {
  switch (entry.kind) {
    case "batch":
      return 24 + entry.source.length * 3 + entry.end.length * 3;
    case "end":
    case "idle":
      return 16 + entry.source.length * 3;
    case "stop":
    case "refused":
      return 8;
    case "drain":
      return 20 + entry.operator.length * 3;
  }
}

const KIND = { batch: 1, end: 2, drain: 3, idle: 4, stop: 5, refused: 6 } as const;

export function writeIntent(writer: BinaryWriter, intent: Intent): void {
  writer.f64(intent.timeMicros);
  writer.string(intent.planHash);
  writer.u32(intent.schedule.length);
  for (const entry of intent.schedule) writeEntry(writer, entry);
}

function writeEntry(writer: BinaryWriter, entry: ScheduleEntry): void {
  writer.u32(KIND[entry.kind]);
  switch (entry.kind) {
    case "batch":
      writer.string(entry.source);
      writer.u32(entry.partition);
      writer.u32(entry.read);
      writer.string(entry.end);
      return;
    case "end":
    case "idle":
      writer.string(entry.source);
      writer.u32(entry.partition);
      return;
    case "stop":
      return;
    case "drain":
      writer.string(entry.operator);
      writer.f64(entry.end);
      return;
    case "refused":
      writer.u32(entry.rows);
      return;
    default:
      unreachable(entry);
  }
}

export function readIntent(reader: BinaryReader): Intent {
  const timeMicros = reader.f64();
  const planHash = reader.string();
  const schedule: ScheduleEntry[] = [];
  for (let left = reader.u32(); left > 0; left--) schedule.push(readEntry(reader));
  return { timeMicros, planHash, schedule };
}

function readEntry(reader: BinaryReader): ScheduleEntry {
  const kind = reader.u32();
  if (kind === KIND.batch) {
    return { kind: "batch", source: reader.string(), partition: reader.u32(), read: reader.u32(), end: reader.string() };
  }
  if (kind === KIND.end) return { kind: "end", source: reader.string(), partition: reader.u32() };
  if (kind === KIND.idle) return { kind: "idle", source: reader.string(), partition: reader.u32() };
  if (kind === KIND.stop) return { kind: "stop" };
  if (kind === KIND.drain) return { kind: "drain", operator: reader.string(), end: reader.f64() };
  if (kind === KIND.refused) return { kind: "refused", rows: reader.u32() };
  throw new Error(`unknown kind ${kind} of schedule entry`);
}

function entryForm(entry: ScheduleEntry): readonly (string | number)[] {
  switch (entry.kind) {
    case "batch":
      return [entry.kind, entry.source, entry.partition, entry.read, entry.end];
    case "end":
    case "idle":
      return [entry.kind, entry.source, entry.partition];
    case "stop":
      return [entry.kind];
    case "drain":
      return [entry.kind, entry.operator, entry.end];
    case "refused":
      return [entry.kind, entry.rows];
  }
}

/**
 * Names the content of an epoch: SHA-256 in hex over run, lane, epoch, the digest of the epoch before, and the intent. Being
 * chained, it names the lane's whole history.
 */
export function digestOf(
  where: { readonly run: string; readonly lane: number; readonly epoch: number; readonly before: string },
  intent: Intent,
): string {
  const hash = createHash("sha256");
  const entries = intent.schedule.map(entryForm);
  hash.update(JSON.stringify([where.run, where.lane, where.epoch, where.before, intent.timeMicros, intent.planHash, entries]));
  return hash.digest("hex");
}
