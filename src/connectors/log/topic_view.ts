/**
 * What a reader knows of a topic: which bytes of which segments are committed, by partition. Invariant: ranges of a partition
 * are contiguous in offsets and ascending; a range is contiguous in bytes.
 */
import { MillraceError } from "../../data/fault.ts";
import { CommitFollower, type Span } from "./commit_log.ts";
import { generationFolder, readTopic, type TopicDescription, type TopicPlace } from "./topic.ts";

/** Committed records of one partition in one session. */
export interface Range {
  readonly session: number;
  readonly byte: number;
  endByte: number;
  readonly offset: number;
  endOffset: number;
}

export class TopicView {
  sealed = false;
  readonly #ranges: Range[][];
  readonly #follower: CommitFollower;
  #refreshing: Promise<void> | null = null;

  constructor(readonly place: TopicPlace, readonly description: TopicDescription) {
    this.#ranges = Array.from({ length: description.partitions }, () => []);
    this.#follower = new CommitFollower(place.files, generationFolder(place, description.generation));
  }

  /** Looks for new commits. Readers of several partitions share one look. */
  refresh(): Promise<void> {
    return this.#refreshing ??= this.#refresh().finally(() => this.#refreshing = null);
  }

  /** One behind the last committed record. */
  end(partition: number): number {
    return this.#ranges[partition].at(-1)?.endOffset ?? 0;
  }

  /** The range that holds the offset, which is committed. */
  rangeOf(partition: number, offset: number): Range {
    const ranges = this.#ranges[partition];
    let low = 0;
    for (let high = ranges.length - 1; low < high;) {
      const middle = (low + high + 1) >> 1;
      if (ranges[middle].offset <= offset) low = middle;
      else high = middle - 1;
    }
    return ranges[low];
  }

  ends(): number[] {
    return this.#ranges.map((_, partition) => this.end(partition));
  }

  close(): void {
    this.#follower.close();
  }

  async #refresh(): Promise<void> {
    const now = await readTopic(this.place);
    if (now?.generation !== this.description.generation || now.run !== this.description.run) throw rewritten(this.place);
    for (const { session, entry } of await this.#follower.read()) {
      if (entry.kind === "seal") this.sealed = true;
      else for (const span of entry.spans) this.#add(session, span);
    }
  }

  #add(session: number, { partition, byte, endByte, offset, endOffset }: Span): void {
    const ranges = this.#ranges[partition];
    const last = ranges.at(-1);
    if (last && last.session === session && last.endByte === byte) {
      last.endByte = endByte;
      last.endOffset = endOffset;
    } else {
      ranges.push({ session, byte, endByte, offset, endOffset });
    }
  }
}

/** Told to a reader whose place belongs to a generation that is no more. */
export function rewritten({ topic }: TopicPlace): MillraceError {
  return new MillraceError("topic_rewritten", `topic "${topic}" was begun anew while it was being read`, {
    hint: "its producer ran again; start this pipeline over with --rerun to read the new records",
  });
}
