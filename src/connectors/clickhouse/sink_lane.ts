/**
 * One lane of a sink into a ClickHouse table. Invariant: `deliver` returns only when all rows of the epoch were taken and, where the
 * rows are told apart, the marker behind them. Whatever was left half done is done again whole: equal rows are one row.
 */
import type { Batch } from "../../data/batch.ts";
import type { EpochStamp, Marker, SinkLane } from "../../engine/contracts.ts";
import type { MarkerWriter } from "../sql/epoch_marker.ts";
import type { SqlServer } from "../sql/server.ts";
import { isLost } from "../sql/session.ts";
import type { ClickhouseMode } from "./clickhouse_target.ts";
import type { Session } from "./driver.ts";
import type { EpochRows } from "./epoch_rows.ts";
import { readMarker, runText, writeMarker } from "./markers.ts";

export interface LaneOptions {
  readonly server: SqlServer<Session>;
  readonly writer: MarkerWriter;
  readonly mode: ClickhouseMode;
  /** INSERT INTO ... FORMAT RowBinary. */
  readonly insertSql: string;
  readonly lane: number;
  readonly rows: EpochRows;
  released(): void;
}

export class ClickhouseLane implements SinkLane {
  #session: Session | null = null;
  constructor(private readonly options: LaneOptions) {}

  async fence(): Promise<Marker | null> {
    this.discard();
    const { mode, writer, lane } = this.options;
    return mode === "token" ? null : await this.#ask((session) => readMarker(session, writer, lane));
  }

  write(batch: Batch): void {
    this.options.rows.add(batch);
  }

  async deliver(stamp: EpochStamp): Promise<void> {
    const { rows, mode, writer, lane, insertSql } = this.options;
    if (rows.rows === 0) return;
    rows.number(stamp);
    await this.#ask(async (session) => {
      let block = 0;
      for (const bytes of rows.inserts()) {
        const token = mode === "token" ? `${runText(writer)}/${lane}/${stamp.epoch}/${block}` : "";
        await session.insert(insertSql, bytes, token);
        block++;
      }
      if (mode !== "token") await writeMarker(session, writer, lane, stamp);
    });
    this.discard();
  }

  discard(): void {
    this.options.rows.clear();
  }
  bytesHeld(): number {
    return this.options.rows.bytes;
  }

  async release(): Promise<void> {
    this.options.released();
    await this.close();
  }
  async close(): Promise<void> {
    this.discard();
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }

  /** One attempt: the lane's owner waits, because it knows when to stop. */
  async #ask<T>(action: (session: Session) => Promise<T>): Promise<T> {
    try {
      this.#session ??= await this.options.server.open();
      return await action(this.#session);
    } catch (error) {
      if (isLost(error)) {
        this.#session?.destroy();
        this.#session = null;
      }
      throw error;
    }
  }
}
