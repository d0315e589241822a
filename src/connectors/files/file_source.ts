/** The sources `csv` and `ndjson`: one file, read once from its beginning to the end it had when it was opened. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { SourceContext, SourcePlan, SourceSpec } from "../../component/component.ts";
import type { GroupSetting } from "../../component/settings.ts";
import { readCsvHeader } from "../../data/csv/mod.ts";
import type { DecoderSpec } from "../../data/codec.ts";
import { MillraceError } from "../../data/fault.ts";
import { BATCH_BYTES_MAX, RECORD_BYTES_MAX } from "../../data/limits.ts";
import type { Position, Source, SourceReader } from "../../engine/contracts.ts";
import type { FileHandle, Files } from "../../ports/mod.ts";
import type { RecordOrigin } from "../source_batch.ts";
import { readAt } from "../../ports/durable.ts";
import { decoderOf, type FileFormat, splitterOf } from "./format.ts";
import { parsePlace, RecordFileReader } from "./record_file.ts";

const settingsOf = (doc: string): GroupSetting => ({
  kind: "group",
  doc,
  fields: { path: { kind: "text", place: true, doc: "The file. Relative paths start at the working directory." } },
});
const NOTES = `\`meta.position\` is the record's number in the file, from 1; rejected records count, empty lines do not. The file must
stay as it is until the run has ended: a run is resumed only with the same bytes.`;

function spec(format: FileFormat, summary: string, doc: string): SourceSpec {
  return {
    role: "source",
    type: format,
    summary,
    notes: NOTES,
    settings: settingsOf(doc),
    examples: [{
      title: "A file with its fields",
      toml: `[sources.payments]\ntype   = "${format}"\npath   = "payments.${format}"\nfields = { id = "int", amount = "decimal(2)" }\n`,
    }],
    plan: (context) => plan(context, format),
  };
}
export const csvSource: SourceSpec = spec("csv", "Reads a CSV file with a header line (RFC 4180).", "A CSV file.");
export const ndjsonSource: SourceSpec = spec("ndjson", "Reads a file of one JSON object per line.", "An NDJSON file.");

function plan(context: SourceContext, format: FileFormat): SourcePlan {
  return planFile(context.settings.text("path"), format, context);
}

/** Reading one file, wherever its path was stated. */
export function planFile(path: string, format: FileFormat, { name, type, schema }: SourceContext): SourcePlan {
  const { numericText, unknownFields } = schema;
  return {
    bounded: true,
    partitionedBy: null,
    partitioned: false,
    file: { path, format },
    create: ({ files }, needed) =>
      new FileSource(files, path, format, { type, needed, numericText, unknownFields }, { source: name, partition: 0, type }),
  };
}

class FileSource implements Source {
  #size = 0;
  constructor(
    private readonly files: Files,
    private readonly path: string,
    private readonly format: FileFormat,
    private readonly decoding: DecoderSpec,
    private readonly origin: RecordOrigin,
  ) {}

  partitions(): Promise<number> {
    return Promise.resolve(1);
  }

  async reader(): Promise<SourceReader> {
    const { files, path, format, decoding, origin } = this;
    await this.#stat();
    const handle = await files.open(path, "read");
    try {
      const size = await handle.size();
      this.#size = size;
      const header = format === "csv" ? await readHeader(handle, size, path) : { names: [], consumed: 0 };
      const decoder = decoderOf(format, decoding, header.names);
      return new RecordFileReader({ handle, path, size, headerBytes: header.consumed, splitter: splitterOf(format), decoder, origin });
    } catch (error) {
      handle.close();
      throw error;
    }
  }

  async identity(): Promise<string> {
    const { size, modifiedMs } = await this.#stat();
    const known = DIGESTS.get(this.files)?.get(this.path);
    if (known && known.size === size && known.modifiedMs === modifiedMs && modifiedMs !== 0) return known.identity;
    const identity = `${size}:${await digestOf(this.files, this.path)}`;
    if (!DIGESTS.has(this.files)) DIGESTS.set(this.files, new Map());
    DIGESTS.get(this.files)!.set(this.path, { size, modifiedMs, identity });
    return identity;
  }

  progress(positions: readonly Position[]): number {
    if (positions.length === 0) return 0;
    return this.#size === 0 ? 1 : Math.min(1, parsePlace(positions[0]).byte / this.#size);
  }

  async #stat() {
    const stat = await this.files.stat(this.path);
    if (stat && !stat.isFolder) return stat;
    throw new MillraceError(
      "input_missing",
      `source "${this.origin.source}": ${stat ? "a folder, not a file" : "there is no file"} at ${this.path}`,
      {
        hint: "check `path`; relative paths start at the working directory",
      },
    );
  }
}

/** Digests of whole files cost seconds per gigabyte: remembered within a process while size and time of change stay. */
const DIGESTS = new WeakMap<Files, Map<string, { size: number; modifiedMs: number; identity: string }>>();

/**
 * SHA-256 of the CRC-32 of each block, which costs a twentieth of hashing every byte: it is there to notice a file that was changed
 * by mistake, not to withstand somebody who makes two files for one digest.
 */
async function digestOf(files: Files, path: string): Promise<string> {
  const hash = createHash("sha256");
  const handle = await files.open(path, "read");
  try {
    const into = new Uint8Array(BATCH_BYTES_MAX);
    const check = new Uint32Array(1);
    for (let at = 0;;) {
      let filled = 0;
      // Blocks are always full, so that the digest does not depend on how much one read gives.
      for (let count = 1; count > 0 && filled < into.length; filled += count) {
        count = await handle.read(filled === 0 ? into : into.subarray(filled), at + filled);
      }
      if (filled === 0) return hash.digest("hex");
      check[0] = crc32(into.subarray(0, filled));
      hash.update(new Uint8Array(check.buffer));
      at += filled;
    }
  } finally {
    handle.close();
  }
}

async function readHeader(handle: FileHandle, size: number, path: string): Promise<{ names: readonly string[]; consumed: number }> {
  const bytes = await readAt(handle, 0, Math.min(size, RECORD_BYTES_MAX));
  try {
    const header = readCsvHeader(bytes, 0, bytes.length, bytes.length === size ? "end" : "more");
    if (header) return header;
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    throw new MillraceError(error.code, `${path}: ${error.message}`, { hint: error.hint });
  }
  throw new MillraceError("csv_header", `${path} does not begin with a line of column names`, {
    hint: size === 0
      ? "the file is empty; a CSV file without rows still has its header"
      : "the header must be one CSV line of at most 1 MiB",
  });
}
