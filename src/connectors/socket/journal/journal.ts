/**
 * What was received, in files, before anything is done with it: a feed cannot be asked again. Invariants: a record is readable
 * only once it is durable; records are numbered without a gap; a segment is removed only when all of it lies behind a position
 * that was released.
 */
import { MillraceError } from "../../../data/fault.ts";
import { makeDurableFolder, readAt } from "../../../ports/durable.ts";
import type { Clock, FileHandle, Files, Lock, World } from "../../../ports/mod.ts";
import { SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN, SEGMENTS_PER_JOURNAL } from "../limits.ts";
import { encodeFrame, type Frame, frameAt, type FrameHead } from "./frame.ts";

export interface JournalOptions {
  readonly folder: string;
  /** What was read and released stays at least so long, for looking back, while there is room. */
  readonly keepMs: number;
  readonly bytesMax: number;
}
interface Segment {
  /** Number of its first record, also its name. */
  readonly first: number;
  bytes: number;
  /** When its newest frame was received. */
  newestMicros: number;
}
/** Frames in memory, one after the other in `bytes`. */
export interface JournalBlock {
  readonly bytes: Uint8Array;
  readonly frames: readonly Frame[];
  readonly segment: number;
  /** Where `bytes` starts in the segment. */
  readonly byte: number;
}

export class Journal {
  readonly #files: Files;
  readonly #clock: Clock;
  readonly #options: JournalOptions;
  readonly #lock: Lock;
  readonly #segmentBytesMax: number;
  /** Ascending; the last one is written to once `#writing` is there. */
  readonly #segments: Segment[];
  #writing: FileHandle | null = null;
  #reading: { readonly segment: number; readonly handle: FileHandle } | null = null;
  /** One behind the last record written, and the last durable one. */
  #written: number;
  #durable: number;
  /** Bytes of the last segment that are durable. */
  #durableBytes: number;
  #released = 0;
  /** Of the newest frame; null in an empty journal. */
  newest: Pick<FrameHead, "receivedMicros"> | null;
  /** Records per second at its end, for guessing what a gap cost. */
  readonly ratePerSecond: number;

  private constructor(world: World, options: JournalOptions, lock: Lock, found: { segments: Segment[]; last: LastSegment | null }) {
    this.#files = world.files;
    this.#clock = world.clock;
    this.#options = options;
    this.#lock = lock;
    this.#segments = found.segments;
    this.#segmentBytesMax = Math.max(SEGMENT_BYTES_MIN, Math.min(SEGMENT_BYTES_MAX, Math.floor(options.bytesMax / SEGMENTS_PER_JOURNAL)));
    this.#written = this.#durable = found.last?.end ?? 0;
    this.#durableBytes = found.last?.bytes ?? 0;
    this.newest = found.last?.newest ?? null;
    this.ratePerSecond = found.last?.ratePerSecond ?? 0;
  }

