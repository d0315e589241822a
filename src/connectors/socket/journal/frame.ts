/**
 * Frames of a journal. Numbers are little-endian.
 *
 *   segment := frame*                      one file, named by the number of its first record
 *   frame   := u32 "MRJ1"  u32 CRC-32 of all that follows  u32 kind  u32 body bytes  u32 records  u32 connection
 *              f64 number of the first record  f64 received, µs  body
 *   body    := line*          kind 0: whole lines, each with its LF
 *            | bytes          kind 1: the beginning of a line that is too long; kind 2: a tail without its LF. One record each.
 *
 * There is one writer and no epochs, so a frame speaks for itself: a torn one at the end was never handed out.
 */
import { crc32 } from "node:zlib";

const MAGIC = 0x314a524d;
export const FRAME_HEAD_BYTES = 40;

export const FRAME_KINDS = ["lines", "too_long", "truncated_tail"] as const;
export type FrameKind = typeof FRAME_KINDS[number];
export interface FrameHead {
  readonly kind: FrameKind;
  /** Number of its first record. */
  readonly first: number;
  readonly records: number;
  /** Counts the connections of one process, from 1. */
  readonly connection: number;
  readonly receivedMicros: number;
}
export interface Frame extends FrameHead {
  readonly bodyStart: number;
  /** Also where the next frame starts. */
  readonly end: number;
}

/** Head and body in one piece. */
export function encodeFrame({ kind, first, records, connection, receivedMicros }: FrameHead, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEAD_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(8, FRAME_KINDS.indexOf(kind), true);
  view.setUint32(12, body.length, true);
  view.setUint32(16, records, true);
  view.setUint32(20, connection, true);
  view.setFloat64(24, first, true);
  view.setFloat64(32, receivedMicros, true);
  bytes.set(body, FRAME_HEAD_BYTES);
  view.setUint32(4, crc32(bytes.subarray(8)), true);
  return bytes;
}

/** The frame at `at`; the bytes it needs where the buffer ends before it; null where there is none. */
export function frameAt(bytes: Uint8Array, at: number): Frame | { readonly needs: number } | null {
  if (at + FRAME_HEAD_BYTES > bytes.length) return { needs: FRAME_HEAD_BYTES };
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  if (view.getUint32(0, true) !== MAGIC) return null;
  const size = FRAME_HEAD_BYTES + view.getUint32(12, true);
  if (at + size > bytes.length) return { needs: size };
  const kind = FRAME_KINDS[view.getUint32(8, true)];
  if (kind === undefined || crc32(bytes.subarray(at + 8, at + size)) !== view.getUint32(4, true)) return null;
  return {
    kind,
    records: view.getUint32(16, true),
    connection: view.getUint32(20, true),
    first: view.getFloat64(24, true),
    receivedMicros: view.getFloat64(32, true),
    bodyStart: at + FRAME_HEAD_BYTES,
    end: at + size,
  };
}
