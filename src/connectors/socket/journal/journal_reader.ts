/**
 * Records out of a journal. A position is "record:segment:byte": the number of the next record, and where the frame starts that
 * holds it, or the one before it ended. Invariant: the same range gives the same rows and rejects, however it is cut.
 */
import type { BadRow, Decoder } from "../../../data/codec.ts";
import { assert } from "../../../data/fault.ts";
import type { Polled, PollLimits, Position, SourceReader } from "../../../engine/contracts.ts";
import { READ_BYTES_MIN } from "../../limits.ts";
import { POLL_WAIT_MS } from "../limits.ts";
import { type RecordOrigin, sourceBatch } from "../../source_batch.ts";
import type { Frame } from "./frame.ts";
import type { Journal, JournalBlock } from "./journal.ts";

const LF = 10;
const CR = 13;

export interface JournalPlace {
  readonly record: number;
  readonly segment: number;
  readonly byte: number;
}
/** Frames cut into records. */
interface CutBlock extends JournalBlock {
  readonly first: number;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly receivedMicros: Float64Array;
  readonly refused: readonly BadRow[];
}
export interface JournalReaderOptions {
  readonly journal: Journal;
  readonly origin: RecordOrigin;
  readonly decoder: Decoder;
  /** What fills the journal. */
  readonly receiver: { requireWell(): void; stop(): Promise<void> };
  close(): void;
}

export class JournalReader implements SourceReader {
  readonly start: Position;
  #block: CutBlock | null = null;

  constructor(private readonly options: JournalReaderOptions) {
    const { first } = options.journal;
    this.start = formatPlace({ record: first, segment: first, byte: 0 });
  }

  async poll(from: Position, limits: PollLimits): Promise<Polled> {
    const { journal } = this.options;
    const place = parsePlace(from);
    const bound = limits.until === undefined ? Infinity : parsePlace(limits.until).record;
    if (place.record >= bound) return { kind: "end" };
    const target = Math.min(bound, journal.end);
    if (place.record < target) return this.#take(await this.#blockAt(place, limits), place, target, limits);
    this.options.receiver.requireWell();
    return { kind: "idle", retryAfterMs: POLL_WAIT_MS };
  }

  released(position: Position): void {
    this.options.journal.release(parsePlace(position).record);
  }

  async stopIntake(): Promise<void> {
    await this.options.receiver.stop();
  }

  close(): void {
    this.options.close();
  }

  #take(block: CutBlock, { record }: JournalPlace, target: number, { rowsMax, until }: PollLimits): Polled {
    const row = record - block.first;
    const count = Math.min(rowsMax, block.start.length - row, target - record);
    const { bytes, start, end } = block;
    const records = { bytes, start: start.subarray(row, row + count), end: end.subarray(row, row + count), rows: count };
    const position = new Float64Array(count);
    for (let i = 0; i < count; i++) position[i] = record + i;
    const refused = block.refused.filter((one) => one.row >= row && one.row < row + count)
      .map((one) => ({ row: one.row - row, reason: one.reason }));
    const { batch, rejected } = sourceBatch(
      this.options.origin,
      { records, position, origin: position, received: block.receivedMicros.subarray(row, row + count), tooLong: [], refused },
      this.options.decoder,
    );
    return { kind: "batch", batch, rejected, read: count, next: this.#after(block, record + count, until) };
  }

  #after(block: CutBlock, record: number, until: Position | undefined): Position {
    if (until !== undefined && parsePlace(until).record === record) return until;
    let byte = block.byte;
    for (const frame of block.frames) {
      if (frame.first + frame.records > record) break;
      byte = block.byte + frame.end;
    }
    return formatPlace({ record, segment: block.segment, byte });
  }

  async #blockAt({ record, segment, byte }: JournalPlace, { bytesMax, rowsMax }: PollLimits): Promise<CutBlock> {
    const held = this.#block;
    if (held && record >= held.first && record < held.first + held.start.length) return held;
    const { journal } = this.options;
    const size = Math.min(bytesMax, Math.max(READ_BYTES_MIN, rowsMax * 512));
    // A segment that has ended is gone on with in the next one.
    const holding = journal.segmentOf(record);
    let block = await journal.read(holding, holding === segment ? byte : 0, size);
    while (block && lastOf(block) <= record) block = await journal.read(holding, block.byte + block.bytes.length, size);
    assert(block && block.frames[0].first <= record, "a durable record is where its position says");
    return this.#block = cut(block);
  }
}

const lastOf = ({ frames }: JournalBlock): number => frames[frames.length - 1].first + frames[frames.length - 1].records;

function cut(block: JournalBlock): CutBlock {
  const { bytes, frames } = block;
  const count = frames.reduce((sum, frame) => sum + frame.records, 0);
  const start = new Int32Array(count);
  const end = new Int32Array(count);
  const receivedMicros = new Float64Array(count);
  const refused: BadRow[] = [];
  let row = 0;
  for (const frame of frames) {
    receivedMicros.fill(frame.receivedMicros, row, row + frame.records);
    if (frame.kind === "lines") row = cutLines(bytes, frame, { start, end }, row);
    else {
      start[row] = frame.bodyStart;
      end[row] = frame.end;
      refused.push({ row: row++, reason: frame.kind === "too_long" ? "too-long" : "truncated_tail" });
    }
  }
  return { ...block, first: frames[0].first, start, end, receivedMicros, refused };
}

/** A carriage return before the line feed belongs to the line's end. */
function cutLines(bytes: Uint8Array, frame: Frame, into: { start: Int32Array; end: Int32Array }, firstRow: number): number {
  let row = firstRow;
  for (let at = frame.bodyStart; at < frame.end; row++) {
    const lineEnd = bytes.indexOf(LF, at);
    into.start[row] = at;
    into.end[row] = lineEnd > at && bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
    at = lineEnd + 1;
  }
  assert(row === firstRow + frame.records, "a frame holds as many lines as it says");
  return row;
}

const formatPlace = ({ record, segment, byte }: JournalPlace): Position => `${record}:${segment}:${byte}`;

/** "record:segment:byte" as numbers. */
export function parsePlace(position: Position): JournalPlace {
  const match = /^(\d+):(\d+):(\d+)$/.exec(position);
  assert(match, `"${position}" is a position in a journal`);
  return { record: Number(match[1]), segment: Number(match[2]), byte: Number(match[3]) };
}
