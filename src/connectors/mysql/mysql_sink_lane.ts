/**
 * One lane of the `mysql` sink, over a connection of its own. Invariant: `deliver` returns only when the epoch's rows and marker are
 * committed, by itself or before; when that is in doubt and cannot be settled, it throws and the lane is taken over again.
 */
import type { Batch } from "../../data/batch.ts";
import { createWriter } from "../../data/bytes.ts";
import type { ByteWriter, Encoder } from "../../data/codec.ts";
import type { EpochStamp, Marker, SinkLane } from "../../engine/contracts.ts";
import type { TableTarget } from "../sql/table_target.ts";
import type { Session } from "./driver.ts";
import { BUFFER_KEPT_BYTES_MAX } from "./limits.ts";
import { advanceLane, holdsEpoch, takeLane } from "./mysql_markers.ts";
import type { OpenedSink } from "./mysql_sink.ts";
import { putRows, type PutTarget } from "./put_rows.ts";
import { compileRowText } from "./row_text.ts";
import type { MysqlServer } from "./server.ts";

export class MysqlSinkLane implements SinkLane {
  readonly #encode: Encoder;
  readonly #put: PutTarget;
  #text: ByteWriter = createWriter();
  #rows = 0;
  #session: Session | null = null;

  constructor(
    private readonly server: MysqlServer,
    target: TableTarget,
    private readonly opened: OpenedSink,
    private readonly lane: number,
  ) {
    this.#encode = compileRowText(target, opened.table);
    this.#put = { table: opened.into, columns: target.columns, mode: target.mode, key: target.key };
  }

  async fence(owner: number): Promise<Marker | null> {
    this.discard();
    const session = await this.#connected();
    return await session.transaction(() => takeLane(session, this.opened.writer, this.lane, owner));
  }

  write(batch: Batch): void {
    for (let row = 0; row < batch.rows; row++) this.#encode(batch, row, this.#text);
    this.#rows += batch.rows;
  }

  async deliver(stamp: EpochStamp): Promise<void> {
    if (this.#rows === 0) return;
    const { writer, bulk } = this.opened;
    const session = await this.#connected();
    await session.transaction(async () => {
      if (await advanceLane(session, writer, stamp) === "done") return;
      await putRows(session, this.#put, { text: this.#text, rows: this.#rows }, bulk);
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

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }

  /** The connection was lost while it committed: the marker tells, once the server has come to an end with that transaction. */
  async #requireHeld(stamp: EpochStamp, lost: unknown): Promise<void> {
    const session = await this.#connected();
    if (!(await holdsEpoch(session, this.opened.writer, stamp))) throw lost;
  }

  /**
   * Between transactions a lost connection loses nothing: the server ends those that were idle for long. One attempt: the lane's
   * owner waits, because it knows when to stop.
   */
  async #connected(): Promise<Session> {
    if (this.#session?.alive) return this.#session;
    this.#session?.destroy();
    this.#session = null;
    return this.#session = await this.server.open();
  }
}
