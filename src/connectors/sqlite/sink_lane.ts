/**
 * One lane of a sink into a SQLite table. Invariant: `deliver` returns only when the epoch's rows, what was refused of them, and its
 * marker are committed in one transaction.
 */
import type { Batch } from "../../data/batch.ts";
import type { EpochStamp, Marker, RefusedRow, SinkLane } from "../../engine/contracts.ts";
import type { Files } from "../../ports/mod.ts";
import { refusedRow, RowRefused } from "../sql/row_refused.ts";
import type { TableTarget } from "../sql/table_target.ts";
import { columnsByName, type Decimals, type SqlValue, sqlValueOf } from "./column_types.ts";
import { columnsOf, type Database, type DatabaseOptions, inTransaction, quoted, wrapErrors } from "./database.ts";
import type { Markers } from "./markers.ts";

export interface SqliteSinkOptions extends TableTarget {
  readonly files: Files;
  readonly database: DatabaseOptions;
  readonly name: string;
  readonly decimals: Decimals;
}

/** Rows per statement: measured, 20 halve the cost of one and 100 bring no more. */
const ROWS_PER_INSERT = 20;

/** What a sink opened for its lanes. */
export interface Opened {
  readonly database: Database;
  readonly markers: Markers;
  /** Where rows go: the table, or the staging table of `replace`. */
  readonly into: string;
}

export class SqliteSinkLane implements SinkLane {
  /** Row after row, `columns.length` values each. */
  #values: SqlValue[] = [];
  #bytes = 0;
  /** Rows of the epoch. */
  #rows = 0;
  /** Where rows may be refused: the number in the epoch of each row that has values, and the rows that have none. */
  #numbers: number[] = [];
  #unsent: RefusedRow[] = [];
  readonly #readers;
  constructor(private readonly options: SqliteSinkOptions, private readonly opened: Opened, private readonly lane: number) {
    const { columns, type, table } = options;
    const found = columnsOf(opened.database, table);
    this.#readers = columns.map((name) => {
      const field = type.fields.find((each) => each.name === name)!;
      return sqlValueOf(field, found.find((column) => column.name === name)!.type);
    });
  }

  fence(owner: number): Promise<Marker | null> {
    this.discard();
    const { database, markers } = this.opened;
    return attempt(() => inTransaction(database, this.options.database.path, () => markers.take(this.lane, owner)));
  }

  write(batch: Batch): void {
    const rejects = this.options.refused === "reject";
    const columns = columnsByName(batch, this.options.columns);
    const values = this.#values;
    for (let row = 0; row < batch.rows; row++) {
      const number = this.#rows++;
      const from = values.length;
      try {
        for (let i = 0; i < columns.length; i++) {
          const value = this.#readers[i](columns[i], row);
          values.push(value);
          this.#bytes += typeof value === "string" ? 16 + value.length : 16;
        }
        if (rejects) this.#numbers.push(number);
      } catch (error) {
        if (!rejects || !(error instanceof RowRefused)) throw error;
        values.length = from;
        this.#unsent.push(refusedRow(number, error));
      }
    }
  }

  deliver(stamp: EpochStamp): Promise<void | readonly RefusedRow[]> {
    if (this.#rows === 0) return Promise.resolve();
    const { database, markers } = this.opened;
    return attempt(() => {
      const refused = inTransaction(database, this.options.database.path, (): readonly RefusedRow[] => {
        // What was refused then stands with the marker: the table might answer otherwise by now.
        if (markers.advance(stamp) === "done") return markers.refusedRows(this.lane, stamp.epoch);
        if (this.options.refused === "stop") {
          this.#insert(database);
          return [];
        }
        const rows = this.#insertAround(database);
        markers.recordRefused(stamp, rows);
        return rows;
      });
      this.discard();
      return refused;
    });
  }

  discard(): void {
    this.#values = [];
    this.#rows = 0;
    this.#numbers = [];
    this.#unsent = [];
    this.#bytes = 0;
  }

  bytesHeld(): number {
    return this.#bytes;
  }

  #insert(database: Database): void {
    const { into } = this.opened;
    const values = this.#values;
    const width = this.options.columns.length;
    const step = ROWS_PER_INSERT * width;
    let at = 0;
    if (values.length >= step) {
      const many = database.prepare(insertSql(this.options, into, ROWS_PER_INSERT));
      for (; at + step <= values.length; at += step) many.run(...values.slice(at, at + step));
    }
    if (at === values.length) return;
    const one = database.prepare(insertSql(this.options, into, 1));
    for (; at < values.length; at += width) one.run(...values.slice(at, at + width));
  }

  /** Row groups as they come; one that is refused goes row by row. A statement that fails has changed nothing. */
  #insertAround(database: Database): readonly RefusedRow[] {
    const { into } = this.opened;
    const width = this.options.columns.length;
    const [values, numbers] = [this.#values, this.#numbers];
    const statement = (rows: number) => database.prepare(insertSql(this.options, into, rows));
    const [many, one] = [numbers.length >= ROWS_PER_INSERT ? statement(ROWS_PER_INSERT) : null, statement(1)];
    const refused = [...this.#unsent];
    const put = (inserting: typeof one, row: number, rows: number): RowRefused | null => {
      try {
        wrapErrors(this.options.database.path, () => inserting.run(...values.slice(row * width, (row + rows) * width)));
        return null;
      } catch (error) {
        // A constraint that says ON CONFLICT ROLLBACK has ended the transaction: nothing of the epoch may go in without its marker.
        if (error instanceof RowRefused && database.isTransaction) return error;
        throw error;
      }
    };
    for (let row = 0; row < numbers.length;) {
      const end = many !== null && row + ROWS_PER_INSERT <= numbers.length ? row + ROWS_PER_INSERT : row + 1;
      if (end - row === 1 || put(many!, row, ROWS_PER_INSERT) !== null) {
        for (let single = row; single < end; single++) {
          const fault = put(one, single, 1);
          if (fault) refused.push(refusedRow(numbers[single], fault));
        }
      }
      row = end;
    }
    return refused.sort((a, b) => a.row - b.row);
  }
}

function insertSql({ mode, columns, key }: SqliteSinkOptions, into: string, rows: number): string {
  const row = `(${columns.map(() => "?").join(", ")})`;
  const insert = `INSERT INTO ${quoted(into)} (${columns.map(quoted).join(", ")}) VALUES ${Array(rows).fill(row).join(", ")}`;
  if (mode === "append" || mode === "replace") return insert;
  const conflict = `${insert} ON CONFLICT (${key.map(quoted).join(", ")})`;
  const others = columns.filter((name) => !key.includes(name));
  if (mode === "ignore" || others.length === 0) return `${conflict} DO NOTHING`;
  return `${conflict} DO UPDATE SET ${others.map((name) => `${quoted(name)} = excluded.${quoted(name)}`).join(", ")}`;
}

function attempt<T>(action: () => T): Promise<T> {
  try {
    return Promise.resolve(action());
  } catch (error) {
    return Promise.reject(error);
  }
}
