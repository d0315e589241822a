/**
 * Looks for records in the CSV and NDJSON files that sinks have shown, the newest first. Invariant: at most FILE_SEARCH_BYTES_MAX are
 * read for one search, a piece at a time, so that lanes go on in between; what is found is shown like any other row, tagged fields hidden.
 */
import type { Batch } from "../../data/batch.ts";
import { columnOf, makeMeta } from "../../data/columns.ts";
import { compileCsvDecoder, readCsvHeader, splitCsv } from "../../data/csv/mod.ts";
import type { Decoder, DecoderSpec, Records } from "../../data/codec.ts";
import { compileJsonDecoder, splitLines } from "../../data/json/mod.ts";
import { RECORD_BYTES_MAX } from "../../data/limits.ts";
import type { RecordType } from "../../data/types.ts";
import { FILE_SEARCH_BYTES_MAX, FILE_SEARCH_PIECE_BYTES, FILES_SEARCHED_MAX, FOUND_MAX } from "../../observe/limits.ts";
import type { FoundRow, FurtherSearch } from "../../observe/search.ts";
import { shownRow } from "../../observe/shown.ts";
import type { FileHandle, Files } from "../../ports/mod.ts";
import type { PipelineBlueprint } from "../../project/contracts.ts";
import { sinkName } from "../../project/hidden.ts";

interface WrittenFiles {
  readonly pipeline: string;
  readonly sink: string;
  readonly format: "csv" | "ndjson";
  readonly path: string;
  readonly type: RecordType;
}
interface FoundFile {
  readonly path: string;
  readonly size: number;
  readonly modifiedMs: number;
}

export class FileSearch {
  readonly #sinks: WrittenFiles[] = [];
  #isBusy = false;

  constructor(private readonly files: Files) {}

  /** What a pipeline writes is searched from now on, where it can be. */
  add({ name, sinks }: PipelineBlueprint): void {
    for (const { name: sink, type, plan, input, inputs } of sinks) {
      const isRows = inputs.some(({ port }) => port !== "rejected");
      if ((type !== "csv" && type !== "ndjson") || plan.place.startsWith("s3://") || !isRows) continue;
      this.#sinks.push({ pipeline: name, sink: sinkName(sink), format: type, path: plan.place, type: input });
    }
  }

  /** Rows with a value that is `words`. One search at a time: null while another one runs, and where there is nothing to look through. */
  async find(words: string): Promise<FurtherSearch | null> {
    if (this.#isBusy || this.#sinks.length === 0) return null;
    this.#isBusy = true;
    try {
      const told = { found: [] as FoundRow[], bytes: 0, files: 0, isWhole: true };
      for (const [i, sink] of this.#sinks.entries()) {
        await this.#findIn(sink, words, told, (FILE_SEARCH_BYTES_MAX - told.bytes) / (this.#sinks.length - i));
      }
      return told;
    } finally {
      this.#isBusy = false;
    }
  }

  async #findIn(
    sink: WrittenFiles,
    words: string,
    told: { readonly found: FoundRow[]; bytes: number; files: number; isWhole: boolean },
    bytesMax: number,
  ): Promise<void> {
    const listed = (await this.#list(sink.path)).sort((a, b) => b.modifiedMs - a.modifiedMs);
    if (listed.length >= FILES_SEARCHED_MAX) told.isWhole = false;
    let left = Math.floor(bytesMax);
    for (const file of listed) {
      if (left <= 0 || told.found.length >= FOUND_MAX) {
        told.isWhole = false;
        return;
      }
      const from = Math.max(0, file.size - left);
      if (from > 0) told.isWhole = false;
      left -= file.size - from;
      told.bytes += file.size - from;
      told.files++;
      const handle = await this.files.open(file.path, "read");
      try {
        const lines = await linesWith(handle, words, from, file.size);
        if (lines.length === 0) continue;
        const rows = rowsOf(sink, lines, await headOf(handle, sink.format));
        const matching = rows.filter((values) => values.some((value) => value.toLowerCase() === words.toLowerCase())).reverse();
        const place = { pipeline: sink.pipeline, sink: sink.sink, columns: sink.type.fields.map(({ name }) => name) };
        for (const values of matching.slice(0, FOUND_MAX - told.found.length)) {
          told.found.push({ ...place, values, epoch: null, timeMicros: file.modifiedMs * 1000 });
        }
      } finally {
        handle.close();
      }
    }
  }

  /** A file, or those below a folder but for names that begin with "_". */
  async #list(path: string): Promise<FoundFile[]> {
    const found: FoundFile[] = [];
    const visit = async (at: string): Promise<void> => {
      const stat = found.length < FILES_SEARCHED_MAX ? await this.files.stat(at) : null;
      if (!stat) return;
      if (!stat.isFolder) return void found.push({ path: at, size: stat.size, modifiedMs: stat.modifiedMs });
      // Names of rolled files grow: the last are the newest.
      for (const name of (await this.files.list(at)).reverse()) if (!name.startsWith("_")) await visit(`${at}/${name}`);
    };
    await visit(path);
    return found;
  }
}

