/**
 * One lane of a sink into a server's table, over a connection of its own. Invariant: `deliver` returns only when the epoch's rows and
 * marker are committed, by itself or before; when that is in doubt and cannot be settled, it throws and the lane is taken over again.
 */
import type { Batch } from "../../data/batch.ts";
import { createWriter } from "../../data/bytes.ts";
import type { ByteWriter, Encoder } from "../../data/codec.ts";
import type { EpochStamp, Marker, RefusedRow, SinkLane } from "../../engine/contracts.ts";
import type { MarkerWriter } from "./epoch_marker.ts";
import { BUFFER_KEPT_BYTES_MAX, STREAM_BYTES_MIN } from "./limits.ts";
import type { Markers } from "./markers.ts";
import { RefusableRows } from "./refusable_rows.ts";
import type { RefusedRecords } from "./refused_records.ts";
import type { RowRefused } from "./row_refused.ts";
import type { SqlServer } from "./server.ts";
import { endTransaction, inTransaction, type SqlSession } from "./session.ts";

/** Rows in the database's text form. */
export interface TextRows {
  readonly text: Pick<ByteWriter, "bytes" | "length">;
  readonly rows: number;
}
/** Rows on their way into a table, in a transaction that is open. */
export interface RowStream {
  /** Bytes that the network has not taken yet. */
  pendingBytes(): number;
  /** Takes the bytes over. What goes wrong is told by `end`. */
  add(bytes: Uint8Array): void;
  /** All rows are in the table, as far as their transaction goes. */
  end(rows: number): Promise<void>;
}
/** How a lane's rows get into its table. */
export interface RowPutter<S extends SqlSession> {
  readonly encode: Encoder;
  /** Throws where a column would not keep a value of the batch exactly; what the server refuses by itself is left to it. */
  requireKept?(batch: Batch): void;
  /** The same of each row, by its place in the batch. */
  misfits?(batch: Batch): ReadonlyMap<number, RowRefused>;
  /** Within a transaction. */
  put(session: S, rows: TextRows): Promise<void>;
  /** Rows were put, and more of the transaction will be: forgets what only those needed. */
  putBefore?(session: S): Promise<void>;
  /** Within a transaction: what would be checked at its end is checked with every statement. */
  checkAtOnce?(session: S): Promise<void>;
  /** Within a transaction: begins to put rows that are still being made. Absent: they wait for the end of their epoch. */
  stream?(session: S): Promise<RowStream>;
  /** Says on a new connection whose it is. */
  claim?(session: S): Promise<void>;
  /** Before the lane is taken and once it is: ends connections that an older owner claimed, so that nobody waits for what they hold. */
  silenceOlder?(session: S): Promise<void>;
}

export class SqlSinkLane<S extends SqlSession> implements SinkLane {
  #text: ByteWriter = createWriter();
  #rows = 0;
  #session: S | null = null;
  /** Of the open epoch, once it has many rows. */
  #early: EarlyRows<S> | null = null;
  /** The open epoch's rows, where refused ones are to be left out; the two above are then of no use. */
  readonly #refusable: RefusableRows<S> | null;

  constructor(
    private readonly server: SqlServer<S>,
    private readonly markers: Markers,
    private readonly writer: MarkerWriter,
    private readonly putter: RowPutter<S>,
    private readonly lane: number,
    private readonly released: () => void,
    /** null: a row that the table refuses is a fault. */
    private readonly records: RefusedRecords | null,
  ) {
    this.#refusable = records && new RefusableRows(putter);
  }

  async fence(owner: number): Promise<Marker | null> {
    this.discard();
    const session = await this.#connected();
    await this.#silenceHolder(session, owner);
    const marker = await inTransaction(session, () => this.markers.takeLane(session, this.writer, this.lane, owner));
    await this.putter.silenceOlder?.(session);
    if (marker === null || this.records === null) return marker;
    return { ...marker, refused: await this.records.read(session, this.writer, this.lane, marker.epoch) };
  }

