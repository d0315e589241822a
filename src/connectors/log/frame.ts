/**
 * Frames: how records lie in a segment of a topic's partition. Numbers are little-endian.
 *
 *   segment := frame*
 *   frame   := u32 "MRF1"  u32 header bytes  u32 body bytes  u32 CRC-32 of header and body  header  body
 *   header  := f64 offset of the first record  u32 records  u32 lane  f64 epoch  u32 owner
 *              u16 length, pipeline#run  u8 length, digest           UTF-8
 *   body    := record*
 *   record  := u32 value bytes  i32 key bytes (-1: none)  f64 origin  key  value
 *
 * Which frames count is said by the commit log alone; a frame nobody committed is never read.
 */
import { crc32 } from "node:zlib";
import { MillraceError } from "../../data/fault.ts";

export const FRAME_MAGIC = 0x3146524d;
export const FRAME_PREFIX_BYTES = 16;
export const RECORD_PREFIX_BYTES = 16;
const HEADER_FIXED_BYTES = 28;

export interface FrameHeader {
  readonly offset: number;
  readonly records: number;
  readonly lane: number;
  readonly epoch: number;
  readonly owner: number;
  /** "pipeline#run" */
  readonly writer: string;
  readonly digest: string;
}

/** Prefix and header of a frame; the body follows as it is. */
export function encodeFrameHead(header: FrameHeader, body: Uint8Array): Uint8Array {
  const writer = new TextEncoder().encode(header.writer);
  const digest = new TextEncoder().encode(header.digest);
  const headerBytes = HEADER_FIXED_BYTES + 2 + writer.length + 1 + digest.length;
  const head = new Uint8Array(FRAME_PREFIX_BYTES + headerBytes);
  const view = new DataView(head.buffer);
  let at = FRAME_PREFIX_BYTES;
  view.setFloat64(at, header.offset, true);
  view.setUint32(at + 8, header.records, true);
  view.setUint32(at + 12, header.lane, true);
  view.setFloat64(at + 16, header.epoch, true);
  view.setUint32(at + 24, header.owner, true);
  at += HEADER_FIXED_BYTES;
  view.setUint16(at, writer.length, true);
  head.set(writer, at + 2);
  at += 2 + writer.length;
  head[at] = digest.length;
  head.set(digest, at + 1);
  view.setUint32(0, FRAME_MAGIC, true);
  view.setUint32(4, headerBytes, true);
  view.setUint32(8, body.length, true);
  view.setUint32(12, crc32(body, crc32(head.subarray(FRAME_PREFIX_BYTES))), true);
  return head;
}

/** Where a frame's parts lie in a buffer. */
export interface FrameAt {
  readonly offset: number;
  readonly records: number;
  readonly bodyStart: number;
  readonly end: number;
}

/** The frame at `at`, checked; null when the buffer ends before it does: then `frameBytes` tells its size, if it can. */
export function frameAt(bytes: Uint8Array, at: number, place: string): FrameAt | null {
  const size = frameBytes(bytes, at, place);
  if (size === null || at + size > bytes.length) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const headerStart = at + FRAME_PREFIX_BYTES;
  if (crc32(bytes.subarray(headerStart, at + size)) !== view.getUint32(at + 12, true)) throw damaged(place);
  return {
    offset: view.getFloat64(headerStart, true),
    records: view.getUint32(headerStart + 8, true),
    bodyStart: headerStart + view.getUint32(at + 4, true),
    end: at + size,
  };
}

/** Bytes of the frame at `at`; null when not even its prefix is in the buffer. */
export function frameBytes(bytes: Uint8Array, at: number, place: string): number | null {
  if (at + FRAME_PREFIX_BYTES > bytes.length) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint32(at, true) !== FRAME_MAGIC) throw damaged(place);
  return FRAME_PREFIX_BYTES + view.getUint32(at + 4, true) + view.getUint32(at + 8, true);
}

/** A committed frame was synced before its commit, so damage is not a crash's trace. */
function damaged(place: string): MillraceError {
  return new MillraceError("log_damaged", `${place} holds a damaged frame`, {
    hint: "the topic's files were changed or the disk is failing; make the topic again by a --rerun of its producer",
  });
}
