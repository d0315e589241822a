/**
 * The `sqlite` sink: rows and marker in one transaction. Invariants: an epoch's rows are in the table exactly when its marker is;
 * `replace` shows the table as it was until the run has finished, then the new rows, never a mixture.
 */
import type { Batch } from "../../data/batch.ts";
import { assert } from "../../data/fault.ts";
import type { Anew, EpochStamp, HeldRun, Marker, Sink, SinkLane } from "../../engine/contracts.ts";
import type { Files } from "../../ports/mod.ts";
import { anewOf, markerWriter } from "../sql/epoch_marker.ts";
import { columnsMissing, rerunAppends, tableMissing } from "../sql/table_faults.ts";
import type { TableTarget } from "../sql/table_target.ts";
import { columnsByName, type Decimals, declaredType, type SqlValue, sqlValueOf } from "./column_types.ts";
import { columnsOf, type Database, type DatabaseOptions, inTransaction, openDatabase, quoted, wrapErrors } from "./database.ts";
import { heldRuns, Markers } from "./markers.ts";

export interface SqliteSinkOptions extends TableTarget {
  readonly files: Files;
  readonly database: DatabaseOptions;
  readonly name: string;
  readonly decimals: Decimals;
}

/** Rows per statement: measured, 20 halve the cost of one and 100 bring no more. */
const ROWS_PER_INSERT = 20;

interface Opened {
  readonly database: Database;
  readonly markers: Markers;
  /** Where rows go: the table, or the staging table of `replace`. */
  readonly into: string;
}

export class SqliteSink implements Sink {
  readonly guarantee = "exactly-once";
  readonly anew: Anew;
  #opened: Opened | null = null;
  constructor(private readonly options: SqliteSinkOptions) {
    this.anew = anewOf(options);
  }

  async heldRuns({ pipeline }: { readonly pipeline: string }): Promise<readonly HeldRun[]> {
    const { name, files, database: { path } } = this.options;
    if (!(await files.stat(path))) return [];
    const database = await openDatabase(this.options.database, files);
    try {
      return wrapErrors(path, () => heldRuns(database, markerWriter(pipeline, "", name)));
    } finally {
      database.close();
    }
  }

  async open({ pipeline, run, fresh }: { readonly pipeline: string; readonly run: string; readonly fresh: boolean }): Promise<void> {
    const { name, table, mode, files, database: { path } } = this.options;
    const database = await openDatabase(this.options.database, files);
    try {
      inTransaction(database, path, () => {
        const markers = new Markers(database, markerWriter(pipeline, run, name));
        this.#prepareTable(database);
        const into = mode === "replace" ? `millrace_staging_${pipeline}_${name}` : table;
        if (fresh) this.#forgetOtherRuns(database, markers, into);
        if (mode === "replace" && !markers.isFinished()) database.exec(createSql(this.options, into, []));
        this.#opened = { database, markers, into };
      });
    } catch (error) {
      database.close();
      throw error;
    }
  }

  lane(lane: number): SinkLane {
    assert(this.#opened, "a sink is opened before its lanes");
    return new SqliteSinkLane(this.options, this.#opened, lane);
  }

  finish(): Promise<void> {
    const { mode, table, columns, database: { path } } = this.options;
    assert(this.#opened, "a sink is opened before it is finished");
    if (mode !== "replace") return Promise.resolve();
    const { database, markers, into } = this.#opened;
    inTransaction(database, path, () => {
      if (markers.isFinished()) return;
      const list = columns.map(quoted).join(", ");
      database.exec(`DELETE FROM ${quoted(table)}`);
      database.exec(`INSERT INTO ${quoted(table)} (${list}) SELECT ${list} FROM ${quoted(into)} ORDER BY rowid`);
      database.exec(`DROP TABLE ${quoted(into)}`);
      markers.markFinished();
    });
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#opened?.database.close();
    this.#opened = null;
    return Promise.resolve();
  }

  #prepareTable(database: Database): void {
    const { table, columns, create, key, database: { path } } = this.options;
    const found = columnsOf(database, table);
    if (found.length === 0) {
      if (create === "create") return database.exec(createSql(this.options, table, key));
      throw tableMissing(table, path, "make it, or add create = true to the sink");
    }
    const missing = columns.filter((name) => !found.some((column) => column.name === name));
    if (missing.length === 0) return;
    const names = found.map((column) => column.name);
    throw columnsMissing({ table, place: path, missing, found: names, hint: "name the columns to write in `columns`" });
  }

  /** A new run: what an earlier one appended goes, in the transaction that forgets its markers, or the run is refused. */
  #forgetOtherRuns(database: Database, markers: Markers, into: string): void {
    const { mode, create, table } = this.options;
    if (mode === "append" && markers.otherRunWrote()) {
      if (create === "must_exist") throw rerunAppends(table);
      database.exec(`DELETE FROM ${quoted(table)}`);
    }
    if (mode === "replace" && markers.otherRunWrote()) database.exec(`DROP TABLE IF EXISTS ${quoted(into)}`);
    markers.forgetOtherRuns();
  }
}

function createSql({ columns, type, decimals }: SqliteSinkOptions, table: string, key: readonly string[]): string {
  const declared = columns.map((name) => {
    const field = type.fields.find((each) => each.name === name)!;
    return `${quoted(name)} ${declaredType(field, decimals)}${field.type.nullable ? "" : " NOT NULL"}`;
  });
  if (key.length > 0) declared.push(`PRIMARY KEY (${key.map(quoted).join(", ")})`);
  return `CREATE TABLE IF NOT EXISTS ${quoted(table)} (${declared.join(", ")})`;
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

class SqliteSinkLane implements SinkLane {
  /** Row after row, `columns.length` values each. */
  #values: SqlValue[] = [];
  #bytes = 0;
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
    const columns = columnsByName(batch, this.options.columns);
    const values = this.#values;
    for (let row = 0; row < batch.rows; row++) {
      for (let i = 0; i < columns.length; i++) {
        const value = this.#readers[i](columns[i], row);
        values.push(value);
        this.#bytes += typeof value === "string" ? 16 + value.length : 16;
      }
    }
  }

  deliver(stamp: EpochStamp): Promise<void> {
    if (this.#values.length === 0) return Promise.resolve();
    const { database, markers } = this.opened;
    return attempt(() => {
      inTransaction(database, this.options.database.path, () => {
        if (markers.advance(stamp) === "write") this.#insert(database);
      });
      this.discard();
    });
  }

  discard(): void {
    this.#values = [];
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
}

function attempt<T>(action: () => T): Promise<T> {
  try {
    return Promise.resolve(action());
  } catch (error) {
    return Promise.reject(error);
  }
}
