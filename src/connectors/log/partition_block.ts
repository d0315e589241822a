/** A piece of a partition in memory: whole committed frames, cut into records once, handed out in any number of polls. */
import type { Records } from "../../data/codec.ts";
import { MillraceError } from "../../data/fault.ts";
import { RECORD_BYTES_MAX } from "../../data/limits.ts";
import type { FileHandle } from "../../ports/mod.ts";
import { readAt } from "../../ports/durable.ts";
import { FRAME_PREFIX_BYTES, type FrameAt, frameAt, frameBytes, RECORD_PREFIX_BYTES } from "./frame.ts";
import type { Range } from "./topic_view.ts";

export interface PartitionBlock {
  /** Offset of the first record. */
  readonly offset: number;
  readonly records: Records;
  readonly origin: Float64Array;
  /** The key that a record was written under. */
  keyOf(row: number): Uint8Array | null;
  /** Ascending rows over the length limit. */
  readonly tooLong: readonly number[];
  /** Per frame: its first offset and where it starts in the segment. */
  readonly frames: readonly { readonly offset: number; readonly byte: number }[];
  /** Where the block ends in the segment. */
  readonly endByte: number;
}

/**
 * Loads frames from byte `from` of the range on, about `bytesMax` but at least one frame. `from` must be a frame's start; a
 * wrong one is noticed by its checksum.
 */
export async function loadBlock(handle: FileHandle, range: Range, from: number, bytesMax: number, place: string): Promise<PartitionBlock> {
  const left = range.endByte - from;
  let bytes = await readAt(handle, from, Math.min(left, Math.max(bytesMax, FRAME_PREFIX_BYTES)));
  const first = frameBytes(bytes, 0, place) ?? 0;
  if (first > bytes.length) bytes = await readAt(handle, from, Math.min(left, first));
  const frames: FrameAt[] = [];
  let records = 0;
  let at = 0;
  for (let frame = frameAt(bytes, 0, place); frame; frame = at < bytes.length ? frameAt(bytes, at, place) : null) {
    frames.push(frame);
    records += frame.records;
    at = frame.end;
  }
  if (frames.length === 0) {
    throw new MillraceError("log_damaged", `${place} is shorter than what was committed to it`, {
      hint: "the topic's files were changed; make the topic again by a --rerun of its producer",
    });
  }
  return cut(bytes, frames, records, from);
}

function cut(bytes: Uint8Array, frames: readonly FrameAt[], count: number, from: number): PartitionBlock {
  const start = new Int32Array(count);
  const end = new Int32Array(count);
  const origin = new Float64Array(count);
  const keys = new Int32Array(count);
  const tooLong: number[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const starts: { offset: number; byte: number }[] = [];
  let row = 0;
  let frameStart = 0;
  for (const frame of frames) {
    starts.push({ offset: frame.offset, byte: from + frameStart });
    for (let at = frame.bodyStart; at < frame.end; row++) {
      const valueBytes = view.getUint32(at, true);
      const keyBytes = view.getInt32(at + 4, true);
      origin[row] = view.getFloat64(at + 8, true);
      keys[row] = keyBytes;
      start[row] = at + RECORD_PREFIX_BYTES + Math.max(0, keyBytes);
      at = end[row] = start[row] + valueBytes;
      if (valueBytes > RECORD_BYTES_MAX) tooLong.push(row);
    }
    frameStart = frame.end;
  }
  return {
    offset: frames[0].offset,
    records: { bytes, start, end, rows: count },
    origin,
    // A record's key stands before its value.
    keyOf: (row) => keys[row] < 0 ? null : bytes.subarray(start[row] - keys[row], start[row]),
    tooLong,
    frames: starts,
    endByte: from + frameStart,
  };
}

/** The start of the frame that holds the offset, or the block's end for the offset behind it. */
export function frameByte(block: PartitionBlock, offset: number): number {
  if (offset >= block.offset + block.records.rows) return block.endByte;
  let byte = block.frames[0].byte;
  for (const frame of block.frames) {
    if (frame.offset > offset) break;
    byte = frame.byte;
  }
  return byte;
}
