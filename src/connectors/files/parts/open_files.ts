/**
 * Which rows share a file: the rule by which files are begun and closed. Invariant: it looks at epochs, their recorded times and
 * the sizes of their blocks only, so that a replay comes to the same files; leaving out files that were closed earlier changes
 * nothing for the others.
 */
import type { Draft } from "./draft.ts";
import type { JournalEpoch } from "./journal_frames.ts";

/** When a file is closed. */
export interface Roll {
  /** Before a block takes it beyond so many bytes. */
  readonly bytes: number;
  /** At the first epoch whose time is so much later than that of the file's first. */
  readonly everyMicros: number;
  /** A lane has at most so many files open: the one begun first makes room. */
  readonly filesMax: number;
}

export interface OpenFile {
  readonly partition: string;
  readonly draft: Draft;
  readonly firstEpoch: number;
  readonly firstMicros: number;
  lastEpoch: number;
  lastMicros: number;
  rows: number;
}

/** The open files of one lane, in the order in which they were begun. */
export class OpenFiles {
  readonly #files = new Map<string, OpenFile>();
  constructor(private readonly roll: Roll) {}

  all(): readonly OpenFile[] {
    return [...this.#files.values()];
  }
  of(partition: string): OpenFile | null {
    return this.#files.get(partition) ?? null;
  }

  /** Those that an epoch of this time closes. */
  expired(timeMicros: number): readonly OpenFile[] {
    return this.all().filter((file) => timeMicros >= this.#dueMicros(file));
  }
  /** The time of the next one to expire. */
  dueMicros(): number | null {
    let due: number | null = null;
    for (const file of this.#files.values()) due = Math.min(due ?? Infinity, this.#dueMicros(file));
    return due;
  }
  /** Whether a block of `bytes` does not fit behind what the file has. */
  isFull(file: OpenFile, bytes: number): boolean {
    return file.draft.expectedBytes(bytes) > this.roll.bytes;
  }
  /** The one to close before another is begun; null while there is room. */
  crowdedOut(): OpenFile | null {
    return this.#files.size < this.roll.filesMax ? null : this.all()[0];
  }

  begin(partition: string, { epoch, timeMicros }: JournalEpoch, draft: Draft): OpenFile {
    const file = { partition, draft, firstEpoch: epoch, firstMicros: timeMicros, lastEpoch: epoch, lastMicros: timeMicros, rows: 0 };
    this.#files.set(partition, file);
    return file;
  }
  end(file: OpenFile): void {
    this.#files.delete(file.partition);
  }

  #dueMicros({ firstMicros }: OpenFile): number {
    return firstMicros + this.roll.everyMicros;
  }
}
