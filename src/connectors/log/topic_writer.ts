/**
 * The one writer of a topic. Invariants: whoever writes holds the topic's lock; every session has its own segments and its own
 * commit file, and states how much of the session before counts; an epoch's records are on disk before its commit entry is.
 * After any failed write the session is given up: the next `begin` starts another behind what is known to be whole.
 */
import { MillraceError } from "../../data/fault.ts";
import type { EpochStamp, Marker } from "../../engine/contracts.ts";
import type { FileHandle, Lock } from "../../ports/mod.ts";
import { type Commit, CommitFollower, CommitWriter, type Span } from "./commit_log.ts";
import { encodeFrameHead } from "./frame.ts";
import type { FrameBody } from "./partition_rows.ts";
import { generationFolder, partitionFolder, segmentName, type TopicDescription, type TopicPlace } from "./topic.ts";

interface Segment {
  readonly handle: FileHandle;
  byte: number;
}
interface Session {
  readonly commits: CommitWriter;
  readonly segments: Map<number, Segment>;
}

export class TopicWriter {
  #session: Session | null = null;
  #sealed = false;
  readonly #ends: Float64Array;
  readonly #markers = new Map<number, Marker>();
  readonly #owners = new Map<number, number>();
  /** Writes happen one after the other, whichever lane they come from. */
  #queue: Promise<unknown> = Promise.resolve();
  readonly #writer: string;

  constructor(private readonly place: TopicPlace, private readonly description: TopicDescription, private readonly lock: Lock) {
    this.#ends = new Float64Array(description.partitions);
    this.#writer = `${description.pipeline}#${description.run}`;
  }

  get partitions(): number {
    return this.description.partitions;
  }

  /** Takes a lane for `owner` and tells its marker. */
  fence(lane: number, owner: number): Promise<Marker | null> {
    return this.#inTurn(async () => {
      if (owner < (this.#owners.get(lane) ?? 0)) throw fenced(this.place);
      this.#owners.set(lane, owner);
      if (!this.#session) await this.#begin(owner);
      return this.#markers.get(lane) ?? null;
    });
  }

  /** Makes an epoch's records visible in all partitions at once; does nothing when they are already. */
  commit(stamp: EpochStamp, bodies: readonly (readonly FrameBody[])[]): Promise<void> {
    return this.#inTurn(async () => {
      if (stamp.owner < (this.#owners.get(stamp.lane) ?? 0)) throw fenced(this.place);
      const marker = this.#markers.get(stamp.lane);
      if (marker && marker.epoch >= stamp.epoch) {
        if (marker.epoch === stamp.epoch && marker.digest === stamp.digest) return;
        throw fenced(this.place);
      }
      if (this.#sealed) throw new MillraceError("topic_sealed", `topic "${this.place.topic}" is sealed and takes no more records`);
      await this.#orGiveUp((session) => this.#write(session, stamp, bodies));
    });
  }

  /** Says that nothing will follow. */
  seal(owner: number): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#session) await this.#begin(owner);
      if (this.#sealed) return;
      await this.#orGiveUp(({ commits }) => commits.append({ kind: "seal", writer: this.#writer }));
      this.#sealed = true;
    });
  }

  async close(): Promise<void> {
    await this.#queue.catch(() => {});
    this.#endSession();
    this.lock.release();
  }

  async #begin(owner: number): Promise<void> {
    const { files } = this.place;
    const folder = generationFolder(this.place, this.description.generation);
    const follower = new CommitFollower(files, folder);
    try {
      this.#ends.fill(0);
      this.#markers.clear();
      for (const { entry } of await follower.read()) {
        if (entry.kind === "seal") this.#sealed = true;
        else this.#apply(entry);
      }
      this.#session = { commits: await CommitWriter.begin(files, folder, follower, String(owner)), segments: new Map() };
    } finally {
      follower.close();
    }
  }

  #apply({ writer, lane, epoch, digest, spans }: Commit): void {
    for (const { partition, endOffset } of spans) this.#ends[partition] = endOffset;
    if (writer === this.#writer) this.#markers.set(lane, { epoch, digest });
  }

  async #write(session: Session, stamp: EpochStamp, bodies: readonly (readonly FrameBody[])[]): Promise<void> {
    const spans: Span[] = [];
    for (const [partition, frames] of bodies.entries()) {
      if (frames.length > 0) spans.push(await this.#writeFrames(session, stamp, partition, frames));
    }
    await Promise.all(spans.map(({ partition }) => session.segments.get(partition)!.handle.sync()));
    const { lane, epoch, owner, digest } = stamp;
    const entry: Commit = { kind: "commit", writer: this.#writer, lane, epoch, owner, digest, spans };
    await session.commits.append(entry);
    this.#apply(entry);
  }

  async #writeFrames(session: Session, stamp: EpochStamp, partition: number, frames: readonly FrameBody[]): Promise<Span> {
    const segment = session.segments.get(partition) ?? await this.#openSegment(session, partition);
    const { byte } = segment;
    const { lane, epoch, owner, digest } = stamp;
    const first = this.#ends[partition];
    let offset = first;
    for (const { body, records } of frames) {
      const head = encodeFrameHead({ offset, records, lane, epoch, owner, writer: this.#writer, digest }, body);
      await segment.handle.write(head);
      await segment.handle.write(body);
      segment.byte += head.length + body.length;
      offset += records;
    }
    return { partition, byte, endByte: segment.byte, offset: first, endOffset: offset };
  }

  async #openSegment(session: Session, partition: number): Promise<Segment> {
    const folder = partitionFolder(this.place, this.description.generation, partition);
    const handle = await this.place.files.open(`${folder}/${segmentName(session.commits.session)}`, "write");
    const segment = { handle, byte: 0 };
    session.segments.set(partition, segment);
    await this.place.files.syncFolder(folder);
    return segment;
  }

  async #orGiveUp(action: (session: Session) => Promise<void>): Promise<void> {
    if (!this.#session) {
      throw new MillraceError("log_interrupted", `an earlier write to topic "${this.place.topic}" failed`, { retry: "backoff" });
    }
    try {
      await action(this.#session);
    } catch (error) {
      this.#endSession();
      throw error;
    }
  }

  #endSession(): void {
    if (!this.#session) return;
    this.#session.commits.close();
    for (const { handle } of this.#session.segments.values()) handle.close();
    this.#session = null;
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(action, action);
    this.#queue = turn.catch(() => {});
    return turn;
  }
}

function fenced({ topic }: TopicPlace): MillraceError {
  return new MillraceError("fenced", `topic "${topic}" has a newer writer`, {
    hint: "another owner took this pipeline over; this one stops",
  });
}
