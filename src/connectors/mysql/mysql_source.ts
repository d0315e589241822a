/**
 * The `mysql` source: a table's rows in the order of a unique key, a page at a time. A position is the number of rows read and the
 * last row's key, so reading goes on exactly there; the table must keep its rows until the run has ended.
 */
import type { SourceContext, SourcePlan, SourceSpec } from "../../component/component.ts";
import type { Decoder, DecoderSpec } from "../../data/codec.ts";
import { assert } from "../../data/fault.ts";
import { compileJsonDecoder } from "../../data/json/mod.ts";
import type { Polled, PollLimits, Position, Source, SourceReader } from "../../engine/contracts.ts";
import { TABLE_PAGE_ROWS_MAX } from "../limits.ts";
import { sourceBatch } from "../source_batch.ts";
import { jsonRows } from "../sql/json_rows.ts";
import { formatPlace, parsePlace, TABLE_START } from "../sql/key_place.ts";
import { type MysqlAddress, placeOf, planAddress } from "./address.ts";
import type { MysqlValue, Session } from "./driver.ts";
import { inspectSource } from "./inspect.ts";
import { MysqlServer, type ServerWorld } from "./server.ts";
import { countRows, lookUpTable, pageKey, type SourceTable, tableDigest, tablePage, type TableRead } from "./source_table.ts";

export const mysqlSource: SourceSpec = {
  role: "source",
  type: "mysql",
  connection: "mysql",
  summary: "Reads a MySQL or MariaDB table in the order of a key.",
  notes:
    `Resumes by key, so it can be stopped and killed. \`meta.position\` is the row's number in that order, from 1. Numbers arrive with all their
digits, DATETIME as local time of the field's \`zone\` (default UTC), TIMESTAMP as what it is; a value that does not fit its field rejects
the row, whose bytes are the row as JSON. The key's columns are numbers but FLOAT, dates and times, text or bytes.`,
  settings: {
    kind: "group",
    doc: "A MySQL table.",
    fields: {
      table: { kind: "text", doc: "The table's or view's name." },
      read_by: {
        kind: "text_list",
        optional: true,
        doc: "Columns that order the rows; together unique and not null. Default: the primary key.",
      },
    },
  },
  examples: [{
    title: "A table in the order of its id",
    toml:
      `[connections.serving]\ntype = "mysql"\nurl  = "\${MYSQL_URL:-mysql://me@127.0.0.1/serving}"\n\n[sources.payments]\nconnection = "serving"\ntable      = "payments"\nread_by    = ["id"]\nfields     = { id = "int", amount = "decimal(2)" }\n`,
  }],
  plan: planMysqlSource,
};

function planMysqlSource(context: SourceContext): SourcePlan | null {
  const { settings, connection, type, schema, name } = context;
  assert(connection, "a mysql source has a connection");
  const address = planAddress(context, connection);
  if (!address) return null;
  const readOf = (needed: ReadonlySet<string>): TableRead => ({
    table: settings.text("table"),
    readBy: settings.has("read_by") ? settings.texts("read_by") : null,
    type,
    needed,
    place: placeOf(address),
  });
  return {
    bounded: true,
    partitionedBy: null,
    partitioned: false,
    inspect: (world) => inspectSource(address, readOf(new Set()), world),
    create: (world, needed) =>
      new MysqlSource(
        address,
        {
          name,
          read: readOf(needed),
          unknownFields: schema.unknownFields,
        },
        world,
      ),
  };
}

interface MysqlSourceOptions {
  readonly name: string;
  readonly read: TableRead;
  readonly unknownFields: DecoderSpec["unknownFields"];
}

class MysqlSource implements Source {
  readonly #server: MysqlServer;
  #rows = 0;
  constructor(address: MysqlAddress, private readonly options: MysqlSourceOptions, world: ServerWorld) {
    this.#server = new MysqlServer(address, world);
  }

  partitions(): Promise<number> {
    return Promise.resolve(1);
  }

  async reader(): Promise<SourceReader> {
    // One attempt: the lane's owner waits, because it knows when to stop.
    const session = await this.#server.open();
    try {
      const table = await lookUpTable(session, this.options.read);
      this.#rows = await countRows(session, table);
      return new TableReader(this.options, this.#server, table, session);
    } catch (error) {
      session.destroy();
      throw error;
    }
  }

  async identity(): Promise<string> {
    return await this.#server.ask(async (session) => tableDigest(session, await lookUpTable(session, this.options.read)));
  }

  progress(positions: readonly Position[]): number {
    if (positions.length === 0) return 0;
    return this.#rows === 0 ? 1 : Math.min(1, parsePlace(positions[0]).read / this.#rows);
  }
}

class TableReader implements SourceReader {
  readonly start: Position = formatPlace(TABLE_START);
  readonly #decode: Decoder;
  #closed = false;
  constructor(
    private readonly options: MysqlSourceOptions,
    private readonly server: MysqlServer,
    private readonly table: SourceTable,
    private session: Session,
  ) {
    const { read: { needed }, unknownFields } = options;
    // Exact decimals arrive as text: so does what the table keeps in text columns.
    this.#decode = compileJsonDecoder({ type: table.decoded, needed, numericText: "accept", unknownFields });
  }

  async poll(from: Position, { rowsMax, bytesMax, until }: PollLimits): Promise<Polled> {
    const place = parsePlace(from);
    const end = until === undefined ? null : parsePlace(until);
    const left = end ? end.read - place.read : Infinity;
    if (left <= 0) return { kind: "end" };
    const request = { after: place.key, until: end?.key ?? null, rowsMax: Math.min(rowsMax, left, TABLE_PAGE_ROWS_MAX) };
    const page = await tablePage(await this.#connected(), this.table, request);
    if (page.length === 0) return { kind: "end" };
    return this.#batch(place.read, page, bytesMax);
  }

  close(): void {
    this.#closed = true;
    void this.session.close();
  }

  #batch(before: number, page: readonly (readonly MysqlValue[])[], bytesMax: number): Polled {
    const { name, read: { type } } = this.options;
    const records = jsonRows(page.length, bytesMax, (row) => this.#line(page[row]));
    const position = Float64Array.from({ length: records.rows }, (_, i) => before + i + 1);
    const origin = { source: name, partition: 0, type };
    const { batch, rejected } = sourceBatch(origin, { records, position, origin: position, tooLong: [] }, this.#decode);
    const next = formatPlace({ read: before + records.rows, key: pageKey(this.table, page[records.rows - 1]) });
    return { kind: "batch", batch, rejected, read: records.rows, next };
  }

  #line(row: readonly MysqlValue[]): string {
    const { columns } = this.table;
    let line = "{";
    for (let i = 0; i < columns.length; i++) line += (i > 0 ? "," : "") + columns[i].label + columns[i].json(row[i]);
    return line + "}\n";
  }

  /** The server ends connections that were idle for long, as while a sink was waited for. */
  async #connected(): Promise<Session> {
    if (!this.session.alive) this.session = await this.server.open();
    // Closed while it connected.
    if (this.#closed) void this.session.close();
    return this.session;
  }
}
