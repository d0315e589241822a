/**
 * The `mysql` sink: rows and marker in one transaction. Invariants: an epoch's rows are in the table exactly when its marker is;
 * `replace` shows the table as it was until the run has finished, then the new rows, never a mixture.
 */
import { assert } from "../../data/fault.ts";
import type { Sink, SinkLane } from "../../engine/contracts.ts";
import { type MarkerWriter, markerWriter } from "../sql/epoch_marker.ts";
import { rerunAppends } from "../sql/table_faults.ts";
import type { TableTarget } from "../sql/table_target.ts";
import { type MysqlAddress, placeOf } from "./address.ts";
import type { Session } from "./driver.ts";
import { forgetOtherRuns, isFinished, makeMarkerTable, markFinished, otherRunWrote } from "./mysql_markers.ts";
import { MysqlSinkLane } from "./mysql_sink_lane.ts";
import { prepareTable } from "./prepare_table.ts";
import type { BulkLoad } from "./put_rows.ts";
import { MysqlServer, type ServerWorld } from "./server.ts";
import { ROW_NUMBER, stagingPrefix, stagingTable } from "./table_ddl.ts";
import { columnOf, quoted, type TableInfo, tableInfo } from "./table_info.ts";

export interface MysqlSinkOptions {
  readonly address: MysqlAddress;
  readonly name: string;
  readonly target: TableTarget;
  /** Digits of decimal columns that are made. */
  readonly precision: number;
  readonly bulkLoad: "auto" | "off";
}

/** What lanes are made from. */
export interface OpenedSink {
  readonly writer: MarkerWriter;
  readonly table: TableInfo;
  /** Where rows go: the table, or the staging table of `replace`. */
  readonly into: string;
  readonly bulk: BulkLoad;
}
interface Run {
  readonly pipeline: string;
  readonly run: string;
  readonly fresh: boolean;
}

export class MysqlSink implements Sink {
  readonly guarantee = "exactly-once";
  readonly #server: MysqlServer;
  readonly #lanes: MysqlSinkLane[] = [];
  #opened: OpenedSink | null = null;

  constructor(private readonly options: MysqlSinkOptions, private readonly world: ServerWorld) {
    this.#server = new MysqlServer(options.address, world);
  }

  async open(run: Run): Promise<void> {
    this.#opened = await this.#server.ask((session) => this.#open(session, run));
  }

  lane(lane: number): SinkLane {
    assert(this.#opened, "a sink is opened before its lanes");
    const made = new MysqlSinkLane(this.#server, this.options.target, this.#opened, lane);
    this.#lanes.push(made);
    return made;
  }

  async finish(): Promise<void> {
    assert(this.#opened, "a sink is opened before it is finished");
    const { target: { table, mode, columns } } = this.options;
    if (mode !== "replace") return;
    const { writer, into, table: info } = this.#opened;
    const list = columns.map(quoted).join(", ");
    const order = columnOf(info, ROW_NUMBER) ? ` ORDER BY ${quoted(ROW_NUMBER)}` : "";
    // Done again after a lost connection: whether it was done the first time is in the marker.
    await this.#server.ask(async (session) => {
      await session.transaction(async () => {
        if (await isFinished(session, writer)) return;
        await session.run(`DELETE FROM ${quoted(table)}`);
        await session.run(`INSERT INTO ${quoted(table)} (${list}) SELECT ${list} FROM ${quoted(into)}${order}`);
        await markFinished(session, writer);
      });
      await session.run(`DROP TABLE IF EXISTS ${quoted(into)}`);
    });
  }

  async close(): Promise<void> {
    this.#server.close();
    await Promise.all(this.#lanes.splice(0).map((lane) => lane.close()));
    this.#opened = null;
  }

  /** May be cut off anywhere and done again: MySQL commits before every change of a table. */
  async #open(session: Session, { pipeline, run, fresh }: Run): Promise<OpenedSink> {
    const { name, target, address, precision, bulkLoad } = this.options;
    const writer = markerWriter(pipeline, run, name);
    await makeMarkerTable(session);
    const table = await prepareTable(session, { target, precision, place: placeOf(address) });
    const into = target.mode === "replace" ? stagingTable(pipeline, name, run) : target.table;
    if (fresh) await this.#forgetOtherRuns(session, writer, pipeline, into);
    if (target.mode === "replace" && !(await isFinished(session, writer)) && !(await tableInfo(session, into))) {
      await session.run(`CREATE TABLE ${quoted(into)} LIKE ${quoted(target.table)}`);
    }
    const refused = (reason: string): void => {
      this.world.log.event("warning", "bulk_load_refused", { sink: name, reason, instead: "INSERT" });
    };
    return { writer, table, into, bulk: { allowed: bulkLoad === "auto", refused } };
  }

  /** A new run: what an earlier one appended goes, in the transaction that forgets its markers, or the run is refused. */
  async #forgetOtherRuns(session: Session, writer: MarkerWriter, pipeline: string, into: string): Promise<void> {
    const { target: { table, mode, create }, name } = this.options;
    if (mode === "replace") await this.#dropStaging(session, stagingPrefix(pipeline, name), into);
    await session.transaction(async () => {
      if (mode === "append" && await otherRunWrote(session, writer)) {
        if (create === "must_exist") throw rerunAppends(table);
        await session.run(`DELETE FROM ${quoted(table)}`);
      }
      await forgetOtherRuns(session, writer);
    });
  }

  /** Of other runs: each has its own, so that a late owner of an old run finds none to write to. */
  async #dropStaging(session: Session, prefix: string, own: string): Promise<void> {
    const sql = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND LEFT(TABLE_NAME, CHAR_LENGTH(?)) = ?";
    for (const [name] of await session.select(sql, [prefix, prefix])) {
      if (name !== own) await session.run(`DROP TABLE IF EXISTS ${quoted(String(name))}`);
    }
  }
}
