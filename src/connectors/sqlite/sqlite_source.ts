/**
 * The `sqlite` source: a table's rows in the order of a unique key, a page at a time. A position is the number of rows read and the
 * last row's key, so reading goes on exactly there; the table must keep its rows until the run has ended.
 */
import { createHash } from "node:crypto";
import type { SourceContext, SourcePlan, SourceSpec } from "../../component/component.ts";
import type { Decoder, DecoderSpec } from "../../data/codec.ts";
import { countingFrom } from "../../data/columns.ts";
import { assert, MillraceError } from "../../data/fault.ts";
import { compileJsonDecoder } from "../../data/json/mod.ts";
import type { Field } from "../../data/types.ts";
import type { Polled, PollLimits, Position, Source, SourceReader } from "../../engine/contracts.ts";
import type { Files } from "../../ports/mod.ts";
import { TABLE_PAGE_ROWS_MAX } from "../limits.ts";
import { sourceBatch } from "../source_batch.ts";
import { jsonRows } from "../sql/json_rows.ts";
import { formatPlace, type KeyPlace, parsePlace, TABLE_START } from "../sql/key_place.ts";
import { columnsMissing, notReadable, tableMissing } from "../sql/table_faults.ts";
import { rowLine, type SqlValue } from "./column_types.ts";
import { columnsOf, type Database, type DatabaseOptions, openDatabase, quoted, wrapErrors } from "./database.ts";
import { databaseOptions } from "./sqlite_connection.ts";

export const sqliteSource: SourceSpec = {
  role: "source",
  type: "sqlite",
  connection: "sqlite",
  summary: "Reads a SQLite table in the order of a key.",
  notes:
    `Resumes by key, so it can be stopped and killed. \`meta.position\` is the row's number in that order, from 1. Numbers may be kept as
text or as numbers, decimals and times as the sinks write them; a value that does not fit its field rejects the row, whose bytes are the
row as JSON.`,
  settings: {
    kind: "group",
    doc: "A SQLite table.",
    fields: {
      table: { kind: "text", doc: "The table's or view's name." },
      read_by: {
        kind: "text_list",
        optional: true,
        doc: "Columns that order the rows; together unique and not null. Default: the primary key, else the rowid.",
      },
    },
  },
  examples: [{
    title: "A table in the order of its id",
    toml:
      `[sources.payments]\nconnection = "serving"\ntable      = "payments"\nread_by    = ["id"]\nfields     = { id = "int", amount = "decimal(2)" }\n`,
  }],
  plan: planSqliteSource,
};

function planSqliteSource(context: SourceContext): SourcePlan {
  const { settings, connection, type, schema, name } = context;
  assert(connection, "a sqlite source has a connection");
  const database = databaseOptions(connection);
  return {
    bounded: true,
    partitionedBy: null,
    partitioned: false,
    create: ({ files }, needed) =>
      new SqliteSource({
        files,
        database,
        name,
        table: settings.text("table"),
        readBy: settings.has("read_by") ? settings.texts("read_by") : null,
        // Exact decimals lie in text columns: text is how this store writes numbers.
        decoding: { type, needed, numericText: "accept", unknownFields: schema.unknownFields },
      }),
  };
}

interface SqliteSourceOptions {
  readonly files: Files;
  readonly database: DatabaseOptions;
  readonly name: string;
  readonly table: string;
  readonly readBy: readonly string[] | null;
  readonly decoding: DecoderSpec;
}

class SqliteSource implements Source {
  #rows = 0;
  constructor(private readonly options: SqliteSourceOptions) {}

  partitions(): Promise<number> {
    return Promise.resolve(1);
  }

  async reader(): Promise<SourceReader> {
    const table = await openTable(this.options);
    try {
      this.#rows = table.count();
      return new TableReader(this.options, table);
    } catch (error) {
      table.database.close();
      throw error;
    }
  }

  async identity(): Promise<string> {
    const table = await openTable(this.options);
    try {
      return table.digest();
    } finally {
      table.database.close();
    }
  }

  progress(positions: readonly Position[]): number {
    if (positions.length === 0) return 0;
    return this.#rows === 0 ? 1 : Math.min(1, parsePlace(positions[0]).read / this.#rows);
  }
}

async function openTable(options: SqliteSourceOptions): Promise<OpenTable> {
  const { files, database: { path }, name } = options;
  if (!(await files.stat(path))) {
    throw new MillraceError("input_missing", `source "${name}": there is no database at ${path}`, {
      hint: "run the pipeline that loads it first, or check the connection's path",
    });
  }
  const database = await openDatabase(options.database, files);
  try {
    return wrapErrors(path, () => new OpenTable(database, options));
  } catch (error) {
    database.close();
    throw error;
  }
}

/** One table with the columns that are read and the key that orders it. */
class OpenTable {
  readonly fields: readonly Field[];
  /** As SQL text. */
  readonly key: readonly string[];
  readonly #from: string;
  constructor(readonly database: Database, private readonly options: SqliteSourceOptions) {
    const { table, database: { path }, decoding: { type, needed } } = options;
    const columns = columnsOf(database, table);
    if (columns.length === 0) {
      throw tableMissing(table, path, "run the pipeline that loads it first, or check the name");
    }
    const has = (field: string) => columns.some((column) => column.name === field);
    const missing = type.fields.filter((field) => !has(field.name) && (!field.type.nullable || needed.has(field.name)));
    if (missing.length > 0) {
      const found = columns.map((column) => column.name);
      throw columnsMissing({ table, place: path, missing: missing.map((field) => field.name), found, hint: "check the names in `fields`" });
    }
    this.fields = type.fields.filter((field) => has(field.name));
    const primary = columns.filter((column) => column.primaryKey > 0).sort((a, b) => a.primaryKey - b.primaryKey);
    const unstated = primary.length > 0 ? primary.map((column) => quoted(column.name)) : ["rowid"];
    this.key = options.readBy?.map(quoted) ?? unstated;
    this.#from = quoted(table);
    if (options.readBy) this.#checkKey(options.readBy.filter((column) => !has(column)));
  }

