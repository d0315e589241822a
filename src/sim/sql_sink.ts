/**
 * A sink as SQL databases are, per DESIGN.md's table: the marker is a row that the rows' own transaction updates, and a take-over sets the
 * owner in it. Invariant: a delivery takes effect wholly or not at all, only under the newest owner that fenced, once per epoch.
 */
import type { Batch } from "../data/batch.ts";
import { cell } from "../data/columns.ts";
import { MillraceError } from "../data/fault.ts";
import type { EpochStamp, Marker, Sink, SinkLane } from "../engine/contracts.ts";
import { OutcomeUnknown } from "./crashed.ts";
import type { SimProcess } from "./process.ts";

/** One row of a table, with what its batch said about where it came from. */
export interface SimSqlRow {
  readonly lane: number;
  readonly epoch: number;
  readonly partition: number;
  readonly position: number;
  readonly values: readonly unknown[];
}
interface MarkerRow {
  epoch: number;
  owner: number;
  digest: string;
}

const REQUEST_MICROS_MAX = 5_000;

/** The server: one table and its markers. Outlives every process. */
export class SimSqlTable {
  /** In the order of commits. */
  readonly rows: SimSqlRow[] = [];
  readonly #markers = new Map<string, MarkerRow>();

  /** The newest epoch of a lane; null when it holds none. */
  marker(run: string, lane: number): Marker | null {
    const row = this.#markers.get(keyOf(run, lane));
    return row === undefined || row.epoch === 0 ? null : { epoch: row.epoch, digest: row.digest };
  }

  /** Makes `owner` the lane's owner unless a newer one is there; false then. */
  takeOver(run: string, lane: number, owner: number): boolean {
    const key = keyOf(run, lane);
    const row = this.#markers.get(key);
    if (row === undefined) this.#markers.set(key, { epoch: 0, owner, digest: "" });
    else if (row.owner > owner) return false;
    else row.owner = owner;
    return true;
  }

  /** One transaction: the marker where it is older and ours, and the rows; false when the marker was not changed. */
  deliver(stamp: EpochStamp, rows: readonly SimSqlRow[]): boolean {
    const marker = this.#markers.get(keyOf(runOf(stamp), stamp.lane));
    if (marker === undefined || marker.epoch >= stamp.epoch || marker.owner !== stamp.owner) return false;
    marker.epoch = stamp.epoch;
    marker.digest = stamp.digest;
    for (const row of rows) this.rows.push(row);
    return true;
  }
}

/** The sink as one process sees it. */
export function simSqlSink(process: SimProcess, name: string, table: SimSqlTable): Sink {
  let run = "";
  return {
    guarantee: "exactly-once",
    open: (start) => {
      run = runOf(start);
      return Promise.resolve();
    },
    lane: (lane) => new SimSqlLane(process, name, table, () => run, lane),
    finish: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

class SimSqlLane implements SinkLane {
  readonly #process: SimProcess;
  readonly #name: string;
  readonly #table: SimSqlTable;
  readonly #run: () => string;
  readonly #lane: number;
  #held: Omit<SimSqlRow, "epoch">[] = [];

  constructor(process: SimProcess, name: string, table: SimSqlTable, run: () => string, lane: number) {
    this.#process = process;
    this.#name = name;
    this.#table = table;
    this.#run = run;
    this.#lane = lane;
  }

  async fence(owner: number): Promise<Marker | null> {
    this.#held = [];
    const isOwner = await this.#request("sql_fence", `owner ${owner}`, () => this.#table.takeOver(this.#run(), this.#lane, owner));
    if (!isOwner) throw fenced(this.#name);
    return await this.#readMarker();
  }

  write(batch: Batch): void {
    const { fields } = batch.type;
    for (let row = 0; row < batch.rows; row++) {
      const values = fields.map((field, column) => {
        const values = batch.columns[column];
        return values === null || values === undefined ? null : cell(values, field.type, row);
      });
      this.#held.push({ lane: this.#lane, partition: batch.meta.partition, position: batch.meta.position[row]!, values });
    }
  }

  async deliver(stamp: EpochStamp): Promise<void> {
    if (this.#held.length === 0) return;
    const rows = this.#held.map((row) => ({ ...row, epoch: stamp.epoch }));
    if (await this.#request("sql_deliver", `epoch ${stamp.epoch}`, () => this.#table.deliver(stamp, rows))) {
      this.#held = [];
      return;
    }
    const marker = await this.#readMarker();
    if (marker?.epoch !== stamp.epoch || marker.digest !== stamp.digest) throw fenced(this.#name);
    this.#held = [];
  }

  discard(): void {
    this.#held = [];
  }

  bytesHeld(): number {
    return this.#held.length * 64;
  }

  #readMarker(): Promise<Marker | null> {
    const effect = (): Marker | null => this.#table.marker(this.#run(), this.#lane);
    return this.#send({ what: "sql_marker", detail: this.#place(), kind: "read", microsMax: REQUEST_MICROS_MAX, effect });
  }

  #request<T>(what: string, detail: string, effect: () => T): Promise<T> {
    return this.#send({ what, detail: `${this.#place()} ${detail}`, kind: "write", microsMax: REQUEST_MICROS_MAX, effect });
  }

  async #send<T>(call: Parameters<SimProcess["remote"]>[0] & { effect(): T }): Promise<T> {
    try {
      return await this.#process.remote(call) as T;
    } catch (error) {
      if (!(error instanceof OutcomeUnknown)) throw error;
      throw new MillraceError("sink_unavailable", `${this.#name} did not answer`, { retry: "backoff", cause: error });
    }
  }

  #place(): string {
    return `${this.#name}/${this.#lane}`;
  }
}

function fenced(name: string): MillraceError {
  return new MillraceError("fenced", `another owner writes to ${name}`, { hint: "stop the other process" });
}

function runOf(stamp: { readonly pipeline: string; readonly run: string }): string {
  return `${stamp.pipeline}#${stamp.run}`;
}

function keyOf(run: string, lane: number): string {
  return `${run}/${lane}`;
}
