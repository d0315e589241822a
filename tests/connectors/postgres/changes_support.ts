/** What the tests of a table's changes share: sources over one slot, polled in turn as a lane does, and the rows that came. */
import type { Batch } from "../../../src/data/batch.ts";
import { cell } from "../../../src/data/columns.ts";
import type { Polled, Position, SourceReader } from "../../../src/engine/contracts.ts";
import type { World } from "../../../src/ports/mod.ts";
import { plan } from "../support/project.ts";
import type { Database } from "./support.ts";

export interface ChangesTable {
  readonly table: string;
  readonly fields: string;
  readonly settings?: string;
}
/** A row that came. */
export interface Came {
  readonly table: string;
  readonly position: number;
  readonly values: readonly unknown[];
  readonly deleted: boolean;
}
export interface Refused {
  readonly table: string;
  readonly position: number;
  readonly reason: string;
  readonly raw: string;
}

/** A pipeline "p" that reads the changes of these tables over one slot. */
export function changesToml(url: string, tables: readonly ChangesTable[], connection = ""): string {
  const sources = tables.map(({ table, fields, settings = "" }) =>
    `[sources.${table}]\nconnection = "db"\ntable = "${table}"\nread = "changes"\nslot = "SLOT"\ncreate = true\nfields = ${fields}\n${settings}\n`
      .replace(settings.includes("create =") ? "create = true\n" : "\0", "")
  );
  return `[connections.db]\ntype = "postgres"\nurl = ${JSON.stringify(url)}\n${connection}\n${sources.join("\n")}
${tables.map(({ table }) => `[sinks.${table}_shown]\ntype = "console"\ninputs = ["${table}"]\n`).join("")}`;
}

/** One slot a database: slots have their names in the whole server. */
export const slotOf = ({ name }: Database): string => `s_${name.slice(-20)}`.toLowerCase().replaceAll(/[^a-z0-9_]/g, "_");

/** Reads as a lane would: in turn, from where it is, telling what is covered. */
export class Following {
  readonly rows: Came[] = [];
  readonly refused: Refused[] = [];
  deletes = 0;
  ended = 0;
  readonly #positions: Position[];
  /** What was asked for when the rows before were taken, as a lane does. */
  readonly #ahead: (Promise<Polled> | null)[];
  private constructor(
    private readonly readers: readonly { readonly table: string; readonly reader: SourceReader }[],
    from: readonly Position[] | null,
  ) {
    this.#positions = from ? [...from] : readers.map(({ reader }) => reader.start);
    this.#ahead = readers.map(() => null);
  }

  static async open(
    database: Database,
    tables: readonly ChangesTable[],
    { world, from = null, url = database.url, connection }: {
      readonly world: World;
      readonly from?: readonly Position[] | null;
      readonly url?: string;
      /** Further settings of the connection. */
      readonly connection?: string;
    },
  ): Promise<Following> {
    const slot = slotOf(database);
    const { sources } = await plan(changesToml(url, tables, connection).replaceAll("SLOT", slot));
    const readers = [];
    for (const { name, plan: source, schema } of sources) {
      const made = source.create(world, new Set(schema.type.fields.map((field) => field.name)));
      readers.push({ table: name, reader: await made.reader(0) });
    }
    return new Following(readers, from);
  }

  get positions(): readonly Position[] {
    return [...this.#positions];
  }

  /** One turn over all tables. False when nothing came. */
  async turn(rowsMax = 1000, only: number | null = null): Promise<boolean> {
    let came = false;
    for (const [i, { table, reader }] of this.readers.entries()) {
      if (only !== null && i !== only) continue;
      const ahead = await this.#ahead[i];
      const limits = { rowsMax, bytesMax: 1 << 20 };
      const polled = ahead && ahead.kind !== "idle" ? ahead : await reader.poll(this.#positions[i], limits);
      this.#ahead[i] = null;
      if (polled.kind === "end") this.ended++;
      if (polled.kind !== "batch") continue;
      this.#positions[i] = polled.next;
      this.#ahead[i] = reader.poll(polled.next, limits);
      this.#ahead[i].catch(() => {}); // Seen when it is taken.
      came ||= polled.read > 0;
      this.deletes += polled.deletes ?? 0;
      this.rows.push(...rowsOf(table, polled.batch));
      for (const { position, reason, raw } of polled.rejected) {
        this.refused.push({ table, position, reason, raw: new TextDecoder().decode(raw) });
      }
    }
    return came;
  }

  /** Turns until it is so, or fails. */
  until(done: () => boolean, rowsMax = 1000): Promise<void> {
    return this.#until(done, rowsMax, null);
  }
  /** As `until`, of one table; the others are not asked. */
  only(table: number, done: () => boolean): Promise<void> {
    return this.#until(done, 1000, table);
  }
  async #until(done: () => boolean, rowsMax: number, only: number | null): Promise<void> {
    const deadline = performance.now() + 20_000;
    while (!done()) {
      if (performance.now() > deadline) throw new Error(`it did not come to that; ${this.rows.length} rows came`);
      if (!(await this.turn(rowsMax, only))) await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** As after an epoch. */
  cover(): void {
    for (const [i, { reader }] of this.readers.entries()) reader.released?.(this.#positions[i]);
  }

  /** Exactly the range again, as a replay of an open epoch does. */
  async again(at: number, from: Position, until: Position): Promise<{ readonly read: number; readonly rows: readonly Came[] }> {
    const { table, reader } = this.readers[at];
    const rows: Came[] = [];
    let read = 0;
    for (let position = from; position !== until;) {
      const polled = await reader.poll(position, { rowsMax: 7, bytesMax: 1 << 20, until });
      if (polled.kind === "end") throw new Error("the range ended early");
      if (polled.kind === "idle") await new Promise((resolve) => setTimeout(resolve, polled.retryAfterMs));
      else {
        position = polled.next;
        read += polled.read;
        rows.push(...rowsOf(table, polled.batch));
      }
    }
    return { read, rows };
  }

  close(): void {
    for (const { reader } of this.readers) reader.close();
  }
}

function rowsOf(table: string, { rows, type, columns, meta }: Batch): Came[] {
  return Array.from({ length: rows }, (_, row) => ({
    table,
    position: meta.position[row],
    values: type.fields.map((field, i) => cell(columns[i]!, field.type, row)),
    deleted: meta.deleted?.[row] === 1,
  }));
}
