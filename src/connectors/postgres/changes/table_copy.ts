/**
 * A table as it was when reading of its changes began: copied into a file, because the server keeps that state for one transaction
 * only, and a pipeline that crashed must find the same rows again. Invariant: a copy counts once its note is there, which is written
 * when all its rows are durable; it goes when the checkpoint is behind it.
 */
import { createWriter, encodeText, written } from "../../../data/bytes.ts";
import { assert, MillraceError } from "../../../data/fault.ts";
import { splitLines } from "../../../data/json/mod.ts";
import { RECORD_BYTES_MAX } from "../../../data/limits.ts";
import type { Records } from "../../../data/codec.ts";
import { makeDurableFolder, readAt, readWhole, writeWhole } from "../../../ports/durable.ts";
import type { FileHandle, Files } from "../../../ports/mod.ts";
import type { PostgresValue, Session } from "../driver.ts";
import { COPY_PAGE_BYTES, COPY_PAGE_ROWS_MAX } from "../limits.ts";
import { columnOf, quoted, type TableInfo } from "../table_info.ts";
import { Tuple, VALUE } from "./pgoutput.ts";
import { type ShapeOptions, TableShape } from "./table_shape.ts";

/** What is known of a copy; also what its note holds. */
export interface CopyFacts {
  /** In the copy's folder: another copy has another name. */
  readonly file: string;
  /** The server's history, as places name it. */
  readonly server: string;
  /** Its rows are those of what committed before. */
  readonly point: number;
  readonly bytes: number;
  readonly rows: number;
  /** What the rows' form follows from: another schema needs another copy. */
  readonly form: string;
  /** Those that were read, as they were then. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}
/** Where a source's copy lies. */
export interface CopyPlace {
  readonly files: Files;
  readonly folder: string;
  readonly source: string;
}

/** Raised when the rows of a copy get another form. */
const FORM_VERSION = 1;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const rowsPath = ({ folder }: CopyPlace, { file }: CopyFacts): string => `${folder}/${file}`;
const noteName = ({ source }: CopyPlace): string => `${source}.note`;

/** null where there is none, or none that is whole. */
export async function findCopy(place: CopyPlace): Promise<CopyFacts | null> {
  const bytes = await readWhole(place.files, `${place.folder}/${noteName(place)}`);
  return bytes && JSON.parse(decoder.decode(bytes)) as CopyFacts;
}

/** What is left of a copy that was not finished goes too. */
export async function removeCopy(place: CopyPlace): Promise<void> {
  const { files, folder, source } = place;
  // The note first: without it the others are nothing.
  await files.remove(`${folder}/${noteName(place)}`);
  for (const name of await files.list(folder)) if (name.startsWith(`${source}.`)) await files.remove(`${folder}/${name}`);
}

/** What the form of rows follows from. */
export function copyForm({ type, table }: ShapeOptions): string {
  return JSON.stringify([FORM_VERSION, table, type.fields.map(({ name, type }) => [name, type])]);
}

export interface CopyRequest {
  readonly info: TableInfo;
  readonly shape: ShapeOptions;
  readonly server: string;
  readonly point: number;
  /** Names the snapshot. */
  readonly snapshot: string;
  /** Nobody wants it any more. */
  isOver(): boolean;
}

/** Copies one table, in the transaction that the session is in. Throws `column_missing`. */
export async function takeCopy(session: Session, place: CopyPlace, request: CopyRequest): Promise<CopyFacts> {
  const { info, shape: options, server, point, snapshot } = request;
  const selected = options.type.fields.map(({ name }) => columnOf(info, name)).filter((column) => column !== undefined);
  const shape = new TableShape(options, selected.map(({ name, type }) => ({ name, type, isKey: false })));
  const { files, folder } = place;
  await makeDurableFolder(files, folder);
  await removeCopy(place);
  const file = `${place.source}.${snapshot.replaceAll(/[^0-9A-Za-z]/g, "_")}.rows`;
  let bytes = 0;
  let rows = 0;
  await writeWhole(files, { folder, name: file, owner: "making" }, async (handle) => {
    const list = selected.map(({ name }) => quoted(name)).join(", ");
    await session.run(`DECLARE copied NO SCROLL CURSOR FOR SELECT ${list} FROM ${quoted(info.name)}`);
    const lines = createWriter(1 << 16);
    const tuple = new RowTuple();
    for (let rowsWanted = 100;;) {
      const page = await session.select(`FETCH ${rowsWanted} FROM copied`);
      if (page.length === 0) break;
      if (request.isOver()) throw new MillraceError("copy_over", "the copy of a table was given up");
      lines.length = 0;
      for (const row of page) shape.write(tuple.of(row), "none", tuple, lines);
      await handle.write(written(lines));
      bytes += lines.length;
      rows += page.length;
      const rowBytes = lines.length / page.length;
      rowsWanted = Math.max(1, Math.min(COPY_PAGE_ROWS_MAX, Math.floor(COPY_PAGE_BYTES / rowBytes)));
    }
    await session.run("CLOSE copied");
  });
  const facts: CopyFacts = {
    file,
    server,
    point,
    bytes,
    rows,
    form: copyForm(options),
    columns: selected.map(({ name, type }) => ({ name, type })),
  };
  await writeWhole(
    files,
    { folder, name: noteName(place), owner: "making" },
    (handle) => handle.write(encoder.encode(JSON.stringify(facts))),
  );
  return facts;
}

/** Rows of strings as tuples of bytes. */
class RowTuple extends Tuple {
  #room = new Uint8Array(1 << 12);