const LF = 10;
const latin1 = new TextDecoder("latin1");

/** The newest lines that hold the words as a whole value, a bounded number; a first line that is cut off by `from` is none. */
async function linesWith(handle: FileHandle, words: string, from: number, to: number): Promise<Uint8Array[]> {
  const wished = latin1.decode(new TextEncoder().encode(words));
  const lines: Uint8Array[] = [];
  let rest: Uint8Array = new Uint8Array(0);
  let isCut = from > 0;
  for (let at = from; at < to;) {
    const piece = new Uint8Array(Math.min(FILE_SEARCH_PIECE_BYTES, to - at));
    const length = await handle.read(piece, at);
    if (length === 0) break;
    at += length;
    const bytes = new Uint8Array(rest.length + length);
    bytes.set(rest);
    bytes.set(piece.subarray(0, length), rest.length);
    const end = at >= to ? bytes.length : bytes.lastIndexOf(LF) + 1;
    const begin = isCut ? bytes.indexOf(LF) + 1 : 0;
    if (end > begin) {
      isCut = false;
      gather(bytes.subarray(begin, end), wished, lines);
    }
    // What is longer is no record of ours.
    rest = bytes.length - end > RECORD_BYTES_MAX ? new Uint8Array(0) : bytes.subarray(end);
  }
  return lines;
}

function gather(bytes: Uint8Array, wished: string, lines: Uint8Array[]): void {
  const text = latin1.decode(bytes);
  for (let at = text.indexOf(wished); at >= 0;) {
    const behind = at + wished.length;
    // Part of a longer value: there may be thousands of those.
    if (!isEdge(text, at - 1) || !isEdge(text, behind)) {
      at = text.indexOf(wished, at + 1);
      continue;
    }
    const begin = text.lastIndexOf("\n", at) + 1;
    const found = text.indexOf("\n", at);
    const end = found < 0 ? text.length : found + 1;
    lines.push(bytes.slice(begin, end));
    if (lines.length > FOUND_MAX) lines.shift();
    at = text.indexOf(wished, end);
  }
}

/** What may stand beside a value in a line of CSV or JSON. */
const EDGES = new Set(['"', ",", ":", "\n", "\r", "}", "]", "[", " "]);
const isEdge = (text: string, at: number): boolean => at < 0 || at >= text.length || EDGES.has(text[at]);

/** The header line of a CSV file. */
async function headOf(handle: FileHandle, format: WrittenFiles["format"]): Promise<Uint8Array> {
  if (format === "ndjson") return new Uint8Array(0);
  const head = new Uint8Array(FILE_SEARCH_PIECE_BYTES);
  return head.subarray(0, await handle.read(head, 0));
}

/** As they are shown; a line that cannot be taken apart, as of a quoted text with line ends in it, is left out. */
function rowsOf({ format, type }: WrittenFiles, lines: readonly Uint8Array[], head: Uint8Array): string[][] {
  const bytes = new Uint8Array(lines.reduce((sum, { length }) => sum + length + 1, 0));
  let at = 0;
  for (const line of lines) {
    bytes.set(line, at);
    at += line.length;
    if (line.at(-1) !== LF) bytes[at++] = LF;
  }
  const decoded = format === "ndjson" ? decodeJson(type, bytes.subarray(0, at)) : decodeCsv(type, bytes.subarray(0, at), head);
  if (!decoded) return [];
  const places = type.fields.map((_, i) => i);
  return Array.from({ length: decoded.rows }, (_, row) => shownRow(decoded, places, row));
}

const specOf = (type: RecordType): DecoderSpec => (
  { type, needed: new Set(type.fields.map(({ name }) => name)), numericText: "accept", unknownFields: "ignore" }
);

function decodeJson(type: RecordType, bytes: Uint8Array): Batch {
  const { records } = splitLines(bytes, 0, bytes.length, "end", RECORD_BYTES_MAX);
  return batchOf(type, compileJsonDecoder(specOf(type)), records);
}

/** null: the header is not one. Columns that the file leaves out are empty. */
function decodeCsv(type: RecordType, bytes: Uint8Array, head: Uint8Array): Batch | null {
  const header = readCsvHeader(head, 0, head.length, "more");
  if (!header) return null;
  const written: RecordType = { fields: type.fields.filter(({ name }) => header.names.includes(name)) };
  const { records } = splitCsv(bytes, 0, bytes.length, "end", RECORD_BYTES_MAX);
  const batch = batchOf(written, compileCsvDecoder(specOf(written), header.names), records);
  const columns = type.fields.map((field) =>
    batch.columns[written.fields.indexOf(field)] ?? columnOf(field.type, new Array(batch.rows).fill(null))
  );
  return { ...batch, type, columns };
}

function batchOf(type: RecordType, decode: Decoder, records: Records): Batch {
  const { columns } = decode(records);
  return { rows: records.rows, type, columns, meta: makeMeta("", 0, new Float64Array(records.rows)) };
}