  /** Takes the journal over; what an earlier process wrote whole counts, synced or not. Throws MillraceError "locked". */
  static async open(world: World, options: JournalOptions): Promise<Journal> {
    const { folder } = options;
    const lock = await world.locks.acquire(`${folder}/writer.lock`);
    if (!lock) {
      throw new MillraceError("locked", `another process is writing the journal in ${folder}`, {
        hint: "give each socket source a journal of its own",
      });
    }
    try {
      await makeDurableFolder(world.files, folder);
      const segments: Segment[] = [];
      for (const name of await world.files.list(folder)) {
        const match = /^(\d{15})\.journal$/.exec(name);
        const stat = match && await world.files.stat(`${folder}/${name}`);
        if (stat) segments.push({ first: Number(match[1]), bytes: stat.size, newestMicros: stat.modifiedMs * 1000 });
      }
      const last = segments.length > 0 ? await scan(world.files, folder, segments[segments.length - 1]) : null;
      return new Journal(world, options, lock, { segments, last });
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  /** Number of the oldest record. */
  get first(): number {
    return this.#segments[0]?.first ?? 0;
  }
  /** One behind the last durable record. */
  get end(): number {
    return this.#durable;
  }
  get bytes(): number {
    let bytes = 0;
    for (const segment of this.#segments) bytes += segment.bytes;
    return bytes;
  }

  /** Whether so many bytes more may be written, after giving back what may go. */
  async hasRoom(bytes: number): Promise<boolean> {
    await this.#collect(bytes);
    return this.bytes + bytes <= this.#options.bytesMax;
  }

  /** Not durable before `sync`. */
  async append(head: Omit<FrameHead, "first">, body: Uint8Array): Promise<void> {
    const writing = await this.#segmentToWrite();
    const bytes = encodeFrame({ ...head, first: this.#written }, body);
    await writing.write(bytes);
    const segment = this.#segments[this.#segments.length - 1];
    segment.bytes += bytes.length;
    segment.newestMicros = head.receivedMicros;
    this.newest = { receivedMicros: head.receivedMicros };
    this.#written += head.records;
  }

  /** Everything appended before is durable, and readable, when it returns. */
  async sync(): Promise<void> {
    const { length } = this.#segments;
    if (!this.#writing || length === 0) return;
    const { bytes } = this.#segments[length - 1];
    const end = this.#written;
    await this.#writing.sync();
    // Rolled over meanwhile: then the roll has synced, and this is old news.
    if (length === this.#segments.length && bytes > this.#durableBytes) this.#durableBytes = bytes;
    this.#durable = Math.max(this.#durable, end);
  }

  /** Frames from byte `byte` of a segment on, about `bytesMax` but at least one; null at its end. */
  async read(segment: number, byte: number, bytesMax: number): Promise<JournalBlock | null> {
    const known = this.#segments.find(({ first }) => first === segment);
    if (!known) throw damaged(this.#options.folder, "a segment that is still to be read is missing");
    const isLast = known === this.#segments[this.#segments.length - 1];
    const left = (isLast ? this.#durableBytes : known.bytes) - byte;
    if (left <= 0) return null;
    const handle = await this.#openToRead(segment);
    let bytes = await readAt(handle, byte, Math.min(left, bytesMax));
    for (let first = frameAt(bytes, 0); first && "needs" in first && first.needs <= left; first = frameAt(bytes, 0)) {
      bytes = await readAt(handle, byte, first.needs);
    }
    const frames: Frame[] = [];
    for (let frame = frameAt(bytes, 0); frame && !("needs" in frame); frame = frameAt(bytes, frame.end)) frames.push(frame);
    // A torn end is one only where the next segment goes on with the very record that is missing here; the reader sees to that.
    return frames.length === 0 ? null : { bytes: bytes.subarray(0, frames[frames.length - 1].end), frames, segment, byte };
  }

  /** The segment that holds a record, which is durable or the next one to come. */
  segmentOf(record: number): number {
    let found = -1;
    for (const { first } of this.#segments) if (first <= record) found = first;
    if (found >= 0) return found;
    throw damaged(this.#options.folder, `record ${record} is missing, the oldest one is ${this.first}`);
  }

  /** Nobody will ask for records before this one any more. What that frees goes at the next look for room, or when it is old. */
  release(record: number): void {
    this.#released = Math.max(this.#released, record);
  }

  /** Syncs and lets go. */
  async close(): Promise<void> {
    try {
      await this.sync();
    } finally {
      this.#writing?.close();
      this.#reading?.handle.close();
      this.#writing = this.#reading = null;
      this.#lock.release();
    }
  }

  async #segmentToWrite(): Promise<FileHandle> {
    const last = this.#segments[this.#segments.length - 1];
    if (this.#writing && last.bytes < this.#segmentBytesMax) return this.#writing;
    if (this.#writing) {
      await this.#writing.sync();
      this.#durable = this.#written;
      this.#writing.close();
      this.#writing = null;
    }
    this.#writing = await this.#files.open(this.#path(this.#written), "write");
    await this.#files.syncFolder(this.#options.folder);
    // A segment without a whole frame has the name that the new one needs: it is begun again. Which one is the last, and how much of
    // it is durable, change together: a reader may ask in between.
    if (last?.first === this.#written) this.#segments.pop();
    this.#segments.push({ first: this.#written, bytes: 0, newestMicros: 0 });
    this.#durableBytes = 0;
    return this.#writing;
  }

  async #openToRead(segment: number): Promise<FileHandle> {
    if (this.#reading?.segment === segment) return this.#reading.handle;
    this.#reading?.handle.close();
    this.#reading = null;
    const handle = await this.#files.open(this.#path(segment), "read");
    this.#reading = { segment, handle };
    return handle;
  }

  /** Removes released segments: the old ones, and as many as it takes to make room for `bytes` more. The last one stays. */
  async #collect(bytes: number): Promise<void> {
    const oldMicros = this.#clock.nowMicros() - this.#options.keepMs * 1000;
    let removed = 0;
    while (this.#segments.length > 1 && this.#segments[1].first <= this.#released) {
      const [oldest] = this.#segments;
      if (oldest.newestMicros >= oldMicros && this.bytes + bytes <= this.#options.bytesMax) break;
      this.#segments.shift();
      await this.#files.remove(this.#path(oldest.first));
      removed++;
    }
    if (removed > 0) await this.#files.syncFolder(this.#options.folder);
  }

  #path(segment: number): string {
    return `${this.#options.folder}/${String(segment).padStart(15, "0")}.journal`;
  }
}

interface LastSegment {
  /** One behind its last record. */
  readonly end: number;
  /** Bytes of whole frames. */
  readonly bytes: number;
  readonly newest: Pick<FrameHead, "receivedMicros"> | null;
  readonly ratePerSecond: number;
}

/** Follows the frames of the newest segment to where they stop being whole. */
async function scan(files: Files, folder: string, segment: Segment): Promise<LastSegment> {
  const handle = await files.open(`${folder}/${String(segment.first).padStart(15, "0")}.journal`, "read");
  try {
    const bytes = await readAt(handle, 0, segment.bytes);
    let at = 0;
    let oldest: Frame | null = null;
    let newest: Frame | null = null;
    for (let frame = frameAt(bytes, 0); frame && !("needs" in frame); frame = frameAt(bytes, at)) {
      oldest ??= frame;
      newest = frame;
      at = frame.end;
    }
    // What a killed process wrote may not be on disk yet, and what follows is numbered behind it.
    await handle.sync();
    segment.bytes = at;
    const end = newest ? newest.first + newest.records : segment.first;
    const seconds = newest && oldest ? (newest.receivedMicros - oldest.receivedMicros) / 1e6 : 0;
    return { end, bytes: at, newest, ratePerSecond: seconds > 0 ? (end - segment.first) / seconds : 0 };
  } finally {
    handle.close();
  }
}

function damaged(folder: string, what: string): MillraceError {
  return new MillraceError("journal_damaged", `the journal in ${folder}: ${what}`, {
    hint: "its files were removed or changed; put them back, or start over with --rerun",
  });
}