  /** Up to `rowsMax` rows behind `after`, up to and with `until`: values of the fields, then of the key. */
  page(after: readonly SqlValue[] | null, until: readonly SqlValue[] | null, rowsMax: number): SqlValue[][] {
    const key = this.key.join(", ");
    const marks = `(${this.key.map(() => "?").join(", ")})`;
    const bounds = [after && `(${key}) > ${marks}`, until && `(${key}) <= ${marks}`].filter(Boolean).join(" AND ");
    // Numbered names: the key's columns may be among the fields, and a row is read by its order.
    const columns = [...this.fields.map((field) => quoted(field.name)), ...this.key].map((column, i) => `${column} AS c${i}`).join(", ");
    const sql = `SELECT ${columns} FROM ${this.#from} ${bounds && `WHERE ${bounds}`} ORDER BY ${key} LIMIT ${rowsMax}`;
    return this.#read(sql, [...after ?? [], ...until ?? []]);
  }

  count(): number {
    return Number(this.#read(`SELECT count(*) FROM ${this.#from}`, [])[0][0]);
  }

  /** Of all rows in order: two tables with equal digests give the same input. */
  digest(): string {
    const hash = createHash("sha256");
    let rows = 0;
    let after: SqlValue[] | null = null;
    for (;;) {
      const page: SqlValue[][] = wrapErrors(this.options.database.path, () => this.page(after, null, TABLE_PAGE_ROWS_MAX));
      if (page.length === 0) return `${rows}:${hash.digest("hex")}`;
      for (const row of page) hash.update(rowLine(this.fields, row));
      rows += page.length;
      after = page[page.length - 1].slice(this.fields.length);
    }
  }

  #read(sql: string, values: SqlValue[]): SqlValue[][] {
    const statement = this.database.prepare(sql);
    statement.setReadBigInts(true);
    return statement.all(...values).map((row) => Object.values(row) as SqlValue[]);
  }

  /** Rows behind a null or a repeated key would be passed over in silence. */
  #checkKey(unknown: readonly string[]): void {
    const { table } = this.options;
    const refuse = (what: string) => {
      throw notReadable(table, this.key, what);
    };
    if (unknown.length > 0) refuse(`it has no column ${unknown.join(", ")}`);
    const nulls = this.key.map((column) => `${column} IS NULL`).join(" OR ");
    if (this.#read(`SELECT 1 FROM ${this.#from} WHERE ${nulls} LIMIT 1`, []).length > 0) refuse("a row has none");
    if (this.#read(`SELECT 1 FROM ${this.#from} GROUP BY ${this.key.join(", ")} HAVING count(*) > 1 LIMIT 1`, []).length > 0) {
      refuse("two rows share one");
    }
  }
}

class TableReader implements SourceReader {
  readonly start: Position = formatPlace(TABLE_START);
  readonly #decode: Decoder;
  constructor(private readonly options: SqliteSourceOptions, private readonly table: OpenTable) {
    this.#decode = compileJsonDecoder(options.decoding);
  }

  poll(from: Position, limits: PollLimits): Promise<Polled> {
    try {
      return Promise.resolve(wrapErrors(this.options.database.path, () => this.#poll(from, limits)));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  close(): void {
    this.table.database.close();
  }

  #poll(from: Position, { rowsMax, bytesMax, until }: PollLimits): Polled {
    const place = parsePlace(from);
    const end = until === undefined ? null : parsePlace(until);
    const left = end ? end.read - place.read : Infinity;
    if (left <= 0) return { kind: "end" };
    const page = this.table.page(keyOf(place), end && keyOf(end), Math.min(rowsMax, left, TABLE_PAGE_ROWS_MAX));
    if (page.length === 0) return { kind: "end" };
    const records = jsonRows(page.length, bytesMax, (row) => rowLine(this.table.fields, page[row]));
    const count = records.rows;
    const position = countingFrom(place.read + 1, count);
    const { name, decoding: { type } } = this.options;
    const { batch, rejected } = sourceBatch(
      { source: name, partition: 0, type },
      { records, position, origin: position, tooLong: [] },
      this.#decode,
    );
    const key = page[count - 1].slice(this.table.fields.length).map(keyText);
    return { kind: "batch", batch, rejected, read: count, next: formatPlace({ read: place.read + count, key }) };
  }
}

/** Keys keep their SQLite class: 5 and "5" are different. */
const keyText = (value: SqlValue): string =>
  typeof value === "bigint" ? `i${value}` : typeof value === "number" ? `r${value}` : `t${value}`;
const keyOf = ({ key }: KeyPlace): SqlValue[] | null => key && key.map(parseKey);

function parseKey(text: string): SqlValue {
  const value = text.slice(1);
  return text[0] === "i" ? BigInt(value) : text[0] === "r" ? Number(value) : value;
}
