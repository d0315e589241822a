/**
 * Reads a file of records in blocks. A position is "byte:row": where the next record starts, and its number from 1.
 * Invariant: the rows of a range of positions do not depend on how it is cut into polls.
 */
import { assert, MillraceError } from "../../data/fault.ts";
import type { Decoder, Split } from "../../data/codec.ts";
import { RECORD_BYTES_MAX } from "../../data/limits.ts";
import type { Polled, PollLimits, Position, SourceReader } from "../../engine/contracts.ts";
import type { FileHandle } from "../../ports/mod.ts";
import { READ_BYTES_MIN, RECORD_SCAN_BYTES_MAX } from "../limits.ts";
import { type RecordOrigin, sourceBatch } from "../source_batch.ts";
import { readAt } from "../../ports/durable.ts";
import type { Splitter } from "./format.ts";

/** Of one batch, whose columns and rows should fit the processor's cache: of twice as many each cost a thirtieth more. */
const ROWS_MAX = 4096;

interface Place {
  readonly byte: number;
  /** Number of the record that starts there, from 1. */
  readonly row: number;
}
/** A block of the file cut into records, and how far it was handed out. */
interface Block {
  readonly at: number;
  readonly split: Split;
  /** The next record to hand out. */
  next: number;
  /** Where that record starts, as positions say it. */
  place: Place;
}

export interface RecordFileOptions {
  readonly handle: FileHandle;
  readonly path: string;
  /** The file's size when it was opened: what is appended later belongs to another run. */
  readonly size: number;
  /** Bytes of the header. */
  readonly headerBytes: number;
  readonly splitter: Splitter;
  readonly decoder: Decoder;
  readonly origin: RecordOrigin;
}

export class RecordFileReader implements SourceReader {
  readonly start: Position;
  #block: Block | null = null;
  constructor(private readonly options: RecordFileOptions) {
    this.start = formatPlace({ byte: options.headerBytes, row: 1 });
  }

  async poll(from: Position, limits: PollLimits): Promise<Polled> {
    const place = parsePlace(from);
    const until = limits.until === undefined ? this.options.size : parsePlace(limits.until).byte;
    const block = await this.#blockAt(place, until, limits);
    if (!block) return { kind: "end" };
    const count = rowsBefore(block, until, Math.min(limits.rowsMax, ROWS_MAX));
    if (count === 0) return { kind: "end" };
    const polled = this.#take(block, count);
    const reached = block.place.byte >= until && limits.until !== undefined;
    return { ...polled, next: reached ? limits.until! : formatPlace(block.place) };
  }

  close(): void {
    this.options.handle.close();
  }

  #take(block: Block, count: number): Polled & { kind: "batch" } {
    const { records, consumed, tooLong } = block.split;
    const { next } = block;
    const position = new Float64Array(count);
    for (let i = 0; i < count; i++) position[i] = block.place.row + i;
    const slice = {
      bytes: records.bytes,
      start: records.start.subarray(next, next + count),
      end: records.end.subarray(next, next + count),
      rows: count,
    };
    const long = tooLong.filter((row) => row >= next && row < next + count).map((row) => row - next);
    const { batch, rejected } = sourceBatch(
      this.options.origin,
      { records: slice, position, origin: position, tooLong: long },
      this.options.decoder,
    );
    block.next += count;
    const rest = block.next < records.rows;
    block.place = { byte: block.at + (rest ? records.start[block.next] : consumed), row: block.place.row + count };
    return { kind: "batch", batch, rejected, read: count, next: "" };
  }

  /** The block whose next record is at `place`; null where nothing but blank lines is left before `until`. */
  async #blockAt(place: Place, until: number, limits: PollLimits): Promise<Block | null> {
    const held = this.#block;
    if (held && held.place.byte === place.byte && held.place.row === place.row && held.next < held.split.records.rows) return held;
    let byte = place.byte;
    let bytesMax = Math.min(Math.max(limits.bytesMax, 1), Math.max(READ_BYTES_MIN, limits.rowsMax * 256));
    while (byte < until) {
      const loaded = await this.#load(byte, until, bytesMax);
      if (loaded.records.rows > 0) return this.#block = { at: byte, split: loaded, next: 0, place };
      if (loaded.consumed === 0) bytesMax *= 4; // One record is longer than what was read.
      if (bytesMax > RECORD_SCAN_BYTES_MAX) throw this.#endless(byte);
      byte += loaded.consumed;
    }
    return null;
  }

  #endless(byte: number): MillraceError {
    return new MillraceError(
      "record_endless",
      `${this.options.path}: the record at byte ${byte} does not end within ${RECORD_SCAN_BYTES_MAX} bytes`,
      {
        hint: "this is hardly a file of records; a quotation mark that is never closed does this too",
      },
    );
  }

  async #load(byte: number, until: number, bytesMax: number): Promise<Split> {
    const { handle, splitter, path } = this.options;
    const length = Math.min(bytesMax, until - byte);
    const bytes = await readAt(handle, byte, length);
    if (bytes.length < length) {
      throw new MillraceError("input_changed", `${path} became shorter while it was being read`, {
        hint: "put the old file back, or start over with --rerun",
      });
    }
    const final = byte + length === until ? "end" : "more";
    const split = splitter(bytes, 0, length, final, RECORD_BYTES_MAX);
    assert(final === "more" || split.consumed === length, "a splitter takes everything at the end");
    return split;
  }
}

/** Rows of the block from its next one on that start before byte `until`, at most `rowsMax`. */
function rowsBefore({ at, split, next }: Block, until: number, rowsMax: number): number {
  const { start, rows } = split.records;
  let end = Math.min(rows, next + rowsMax);
  while (end > next && at + start[end - 1] >= until) end--;
  return end - next;
}

const formatPlace = ({ byte, row }: Place): Position => `${byte}:${row}`;

/** "byte:row" as numbers. */
export function parsePlace(position: Position): Place {
  const match = /^(\d+):(\d+)$/.exec(position);
  assert(match, `"${position}" is a position in a file`);
  return { byte: Number(match[1]), row: Number(match[2]) };
}
