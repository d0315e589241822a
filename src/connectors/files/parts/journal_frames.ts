/** The frames of a journal (its grammar stands above journal.ts) as bytes. Reading stops at the first frame that is not whole. */
import { crc32 } from "node:zlib";
import { MillraceError } from "../../../data/fault.ts";
import type { Marker } from "../../../engine/contracts.ts";
import type { FileHandle } from "../../../ports/mod.ts";
import { readAt } from "../../../ports/durable.ts";

/** Rows of one epoch in one partition. */
export interface Section {
  readonly partition: string;
  readonly rows: number;
  readonly bytes: number;
  /** Where its block lies in the journal; moves when the journal is written anew. */
  at: number;
}
export interface JournalEpoch {
  readonly epoch: number;
  readonly digest: string;
  readonly timeMicros: number;
  /** Whether the pipeline was told to stop with it, so that all files are shown. */
  readonly isLast: boolean;
  readonly sections: readonly Section[];
}

export type FrameHead =
  | { readonly mark: readonly [epoch: number, digest: string] }
  | {
    readonly epoch: number;
    readonly digest: string;
    readonly time: number;
    readonly last: boolean;
    readonly sections: readonly (readonly [partition: string, rows: number, bytes: number])[];
  }
  | { readonly shown: readonly [partition: string, epoch: number] };

export const JOURNAL_MAGIC: Uint8Array = new TextEncoder().encode("MRPARTS1");
const FRONT_BYTES = 12;

/** The frame up to its blocks. */
export function encodeFrame(head: FrameHead, blocks: readonly Uint8Array[]): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const bytes = new Uint8Array(FRONT_BYTES + text.length);
  bytes.set(text, FRONT_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, text.length, true);
  view.setUint32(4, blocks.reduce((sum, block) => sum + block.length, 0), true);
  view.setUint32(8, blocks.reduce((crc, block) => crc32(block, crc), crc32(text)), true);
  return bytes;
}

/** What the journal holds, less what is in files that people see. */
export async function readFrames(handle: FileHandle): Promise<{ readonly marker: Marker | null; readonly epochs: JournalEpoch[] }> {
  const size = await handle.size();
  const magic = await readAt(handle, 0, JOURNAL_MAGIC.length);
  if (magic.length < JOURNAL_MAGIC.length || !JOURNAL_MAGIC.every((byte, i) => magic[i] === byte)) {
    throw new MillraceError("part_damaged", "a journal of a sink's open files does not begin as one", {
      hint: "the state folder was changed or the disk is failing; restore it, or start over with --rerun",
    });
  }
  let marker: Marker | null = null;
  let epochs: JournalEpoch[] = [];
  for (let at = magic.length;;) {
    const frame = await readFrame(handle, at, size);
    if (!frame) return { marker, epochs };
    const { head } = frame;
    if ("mark" in head) marker = { epoch: head.mark[0], digest: head.mark[1] };
    else if ("shown" in head) epochs = without(epochs, head.shown[0], head.shown[1]);
    else {
      let start = frame.blocksAt;
      const sections = head.sections.map(([partition, rows, bytes]) => {
        start += bytes;
        return { partition, rows, bytes, at: start - bytes };
      });
      // A journal written anew begins with a marker, and epochs before it follow.
      if (head.epoch > (marker?.epoch ?? 0)) marker = { epoch: head.epoch, digest: head.digest };
      epochs.push({ epoch: head.epoch, digest: head.digest, timeMicros: head.time, isLast: head.last, sections });
    }
    at = frame.end;
  }
}

/** Null where no whole frame begins. */
async function readFrame(handle: FileHandle, at: number, size: number): Promise<{ head: FrameHead; blocksAt: number; end: number } | null> {
  const front = await readAt(handle, at, FRONT_BYTES);
  if (front.length < FRONT_BYTES) return null;
  const view = new DataView(front.buffer, front.byteOffset);
  const headBytes = view.getUint32(0, true);
  const blocksAt = at + FRONT_BYTES + headBytes;
  const end = blocksAt + view.getUint32(4, true);
  // A head has at least its braces: zeros, which have the checksum of nothing, are no frame.
  if (headBytes < 2 || end > size) return null;
  const rest = await readAt(handle, at + FRONT_BYTES, end - at - FRONT_BYTES);
  if (rest.length < end - at - FRONT_BYTES || crc32(rest) !== view.getUint32(8, true)) return null;
  return { head: JSON.parse(new TextDecoder().decode(rest.subarray(0, headBytes))) as FrameHead, blocksAt, end };
}

/** The epochs without those sections. What has none is kept only where it closes files of epochs before it. */
export function without(epochs: readonly JournalEpoch[], partition: string, upTo: number): JournalEpoch[] {
  const left: JournalEpoch[] = [];
  for (const epoch of epochs) {
    const isTouched = epoch.epoch <= upTo && epoch.sections.some((section) => section.partition === partition);
    const sections = isTouched ? epoch.sections.filter((section) => section.partition !== partition) : epoch.sections;
    if (sections.length > 0 || epoch.isLast && left.length > 0) left.push(isTouched ? { ...epoch, sections } : epoch);
  }
  return left;
}
