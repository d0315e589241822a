/**
 * The rows of one lane's open files, held durably from their epoch until their file is shown: an append-only file with one frame
 * an epoch. A frame that can be read whole is an epoch that was delivered; the newest one is the lane's marker.
 * Invariants: a journal is written by one owner only. A new owner copies what is whole and still needed into a journal of its own
 * before it goes on; nobody's journal is cut, and one is removed only when a newer one is durable and its owner decides an epoch.
 *
 *   journal := "MRPARTS1" frame*
 *   frame   := u32 bytes of head, u32 bytes of blocks, u32 CRC-32 of both, head, blocks; little-endian
 *   head    := JSON: { mark: [epoch, digest] }                      first: the marker of what is not kept here any more
 *                  | { epoch, digest, time, last, sections: [[partition, rows, bytes], ...] }   blocks: the sections' own
 *                  | { shown: [partition, epoch] }                  the partition's rows up to this epoch are in files people see
 */
import { assert } from "../../../data/fault.ts";
import type { EpochStamp, Marker } from "../../../engine/contracts.ts";
import type { FileHandle, Files } from "../../../ports/mod.ts";
import { makeDurableFolder, readAt, writeWhole } from "../../../ports/durable.ts";
import { encodeFrame, type FrameHead, JOURNAL_MAGIC, type JournalEpoch, readFrames, type Section, without } from "./journal_frames.ts";

/** A section before it is in the journal. */
export interface NewSection {
  readonly partition: string;
  readonly rows: number;
  readonly block: Uint8Array;
}

export interface JournalPlace {
  readonly files: Files;
  readonly folder: string;
  readonly lane: number;
  /** The generation of its owner. */
  readonly owner: number;
  /** Bytes of rows that are not needed any more before the journal is written anew; never less than it still needs. */
  readonly spareBytes: number;
}

const NAME = /^lane-(\d{5})-(\d{12})-(\d{6})\.journal(?:\.\d+\.tmp)?$/;
const nameOf = (lane: number, owner: number, sequence: number): string =>
  `lane-${String(lane).padStart(5, "0")}-${String(owner).padStart(12, "0")}-${String(sequence).padStart(6, "0")}.journal`;

function partsOf(name: string): { readonly lane: number; readonly owner: number; readonly sequence: number } {
  const [, lane, owner, sequence] = NAME.exec(name)!.map(Number);
  return { lane, owner, sequence };
}

/** The lanes that have journals in a folder, with the newest owner of each. */
export async function lanesWithJournals(files: Files, folder: string): Promise<ReadonlyMap<number, number>> {
  const lanes = new Map<number, number>();
  for (const name of await files.list(folder)) {
    if (!NAME.test(name)) continue;
    const { lane, owner } = partsOf(name);
    lanes.set(lane, owner);
  }
  return lanes;
}

export class LaneJournal {
  #sequence = 0;
  #handle: FileHandle | null = null;
  #size = 0;
  /** Of this journal when it was begun. */
  #sizeAtFirst = 0;
  #liveBytes = 0;
  #epochs: JournalEpoch[] = [];
  #marker: Marker | null = null;
  #isAlone = false;

  private constructor(private readonly place: JournalPlace) {}

