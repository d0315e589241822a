/**
 * A ClickHouse server as far as the sink asks it: a table that replaces rows of one identity, a table that drops inserts whose token it
 * remembers, and the markers. Invariants: an insert is taken whole or not at all, whenever it arrives; tokens of all lanes share one window.
 */
import type { Marker } from "../../../src/engine/contracts.ts";

/** One row of the ledger, values as text. */
export interface WarehouseRow {
  readonly values: readonly string[];
  /** Where the rows say so. */
  readonly lane: number;
  readonly epoch: number;
  readonly row: number;
}
/** How a column's bytes become text. */
export type ColumnForm = "int64" | "cents" | "text";

export class ClickhouseServer {
  /** By run, lane, epoch and row number. */
  readonly #replacing = new Map<string, WarehouseRow>();
  readonly #plain: WarehouseRow[] = [];
  #window: string[] = [];
  readonly #markers = new Map<string, Marker>();
  /** Two contents under one identity: which of them stays is nobody's decision. */
  readonly conflicts: string[] = [];

  constructor(private readonly columns: readonly ColumnForm[], private readonly windowTokens: number) {}

  /** Rows that carry who wrote them. */
  insertReplacing(bytes: Uint8Array): void {
    const reader = new RowReader(bytes);
    while (!reader.isAtEnd) {
      const values = reader.values(this.columns);
      const run = reader.text();
      const row = { values, lane: reader.uint32(), epoch: Number(reader.int64()), row: reader.uint32() };
      const identity = `${run}/${row.lane}/${row.epoch}/${row.row}`;
      const before = this.#replacing.get(identity);
      if (before && before.values.join("|") !== values.join("|")) this.conflicts.push(`${identity}: ${before.values} and ${values}`);
      this.#replacing.set(identity, row);
    }
  }

  /** Rows without a name, under a token; dropped where the window has the token. */
  insertOnce(bytes: Uint8Array, token: string): void {
    if (this.#window.includes(token)) return;
    this.#window = [...this.#window, token].slice(-this.windowTokens);
    const reader = new RowReader(bytes);
    while (!reader.isAtEnd) this.#plain.push({ values: reader.values(this.columns), lane: -1, epoch: -1, row: -1 });
  }

  putMarker(key: string, marker: Marker): void {
    const before = this.#markers.get(key);
    if (!before || before.epoch <= marker.epoch) this.#markers.set(key, marker);
  }
  marker(key: string): Marker | null {
    return this.#markers.get(key) ?? null;
  }

  /** What the view shows, in the order of lanes, epochs and rows. */
  replaced(): WarehouseRow[] {
    return [...this.#replacing.values()].sort((a, b) => a.lane - b.lane || a.epoch - b.epoch || a.row - b.row);
  }
  /** In the order of arrival. */
  plain(): readonly WarehouseRow[] {
    return this.#plain;
  }
}

/** RowBinary, read by itself: little-endian numbers, texts behind a base-128 length. */
class RowReader {
  readonly #view: DataView;
  #at = 0;
  constructor(private readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  get isAtEnd(): boolean {
    return this.#at === this.bytes.length;
  }
  values(columns: readonly ColumnForm[]): string[] {
    return columns.map((form) =>
      form === "text" ? this.text() : form === "cents" ? (Number(this.int64()) / 100).toFixed(2) : `${this.int64()}`
    );
  }
  int64(): bigint {
    return this.#view.getBigInt64((this.#at += 8) - 8, true);
  }
  uint32(): number {
    return this.#view.getUint32((this.#at += 4) - 4, true);
  }
  text(): string {
    let length = 0;
    for (let shift = 0;; shift += 7) {
      const byte = this.#view.getUint8(this.#at++);
      length |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    return new TextDecoder().decode(this.bytes.subarray(this.#at, this.#at += length));
  }
}