  write(batch: Batch): void {
    const { putter } = this;
    if (this.#refusable) return this.#refusable.add(batch);
    putter.requireKept?.(batch);
    for (let row = 0; row < batch.rows; row++) putter.encode(batch, row, this.#text);
    this.#rows += batch.rows;
    if (this.#text.length >= STREAM_BYTES_MIN) this.#sendEarly();
  }

  async deliver(stamp: EpochStamp): Promise<void | readonly RefusedRow[]> {
    if (this.#refusable && this.records) return await this.#deliverAround(this.#refusable, this.records, stamp);
    if (this.#rows === 0) return;
    if (this.#early) await this.#deliverEarly(this.#early, stamp);
    else {
      const session = await this.#connected();
      await inTransaction(session, async () => {
        if (await this.markers.advanceLane(session, this.writer, stamp) === "done") return;
        await this.putter.put(session, { text: this.#text, rows: this.#rows });
      }, (lost) => this.#requireHeld(stamp, lost));
    }
    this.discard();
  }

  /** What was refused is recorded with the marker: a later owner of the epoch takes it from there. */
  async #deliverAround(rows: RefusableRows<S>, records: RefusedRecords, stamp: EpochStamp): Promise<readonly RefusedRow[]> {
    if (rows.rows === 0) return [];
    const session = await this.#connected();
    let refused: readonly RefusedRow[] = [];
    const read = (from: S): Promise<readonly RefusedRow[]> => records.read(from, this.writer, this.lane, stamp.epoch);
    await inTransaction(session, async () => {
      if (await this.markers.advanceLane(session, this.writer, stamp) === "done") {
        refused = await read(session);
        return;
      }
      await this.putter.checkAtOnce?.(session);
      refused = await rows.put(session);
      await records.write(session, this.writer, stamp, refused);
    }, async (lost) => {
      await this.#requireHeld(stamp, lost);
      refused = await read(await this.#connected());
    });
    this.discard();
    return refused;
  }

  /** Rows that are on their way are taken back by the server, whose connection ends. */
  discard(): void {
    this.#early?.session.destroy();
    this.#early = null;
    if (this.#text.bytes.length > BUFFER_KEPT_BYTES_MAX) this.#text = createWriter();
    this.#text.length = 0;
    this.#rows = 0;
    this.#refusable?.clear();
  }

  bytesHeld(): number {
    return this.#text.length + (this.#refusable?.bytes ?? 0) + (this.#early?.pendingBytes ?? 0);
  }

  async release(): Promise<void> {
    this.released();
    await this.close();
  }

  async close(): Promise<void> {
    this.discard();
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }

  /** Who stands still in the middle of an epoch's transaction may hold the marker itself, for as long as it stands. */
  async #silenceHolder(session: S, owner: number): Promise<void> {
    const { markers, putter, writer, lane } = this;
    if (putter.silenceOlder && !(await markers.hasNewerOwner(session, writer, lane, owner))) await putter.silenceOlder(session);
  }

  #sendEarly(): void {
    if (!this.putter.stream) return;
    if (this.#early === null) {
      // Lost between two epochs: connecting waits, and `deliver` may.
      if (!this.#session?.alive) return;
      this.#early = new EarlyRows(this.#session, this.putter.stream);
    }
    this.#early.add(this.#text);
    this.#text = createWriter(this.#text.length);
  }

  /** The marker comes last here: an owner that was superseded has put rows, and takes them back. */
  async #deliverEarly(early: EarlyRows<S>, stamp: EpochStamp): Promise<void> {
    const { session } = early;
    early.add(this.#text);
    this.#text = createWriter();
    try {
      await early.end(this.#rows).catch((fault) => this.#requireOwnFault(session, stamp, fault));
      const advanced = await this.markers.advanceLane(session, this.writer, stamp);
      await endTransaction(session, advanced === "done" ? "ROLLBACK" : "COMMIT", (lost) => this.#requireHeld(stamp, lost));
      this.#early = null;
    } catch (error) {
      // No lock is kept for a successor to wait for.
      this.discard();
      throw error;
    }
  }

  /** Rows that were refused: perhaps only because a successor has put them already. Then the marker has the epoch, or another owner. */
  async #requireOwnFault(session: S, stamp: EpochStamp, fault: unknown): Promise<void> {
    if (!session.alive) throw fault;
    await session.run("ROLLBACK");
    await session.run("START TRANSACTION");
    if (await this.markers.advanceLane(session, this.writer, stamp) === "write") throw fault;
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
    const session = this.#session = await this.server.open();
    await this.putter.claim?.(session);
    return session;
  }
}

/** Rows of an epoch that go into its transaction while it is open. Invariant: a fault is told by `end`, and by nobody else. */
class EarlyRows<S extends SqlSession> {
  readonly #stream: Promise<RowStream>;
  #opened: RowStream | null = null;
  /** Until the transaction is open. */
  #waitingBytes = 0;

  constructor(readonly session: S, stream: (session: S) => Promise<RowStream>) {
    this.#stream = (async () => {
      await session.run("START TRANSACTION");
      return this.#opened = await stream(session);
    })();
    this.#stream.catch(() => {});
  }

  get pendingBytes(): number {
    return this.#waitingBytes + (this.#opened?.pendingBytes() ?? 0);
  }

  /** Takes the text over. */
  add({ bytes, length }: ByteWriter): void {
    if (length === 0) return;
    this.#waitingBytes += length;
    this.#stream.then((stream) => {
      this.#waitingBytes -= length;
      stream.add(bytes.subarray(0, length));
    }, () => {});
  }

  async end(rows: number): Promise<void> {
    await (await this.#stream).end(rows);
  }
}
