/**
 * A sink into a table of a server: rows and marker in one transaction. Invariants: an epoch's rows are in the table exactly when its
 * marker is; `replace` shows the table as it was until the run has finished, then the new rows, never a mixture.
 */
import { assert } from "../../data/fault.ts";
import type { Anew, HeldRun, Sink, SinkLane } from "../../engine/contracts.ts";
import { anewOf, type MarkerWriter, markerWriter } from "./epoch_marker.ts";
import { MARKER_TABLE, type Markers } from "./markers.ts";
import type { RefusedRecords } from "./refused_records.ts";
import type { SqlServer } from "./server.ts";
import { inTransaction, type SqlSession } from "./session.ts";
import { type RowPutter, SqlSinkLane } from "./sink_lane.ts";
import { laneClaim, stagingPrefix, stagingTable } from "./staging.ts";
import { rerunAppends } from "./table_faults.ts";
import type { TableTarget } from "./table_target.ts";

/** What a database does in its own way. `T` is what it knows of the target's table. */
export interface TableDialect<S extends SqlSession, T> {
  readonly markers: Markers;
  readonly records: RefusedRecords;
  /** An identifier as SQL text, whatever it holds. */
  quoted(name: string): string;
  makeMarkerTable(session: S): Promise<void>;
  /** The table of refused rows. */
  makeRefusedTable(session: S): Promise<void>;
  /** The target's table, made where it is missing and may be made. */
  prepareTable(session: S): Promise<T>;
  /** The tables whose names begin so. */
  tablesLike(session: S, prefix: string): Promise<readonly string[]>;
  /** Makes a staging table of the target's form. */
  makeStaging(session: S, staging: string): Promise<void>;
  /** In a transaction: the staged rows take the place of the target's. */
  replaceRows(session: S, staging: string, table: T): Promise<void>;
  /** One lane's way into table `into`. `claim` is a short text of its own. */
  putter(table: T, into: string, claim: string): RowPutter<S>;
}

interface Opened<T> {
  readonly writer: MarkerWriter;
  readonly table: T;
  /** Where rows go: the table, or the staging table of `replace`. */
  readonly into: string;
}
interface Run {
  readonly pipeline: string;
  readonly run: string;
  readonly fresh: boolean;
}

export class SqlTableSink<S extends SqlSession, T> implements Sink {
  readonly guarantee = "exactly-once";
  readonly anew: Anew;
  readonly refuses: true | undefined;
  readonly #lanes = new Set<SqlSinkLane<S>>();
  #opened: Opened<T> | null = null;

  constructor(
    private readonly name: string,
    private readonly target: TableTarget,
    private readonly server: SqlServer<S>,
    private readonly dialect: TableDialect<S, T>,
  ) {
    this.anew = anewOf(target);
    this.refuses = target.refused === "reject" ? true : undefined;
  }

  async heldRuns({ pipeline }: { readonly pipeline: string }): Promise<readonly HeldRun[]> {
    const { dialect, name } = this;
    return await this.server.ask(async (session) => {
      if (!(await dialect.tablesLike(session, MARKER_TABLE)).includes(MARKER_TABLE)) return [];
      return await dialect.markers.heldRuns(session, markerWriter(pipeline, "", name));
    });
  }

  async open(run: Run): Promise<void> {
    this.#opened = await this.server.ask((session) => this.#open(session, run));
  }

  lane(lane: number): SinkLane {
    assert(this.#opened, "a sink is opened before its lanes");
    const { writer, table, into } = this.#opened;
    const made: SqlSinkLane<S> = new SqlSinkLane(
      this.server,
      this.dialect.markers,
      writer,
      this.dialect.putter(table, into, laneClaim(writer, lane)),
      lane,
      () => {
        this.#lanes.delete(made);
      },
      this.refuses ? this.dialect.records : null,
    );
    this.#lanes.add(made);
    return made;
  }

  async finish(): Promise<void> {
    assert(this.#opened, "a sink is opened before it is finished");
    if (this.target.mode !== "replace") return;
    const { writer, into, table } = this.#opened;
    const { markers, quoted } = this.dialect;
    // Done again after a lost connection: whether it was done the first time is in the marker.
    await this.server.ask(async (session) => {
      await inTransaction(session, async () => {
        if (await markers.isFinished(session, writer)) return;
        await this.dialect.replaceRows(session, into, table);
        await markers.markFinished(session, writer);
      });
      await session.run(`DROP TABLE IF EXISTS ${quoted(into)}`);
    });
  }

  async close(): Promise<void> {
    this.server.close();
    await Promise.all(this.#lanes.values().map((lane) => lane.close()));
    this.#lanes.clear();
    this.#opened = null;
  }

  /** May be cut off anywhere and done again: some databases commit before every change of a table. */
  async #open(session: S, { pipeline, run, fresh }: Run): Promise<Opened<T>> {
    const { target, name, dialect } = this;
    const writer = markerWriter(pipeline, run, name);
    await dialect.makeMarkerTable(session);
    if (this.refuses) await dialect.makeRefusedTable(session);
    const table = await dialect.prepareTable(session);
    const into = target.mode === "replace" ? stagingTable(pipeline, name, run) : target.table;
    if (fresh) await this.#forgetOtherRuns(session, writer, pipeline, into);
    if (target.mode === "replace" && !(await dialect.markers.isFinished(session, writer))) {
      if (!(await dialect.tablesLike(session, into)).includes(into)) await dialect.makeStaging(session, into);
    }
    return { writer, table, into };
  }

  /** A new run: what an earlier one appended goes, in the transaction that forgets its markers, or the run is refused. */
  async #forgetOtherRuns(session: S, writer: MarkerWriter, pipeline: string, into: string): Promise<void> {
    const { target: { table, mode, create }, name, dialect } = this;
    // Of other runs: each has its own, so that a late owner of an old run finds none to write to.
    const stale = mode === "replace" ? await dialect.tablesLike(session, stagingPrefix(pipeline, name)) : [];
    for (const staging of stale) if (staging !== into) await session.run(`DROP TABLE IF EXISTS ${dialect.quoted(staging)}`);
    await inTransaction(session, async () => {
      if (mode === "append" && await dialect.markers.otherRunWrote(session, writer)) {
        if (create === "must_exist") throw rerunAppends(table);
        await session.run(`DELETE FROM ${dialect.quoted(table)}`);
      }
      await dialect.markers.forgetOtherRuns(session, writer);
      if (this.refuses) await dialect.records.forgetOtherRuns(session, writer);
    });
  }
}