  of(row: readonly PostgresValue[]): Tuple {
    let bytesMax = 0;
    for (const value of row) bytesMax += 3 * (value?.length ?? 0);
    if (bytesMax > this.#room.length) this.#room = new Uint8Array(2 * bytesMax);
    this.bytes = this.#room;
    this.count = row.length;
    let at = 0;
    for (let i = 0; i < row.length; i++) {
      const value = row[i];
      this.kind[i] = value === null ? VALUE.null : VALUE.text;
      this.start[i] = at;
      if (value !== null) at += encodeText(value, this.#room.subarray(at));
      this.end[i] = at;
    }
    return this;
  }
}

/** Reads a copy in blocks. */
export class CopyReader {
  private constructor(private readonly handle: FileHandle, private readonly place: CopyPlace, readonly facts: CopyFacts) {}

  static async open(place: CopyPlace, facts: CopyFacts): Promise<CopyReader> {
    const path = rowsPath(place, facts);
    const stat = await place.files.stat(path);
    if (stat?.size !== facts.bytes) throw copyLost(path);
    return new CopyReader(await place.files.open(path, "read"), place, facts);
  }

  /** Rows from a byte on, at most those before `toByte`, and the byte behind them. */
  async read(
    byte: number,
    limits: { readonly rowsMax: number; readonly bytesMax: number; readonly toByte: number },
  ): Promise<{ readonly records: Records; readonly tooLong: readonly number[]; readonly endByte: number }> {
    for (let bytesMax = Math.max(1, limits.bytesMax);; bytesMax *= 4) {
      const length = Math.min(bytesMax, limits.toByte - byte);
      const bytes = await readAt(this.handle, byte, length);
      if (bytes.length < length) throw copyLost(rowsPath(this.place, this.facts));
      const { records, tooLong } = splitLines(bytes, 0, length, "more", RECORD_BYTES_MAX);
      if (records.rows === 0) {
        assert(length < limits.toByte - byte, "a copy ends with a line end");
        continue;
      }
      const rows = Math.min(records.rows, limits.rowsMax);
      // A line's end is where the next one starts, less the line end.
      const endByte = byte + records.end[rows - 1] + 1;
      const cut = { bytes, start: records.start.subarray(0, rows), end: records.end.subarray(0, rows), rows };
      return { records: cut, tooLong: tooLong.filter((row) => row < rows), endByte };
    }
  }

  close(): void {
    this.handle.close();
  }
}

/** The pipeline is in the midst of a copy that is not there. */
export function copyLost(path: string): MillraceError {
  return new MillraceError("copy_lost", `the copy of a table that this pipeline is reading is not there, or not whole: ${path}`, {
    hint: "it lies beside the checkpoints, on one machine; bring it back, or start over with --rerun",
  });
}
