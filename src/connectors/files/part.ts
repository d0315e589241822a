/**
 * A part: the rows that one lane's epoch gave to one sink, in one immutable file that is its own manifest entry. Its name and
 * bytes follow from the epoch alone, so delivering an epoch again, however late and by whomever, changes nothing.
 *
 *   part    := rows index footer trailer
 *   rows    := encoded rows in sort order, line ends included
 *   index   := see OrderedRows.index
 *   footer  := JSON (PartFooter), UTF-8
 *   trailer := u32 length of footer, u32 CRC-32 of footer, "MRPART01"; little-endian
 */
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { MillraceError } from "../../data/fault.ts";
import type { EpochStamp, Marker } from "../../engine/contracts.ts";
import type { Files } from "../../ports/mod.ts";
import { readAt, writeWhole } from "../../ports/durable.ts";
import type { OrderedRows } from "./epoch_rows.ts";

interface PartFooter {
  readonly pipeline: string;
  readonly run: string;
  readonly lane: number;
  readonly epoch: number;
  readonly digest: string;
  readonly count: number;
  readonly rowsBytes: number;
  readonly indexBytes: number;
  /** Bytes of each key, null where they differ in length. */
  readonly keyWidth: number | null;
  /** Hexadecimal; empty without a sort key. */
  readonly firstKey: string;
  readonly lastKey: string;
}
/** A part as merging sees it. */
export interface Part extends Marker {
  readonly path: string;
  readonly lane: number;
  readonly count: number;
  readonly rowsBytes: number;
  readonly indexBytes: number;
  readonly keyWidth: number | null;
  readonly firstKey: Uint8Array;
  readonly lastKey: Uint8Array;
  /** Where the index lies: in the part itself behind the rows, or in a file of its own (merged parts). */
  readonly index: { readonly path: string; readonly at: number };
}

const MAGIC = new TextEncoder().encode("MRPART01");
const TRAILER_BYTES = 16;
const NAME = /^part-(\d{5})-(\d{12})\.rows$/;

export const partName = (lane: number, epoch: number): string =>
  `part-${String(lane).padStart(5, "0")}-${String(epoch).padStart(12, "0")}.rows`;

/** The lane and epoch that a file name stands for; null for other files, temporary ones included. */
export function parsePartName(name: string): { lane: number; epoch: number } | null {
  const match = NAME.exec(name);
  return match ? { lane: Number(match[1]), epoch: Number(match[2]) } : null;
}

/** Durable when it returns. */
export async function writePart(
  files: Files,
  folder: string,
  stamp: EpochStamp,
  ordered: OrderedRows,
  keyWidth: number | null,
): Promise<Part> {
  const { pipeline, run, lane, epoch, digest } = stamp;
  const footer: PartFooter = {
    pipeline,
    run,
    lane,
    epoch,
    digest,
    count: ordered.count,
    rowsBytes: ordered.rows.length,
    indexBytes: ordered.index.length,
    keyWidth,
    firstKey: Buffer.from(ordered.firstKey).toString("hex"),
    lastKey: Buffer.from(ordered.lastKey).toString("hex"),
  };
  await writeWhole(files, { folder, name: partName(lane, epoch), owner: String(stamp.owner) }, async (handle) => {
    await handle.write(ordered.rows);
    if (ordered.index.length > 0) await handle.write(ordered.index);
    await handle.write(encodeFooter(footer));
  });
  return partOf(`${folder}/${partName(lane, epoch)}`, footer);
}

/** Reads the footer of a part. Parts appear by renaming a synced file, so a damaged one is an error, not a crash's trace. */
export async function readPart(files: Files, path: string): Promise<Part> {
  const handle = await files.open(path, "read");
  try {
    const size = await handle.size();
    const trailer = await readAt(handle, Math.max(0, size - TRAILER_BYTES), TRAILER_BYTES);
    if (trailer.length < TRAILER_BYTES || !MAGIC.every((byte, i) => trailer[8 + i] === byte)) throw damaged(path);
    const view = new DataView(trailer.buffer, trailer.byteOffset);
    const length = view.getUint32(0, true);
    const footer = await readAt(handle, Math.max(0, size - TRAILER_BYTES - length), length);
    if (crc32(footer) !== view.getUint32(4, true)) throw damaged(path);
    return partOf(path, JSON.parse(new TextDecoder().decode(footer)) as PartFooter);
  } finally {
    handle.close();
  }
}

function encodeFooter(footer: PartFooter): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(footer));
  const bytes = new Uint8Array(text.length + TRAILER_BYTES);
  bytes.set(text);
  const view = new DataView(bytes.buffer);
  view.setUint32(text.length, text.length, true);
  view.setUint32(text.length + 4, crc32(text), true);
  bytes.set(MAGIC, text.length + 8);
  return bytes;
}

function partOf(path: string, footer: PartFooter): Part {
  return {
    ...footer,
    path,
    firstKey: new Uint8Array(Buffer.from(footer.firstKey, "hex")),
    lastKey: new Uint8Array(Buffer.from(footer.lastKey, "hex")),
    index: { path, at: footer.rowsBytes },
  };
}

function damaged(path: string): MillraceError {
  return new MillraceError("part_damaged", `${path} is not a whole part of a sink's output`, {
    hint: "the state folder was changed or the disk is failing; restore it, or start over with --rerun",
  });
}
