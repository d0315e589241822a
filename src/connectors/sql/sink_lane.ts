/**
 * One lane of a sink into a server's table, over a connection of its own. Invariant: `deliver` returns only when the epoch's rows and
 * marker are committed, by itself or before; when that is in doubt and cannot be settled, it throws and the lane is taken over again.
 */
import type { Batch } from "../../data/batch.ts";
import { createWriter } from "../../data/bytes.ts";
import type { ByteWriter, Encoder } from "../../data/codec.ts";
import type { EpochStamp, Marker, SinkLane } from "../../engine/contracts.ts";
import type { MarkerWriter } from "./epoch_marker.ts";
import { BUFFER_KEPT_BYTES_MAX } from "./limits.ts";
import type { Markers } from "./markers.ts";
import type { SqlServer } from "./server.ts";
import { inTransaction, type SqlSession } from "./session.ts";

/** Rows in the database's text form. */
export interface TextRows {
  readonly text: Pick<ByteWriter, "bytes" | "length">;
  readonly rows: number;
}
/** How a lane's rows get into its table. */
export interface RowPutter<S extends SqlSession> {
  readonly encode: Encoder;
  /** Throws where a column would not keep a value of the batch exactly; what the server refuses by itself is left to it. */
  requireKept?(batch: Batch): void;
  /** Within a transaction. */
  put(session: S, rows: TextRows): Promise<void>;
}

export class SqlSinkLane<S extends SqlSession> implements SinkLane {
  #text: ByteWriter = createWriter();
  #rows = 0;
  #session: S | null = null;

  constructor(
    private readonly server: SqlServer<S>,
    private readonly markers: Markers,
    private readonly writer: MarkerWriter,
    private readonly putter: RowPutter<S>,
    private readonly lane: number,
    private readonly released: () => void,
  ) {}

  async fence(owner: number): Promise<Marker | null> {
    this.discard();
    const session = await this.#connected();
    return await inTransaction(session, () => this.markers.takeLane(session, this.writer, this.lane, owner));
  }

  write(batch: Batch): void {
    this.putter.requireKept?.(batch);
    for (let row = 0; row < batch.rows; row++) this.putter.encode(batch, row, this.#text);
    this.#rows += batch.rows;
  }

  async deliver(stamp: EpochStamp): Promise<void> {
    if (this.#rows === 0) return;
    const session = await this.#connected();
    await inTransaction(session, async () => {
      if (await this.markers.advanceLane(session, this.writer, stamp) === "done") return;
      await this.putter.put(session, { text: this.#text, rows: this.#rows });
    }, (lost) => this.#requireHeld(stamp, lost));
    this.discard();
  }

  discard(): void {
    if (this.#text.bytes.length > BUFFER_KEPT_BYTES_MAX) this.#text = createWriter();
    this.#text.length = 0;
    this.#rows = 0;
  }

  bytesHeld(): number {
    return this.#text.length;
  }

  async release(): Promise<void> {
    this.released();
    await this.close();
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }

  /** The connection was lost while it committed: the marker tells, once the server has come to an end with that transaction. */
  async #requireHeld(stamp: EpochStamp, lost: unknown): Promise<void> {
    const session = await this.#connected();
    if (!(await this.markers.holdsEpoch(session, this.writer, stamp))) throw lost;
  }

  /**
   * Between transactions a lost connection loses nothing: the server ends those that were idle for long. One attempt: the lane's
   * owner waits, because it knows when to stop.
   */
  async #connected(): Promise<S> {
    if (this.#session?.alive) return this.#session;
    this.#session?.destroy();
    this.#session = null;
    return this.#session = await this.server.open();
  }
}