  /** Copies what earlier owners left into a journal of this owner's. Of the lane's journals the newest is whole up to its last frame. */
  static async takeOver(place: JournalPlace): Promise<LaneJournal> {
    const { files, folder } = place;
    await makeDurableFolder(files, folder);
    const journal = new LaneJournal(place);
    const newest = (await journal.#journals()).at(-1);
    if (!newest) {
      await journal.#writeAnew(null);
      return journal;
    }
    const { owner, sequence } = partsOf(newest);
    if (owner === place.owner) journal.#sequence = sequence + 1;
    const handle = await files.open(`${folder}/${newest}`, "read");
    try {
      const { marker, epochs } = await readFrames(handle);
      journal.#marker = marker;
      journal.#epochs = epochs;
      await journal.#writeAnew(handle);
    } finally {
      handle.close();
    }
    return journal;
  }

  get marker(): Marker | null {
    return this.#marker;
  }
  /** What is not in a file that people see, oldest first. */
  get epochs(): readonly JournalEpoch[] {
    return this.#epochs;
  }

  /** Adds an epoch; durable when it returns. After a throw the journal is of no more use. */
  async append(
    { epoch, digest, timeMicros, stopping }: EpochStamp,
    sections: readonly NewSection[],
  ): Promise<JournalEpoch> {
    assert(epoch > (this.#marker?.epoch ?? 0), `epoch ${epoch} is new`);
    const isLast = stopping === true;
    const listed = sections.map(({ partition, rows, block }) => [partition, rows, block.length] as const);
    const starts = await this.#write(
      { epoch, digest, time: timeMicros, last: isLast, sections: listed },
      sections.map((section) => section.block),
    );
    await this.#handle!.sync();
    const added: JournalEpoch = {
      epoch,
      digest,
      timeMicros,
      isLast,
      sections: sections.map(({ partition, rows, block }, i) => ({ partition, rows, bytes: block.length, at: starts[i] })),
    };
    this.#epochs.push(added);
    this.#marker = { epoch, digest };
    for (const { bytes } of added.sections) this.#liveBytes += bytes;
    if (!this.#isAlone) await this.#removeOlder();
    return added;
  }

  /** The block begins where its buffer does. */
  read(section: Section): Promise<Uint8Array> {
    assert(this.#handle, "an open journal is read");
    return readSection(this.#handle, section);
  }

  /** The partition's rows up to `epoch` are in files people see: they are not needed here any more. */
  async shown(partition: string, epoch: number): Promise<void> {
    await this.#write({ shown: [partition, epoch] }, []);
    this.#epochs = without(this.#epochs, partition, epoch);
    this.#liveBytes = bytesOf(this.#epochs);
  }

  /** Makes room, when enough of the journal is not needed any more. */
  async tidy(): Promise<void> {
    if (this.#size - this.#liveBytes <= Math.max(this.place.spareBytes, this.#liveBytes)) return;
    await this.#goOn();
    await this.#removeOlder();
  }

  /** The input has ended: leaves no more than the marker behind, and what is not shown. */
  async conclude(): Promise<void> {
    if (this.#size > this.#sizeAtFirst) await this.#goOn();
    await this.#removeOlder();
  }

  /** Takes what is needed into the next journal. */
  async #goOn(): Promise<void> {
    const before = this.#handle!;
    this.#sequence++;
    try {
      await this.#writeAnew(before);
    } finally {
      before.close();
    }
  }

  close(): void {
    this.#handle?.close();
    this.#handle = null;
  }

  /** Writes what is needed into a new file, from the journal that `from` reads, and goes on with that. */
  async #writeAnew(from: FileHandle | null): Promise<void> {
    const { files, folder, lane, owner } = this.place;
    const name = nameOf(lane, owner, this.#sequence);
    const starts: number[][] = [];
    await writeWhole(files, { folder, name, owner: String(owner) }, async (handle) => {
      this.#handle = handle;
      this.#size = 0;
      await handle.write(JOURNAL_MAGIC);
      this.#size = JOURNAL_MAGIC.length;
      if (this.#marker) await this.#write({ mark: [this.#marker.epoch, this.#marker.digest] }, []);
      for (const { epoch, digest, timeMicros, isLast, sections } of this.#epochs) {
        const blocks: Uint8Array[] = [];
        for (const section of sections) blocks.push(await readSection(from!, section));
        const listed = sections.map(({ partition, rows, bytes }) => [partition, rows, bytes] as const);
        starts.push(await this.#write({ epoch, digest, time: timeMicros, last: isLast, sections: listed }, blocks));
      }
    });
    this.#epochs.forEach(({ sections }, e) => sections.forEach((section, s) => section.at = starts[e][s]));
    this.#liveBytes = bytesOf(this.#epochs);
    this.#sizeAtFirst = this.#size;
    this.#handle = await files.open(`${folder}/${name}`, "append");
  }

  /** Gives where each block begins. */
  async #write(head: FrameHead, blocks: readonly Uint8Array[]): Promise<number[]> {
    const front = encodeFrame(head, blocks);
    await this.#handle!.write(front);
    let at = this.#size + front.length;
    const starts: number[] = [];
    for (const block of blocks) {
      starts.push(at);
      await this.#handle!.write(block);
      at += block.length;
    }
    this.#size = at;
    return starts;
  }

  /** Own journals in the order in which they were made, without those on their way. */
  async #journals(): Promise<string[]> {
    const names = await this.place.files.list(this.place.folder);
    return names.filter((name) => Number(NAME.exec(name)?.[1] ?? -1) === this.place.lane && name.endsWith(".journal"));
  }

  /** Only once this owner's intent stands: whoever takes over after that reads this journal, or a newer one. */
  async #removeOlder(): Promise<void> {
    const { files, folder, lane, owner } = this.place;
    const own = nameOf(lane, owner, this.#sequence);
    for (const name of await files.list(folder)) {
      // Names of one lane sort by owner and sequence.
      if (NAME.test(name) && partsOf(name).lane === lane && name < own) await files.remove(`${folder}/${name}`);
    }
    this.#isAlone = true;
  }
}

async function readSection(handle: FileHandle, { at, bytes }: Section): Promise<Uint8Array> {
  const block = await readAt(handle, at, bytes);
  assert(block.length === bytes, "a journal holds what its frames say");
  return block;
}

function bytesOf(epochs: readonly JournalEpoch[]): number {
  let bytes = 0;
  for (const { sections } of epochs) for (const section of sections) bytes += section.bytes;
  return bytes;
}
