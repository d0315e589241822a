/**
 * A server's table as a source: its rows in the order of a unique key, a page at a time. A position is the number of rows read and
 * the last row's key, so reading goes on exactly there; the table must keep its rows until the run has ended.
 */
import type { SourceContext, SourcePlan } from "../../component/component.ts";
import type { Setting } from "../../component/settings.ts";
import type { Decoder, DecoderSpec } from "../../data/codec.ts";
import { countingFrom } from "../../data/columns.ts";
import { compileJsonDecoder } from "../../data/json/mod.ts";
import type { Field, RecordType } from "../../data/types.ts";
import type { Polled, PollLimits, Position, Source, SourceReader } from "../../engine/contracts.ts";
import { TABLE_PAGE_ROWS_MAX } from "../limits.ts";
import { sourceBatch } from "../source_batch.ts";
import { jsonRows } from "./json_rows.ts";
import { formatPlace, parsePlace, TABLE_START } from "./key_place.ts";
import type { SqlServer } from "./server.ts";
import type { SqlSession } from "./session.ts";
import { columnsMissing } from "./table_faults.ts";

/** The settings that `planTableRead` reads. */
export const TABLE_SOURCE_SETTINGS = {
  table: { kind: "text", doc: "The table's or view's name." },
  read_by: {
    kind: "text_list",
    optional: true,
    doc: "Columns that order the rows; together unique and not null. Default: the primary key.",
  },
} as const satisfies Readonly<Record<string, Setting>>;

export interface TableRead {
  readonly table: string;
  /** null: the primary key. */
  readonly readBy: readonly string[] | null;
  readonly type: RecordType;
  /** Fields that are decoded; others are read where the table has them. */
  readonly needed: ReadonlySet<string>;
  /** Names the database in faults. */
  readonly place: string;
}
/** The fields that the table has columns for. Throws where one is missing that is read, or that no record may be without. */
export function presentFields(
  { table, place, type, needed }: TableRead,
  columns: readonly { readonly name: string }[],
  columnOf: (name: string) => unknown,
): Field[] {
  const missing = type.fields.filter((field) => !columnOf(field.name) && (needed.has(field.name) || !field.type.nullable));
  if (missing.length === 0) return type.fields.filter((field) => columnOf(field.name));
  const found = columns.map(({ name }) => name);
  throw columnsMissing({ table, place, missing: missing.map(({ name }) => name), found, hint: "check the names in `fields`" });
}

/** A column that is read, and how it becomes a member of a JSON object. */
export interface ReadColumn<V> {
  readonly name: string;
  /** `"name":` */
  readonly label: string;
  readonly json: (value: V) => string;
}
/** What was found out once, and holds over several connections. */
export interface FoundTable<V> {
  readonly columns: readonly ReadColumn<V>[];
  /** For the decoder. */
  readonly decoded: RecordType;
}
export interface PageRequest {
  readonly after: readonly string[] | null;
  readonly until: readonly string[] | null;
  readonly rowsMax: number;
}
/** How a database is asked. */
export interface TableQueries<S extends SqlSession, T extends FoundTable<V>, V> {
  /** Makes sure that reading by the key passes no row over. */
  lookUp(session: S, read: TableRead): Promise<T>;
  countRows(session: S, table: T): Promise<number>;
  /** Equal for equal content. */
  digest(session: S, table: T): Promise<string>;
  /** Up to `rowsMax` rows behind `after`, up to and with `until`: values of the columns, then of the key. */
  page(session: S, table: T, request: PageRequest): Promise<readonly (readonly V[])[]>;
  /** The key of a row of `page`, as texts. */
  keyOf(table: T, row: readonly V[]): string[];
}

/** What a source reads, from its settings. */
export function planTableRead({ settings, type }: SourceContext, place: string, needed: ReadonlySet<string>): TableRead {
  return {
    table: settings.text("table"),
    readBy: settings.has("read_by") ? settings.texts("read_by") : null,
    type,
    needed,
    place,
  };
}
/** What holds for every table that is read once, from its beginning to its end. */
export const TABLE_SOURCE_PLAN = { bounded: true, partitionedBy: null, partitioned: false } as const satisfies Partial<SourcePlan>;

export interface TableSourceOptions {
  readonly name: string;
  readonly read: TableRead;
  readonly unknownFields: DecoderSpec["unknownFields"];
}

export class SqlTableSource<S extends SqlSession, T extends FoundTable<V>, V> implements Source {
  #rows = 0;
  constructor(
    private readonly options: TableSourceOptions,
    private readonly server: SqlServer<S>,
    private readonly queries: TableQueries<S, T, V>,
  ) {}

  partitions(): Promise<number> {
    return Promise.resolve(1);
  }

  async reader(): Promise<SourceReader> {
    const { options, server, queries } = this;
    // One attempt: the lane's owner waits, because it knows when to stop.
    const session = await server.open();
    try {
      const table = await queries.lookUp(session, options.read);
      this.#rows = await queries.countRows(session, table);
      return new TableReader(options, server, queries, table, session);
    } catch (error) {
      session.destroy();
      throw error;
    }
  }

  async identity(): Promise<string> {
    const { options, server, queries } = this;
    return await server.ask(async (session) => queries.digest(session, await queries.lookUp(session, options.read)));
  }

  progress(positions: readonly Position[]): number {
    if (positions.length === 0) return 0;
    return this.#rows === 0 ? 1 : Math.min(1, parsePlace(positions[0]).read / this.#rows);
  }
}

class TableReader<S extends SqlSession, T extends FoundTable<V>, V> implements SourceReader {
  readonly start: Position = formatPlace(TABLE_START);
  readonly #decode: Decoder;
  #closed = false;
  constructor(
    private readonly options: TableSourceOptions,
    private readonly server: SqlServer<S>,
    private readonly queries: TableQueries<S, T, V>,
    private readonly table: T,
    private session: S,
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
    const page = await this.queries.page(await this.#connected(), this.table, request);
    if (page.length === 0) return { kind: "end" };
    return this.#batch(place.read, page, bytesMax);
  }

  close(): void {
    this.#closed = true;
    void this.session.close();
  }

  #batch(before: number, page: readonly (readonly V[])[], bytesMax: number): Polled {
    const { name, read: { type } } = this.options;
    const records = jsonRows(page.length, bytesMax, (row) => this.#line(page[row]));
    const position = countingFrom(before + 1, records.rows);
    const origin = { source: name, partition: 0, type };
    const { batch, rejected } = sourceBatch(origin, { records, position, origin: position, tooLong: [] }, this.#decode);
    const next = formatPlace({ read: before + records.rows, key: this.queries.keyOf(this.table, page[records.rows - 1]) });
    return { kind: "batch", batch, rejected, read: records.rows, next };
  }

  #line(row: readonly V[]): string {
    const { columns } = this.table;
    let line = "{";
    for (let i = 0; i < columns.length; i++) line += (i > 0 ? "," : "") + columns[i].label + columns[i].json(row[i]);
    return line + "}\n";
  }

  /** The server ends connections that were idle for long, as while a sink was waited for. */
  async #connected(): Promise<S> {
    if (!this.session.alive) this.session = await this.server.open();
    // Closed while it connected.
    if (this.#closed) void this.session.close();
    return this.session;
  }
}
