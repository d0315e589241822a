/**
 * The `sqlite` sink: rows and marker in one transaction. Invariants: an epoch's rows are in the table exactly when its marker is;
 * `replace` shows the table as it was until the run has finished, then the new rows, never a mixture.
 */
import { assert } from "../../data/fault.ts";
import type { Anew, HeldRun, Sink, SinkLane } from "../../engine/contracts.ts";
import { anewOf, markerWriter } from "../sql/epoch_marker.ts";
import { columnsMissing, rerunAppends, tableMissing } from "../sql/table_faults.ts";
import { declaredType } from "./column_types.ts";
import { columnsOf, type Database, inTransaction, openDatabase, quoted, wrapErrors } from "./database.ts";
import { heldRuns, Markers } from "./markers.ts";
import { type Opened, SqliteSinkLane, type SqliteSinkOptions } from "./sink_lane.ts";

export class SqliteSink implements Sink {
  readonly guarantee = "exactly-once";
  readonly anew: Anew;
  readonly refuses: true | undefined;
  #opened: Opened | null = null;
  constructor(private readonly options: SqliteSinkOptions) {
    this.anew = anewOf(options);
    this.refuses = options.refused === "reject" ? true : undefined;
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
    const { name, table, mode, files, refused, database: { path } } = this.options;
    const database = await openDatabase(this.options.database, files);
    try {
      inTransaction(database, path, () => {
        const markers = new Markers(database, markerWriter(pipeline, run, name), refused);
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
