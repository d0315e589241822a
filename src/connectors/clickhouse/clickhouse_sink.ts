/**
 * The running sink. Invariants: nothing is written before the run is known to the server, so that a later run can retire it; every row
 * carries who wrote it, or goes under a token that says so.
 */
import { assert, MillraceError } from "../../data/fault.ts";
import type { Anew, Guarantee, HeldRun, Sink, SinkLane } from "../../engine/contracts.ts";
import type { World } from "../../ports/mod.ts";
import { placeOf } from "../sql/address.ts";
import { anewOf, type MarkerWriter, markerWriter } from "../sql/epoch_marker.ts";
import { type ServerWorld, SqlServer } from "../sql/server.ts";
import { rerunAppends } from "../sql/table_faults.ts";
import type { ClickhouseConnection } from "./clickhouse_connection.ts";
import type { ClickhouseTarget } from "./clickhouse_target.ts";
import { Session } from "./driver.ts";
import { EpochRows, rowTail } from "./epoch_rows.ts";
import { heldRuns, markBegun, otherRuns, retireRun, runText } from "./markers.ts";
import { boundColumns, prepareTable } from "./prepare_table.ts";
import { compileRowBinary } from "./row_binary.ts";
import { runSetup } from "./setup.ts";
import { ClickhouseLane } from "./sink_lane.ts";
import { CREATE_OWN_SQL, MARKER_TABLE, RETIRED_TABLE, TAIL_COLUMNS } from "./table_ddl.ts";
import { quoted, type TableInfo, tableInfo, tokenWindow } from "./table_info.ts";

export interface ClickhouseSinkOptions {
  readonly connection: ClickhouseConnection;
  readonly name: string;
  readonly target: ClickhouseTarget;
}
interface Run {
  readonly pipeline: string;
  readonly run: string;
  readonly fresh: boolean;
}
interface Opened {
  readonly writer: MarkerWriter;
  readonly table: TableInfo;
}

/** How servers of the connection are asked. */
export const serverOfConnection = ({ address, request }: ClickhouseConnection, world: ServerWorld): SqlServer<Session> =>
  new SqlServer(address, world, (login) => Session.open(login, request));

export const guaranteeOf = ({ mode }: Pick<ClickhouseTarget, "mode">): Guarantee => mode === "token" ? "at-least-once" : "exactly-once";

export class ClickhouseSink implements Sink {
  readonly guarantee: Guarantee;
  readonly anew: Anew;
  readonly #server: SqlServer<Session>;
  readonly #lanes = new Set<ClickhouseLane>();
  #opened: Opened | null = null;

  constructor(private readonly options: ClickhouseSinkOptions, private readonly world: World) {
    this.guarantee = guaranteeOf(options.target);
    const { mode, create } = options.target;
    this.anew = anewOf({ mode: mode === "upsert" ? "upsert" : "append", create });
    this.#server = serverOfConnection(options.connection, world);
  }

  async heldRuns({ pipeline }: { readonly pipeline: string }): Promise<readonly HeldRun[]> {
    if (!(await this.#askServer((session) => hasDatabase(session, this.options.connection.address.database)))) return [];
    return await this.#server.ask(async (session) => {
      if (!(await hasOwnTables(session))) return [];
      return await heldRuns(session, markerWriter(pipeline, "", this.options.name));
    });
  }

  async open(run: Run): Promise<void> {
    await this.#makeDatabase();
    this.#opened = await this.#server.ask((session) => this.#open(session, run));
  }

  lane(lane: number): SinkLane {
    assert(this.#opened, "a sink is opened before its lanes");
    const { writer, table } = this.#opened;
    const { target } = this.options;
    const columns = [...target.columns, ...Object.keys(TAIL_COLUMNS[target.mode])].map(quoted).join(", ");
    const encode = compileRowBinary(boundColumns(table, target), rowTail(target.mode, runText(writer), lane));
    const made: ClickhouseLane = new ClickhouseLane({
      server: this.#server,
      writer,
      mode: target.mode,
      insertSql: `INSERT INTO ${quoted(table.name)} (${columns}) FORMAT RowBinary`,
      lane,
      rows: new EpochRows(target.mode, encode),
      released: () => void this.#lanes.delete(made),
    });
    this.#lanes.add(made);
    return made;
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.#server.close();
    await Promise.all(this.#lanes.values().map((lane) => lane.close()));
    this.#lanes.clear();
    this.#opened = null;
  }

  /** Requests name a database, and one that is not there cannot be made by them. */
  async #makeDatabase(): Promise<void> {
    const { connection, target } = this.options;
    if (target.create !== "create" && connection.setup.length === 0) return;
    const { database } = connection.address;
    await this.#askServer(async (session) => {
      if (!(await hasDatabase(session, database))) await session.run(`CREATE DATABASE IF NOT EXISTS ${quoted(database)}`);
    });
  }

  /** Of no database. */
  async #askServer<T>(action: (session: Session) => Promise<T>): Promise<T> {
    const { connection } = this.options;
    const server = new SqlServer(connection.address, this.world, (login) => Session.openServer(login, connection.request));
    try {
      return await server.ask(action);
    } finally {
      server.close();
    }
  }

  /** May be cut off anywhere and done again. */
  async #open(session: Session, { pipeline, run, fresh }: Run): Promise<Opened> {
    const { target, connection, name } = this.options;
    const { mode } = target;
    const writer = markerWriter(pipeline, run, name);
    await makeOwnTables(session);
    await runSetup(session, connection.setup, this.world);
    const table = await prepareTable(session, target, placeOf(connection.address));
    if (mode === "token" && await tokenWindow(session, table) === 0) throw noWindow(table.name);
    if (fresh && mode !== "upsert") {
      for (const other of await otherRuns(session, writer)) {
        if (target.create === "must_exist") throw rerunAppends(target.table);
        await retireRun(session, other, { table: table.name, mode });
      }
    }
    await markBegun(session, writer);
    return { writer, table };
  }
}

async function hasDatabase(session: Session, database: string): Promise<boolean> {
  return (await session.select("SELECT 1 FROM system.databases WHERE name = {a0:String}", [database])).length > 0;
}

const hasOwnTables = async (session: Session): Promise<boolean> =>
  await tableInfo(session, MARKER_TABLE) !== null && await tableInfo(session, RETIRED_TABLE) !== null;

/** Looked for first: whoever may write to them need not be allowed to make them. */
async function makeOwnTables(session: Session): Promise<void> {
  if (await hasOwnTables(session)) return;
  for (const sql of CREATE_OWN_SQL) await session.run(sql);
}

function noWindow(table: string): MillraceError {
  return new MillraceError("table_window", `table "${table}" remembers no inserts: repeated ones would double their rows`, {
    hint: `ALTER TABLE ${table} MODIFY SETTING non_replicated_deduplication_window = 10000`,
  });
}
