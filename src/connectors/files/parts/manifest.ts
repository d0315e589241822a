/**
 * The manifest: one small JSON file for every file that a sink shows, at `_manifest/NAME.json` for the file NAME. An entry is
 * written after its file, once, and never changed; it says what the file holds, so that a reader need not list or open files.
 */
import { formatMicros } from "./times.ts";
import { partitionValues } from "./partition_path.ts";

/** What tells one sink's files from another's in the same place. Names hold no dot. */
export interface SinkName {
  readonly pipeline: string;
  readonly sink: string;
}
/** Rows of one lane and partition from consecutive epochs, in one file. */
export interface PartFile extends SinkName {
  readonly run: string;
  readonly lane: number;
  readonly partition: string;
  readonly extension: string;
  readonly rows: number;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly firstEpoch: number;
  readonly lastEpoch: number;
  /** Recorded times of these epochs, µs. */
  readonly firstMicros: number;
  readonly lastMicros: number;
}

const MANIFEST = "_manifest";
const VERSION = 1;

/** The name that a file has for ever: whoever writes these epochs of this lane, and whenever. */
export function fileName({ pipeline, sink, run, lane, partition, extension, firstEpoch }: PartFile): string {
  const name = `${pipeline}.${sink}.${run}.${String(lane).padStart(5, "0")}-${String(firstEpoch).padStart(12, "0")}.${extension}`;
  return partition === "" ? name : `${partition}/${name}`;
}

export const entryName = (file: string): string => `${MANIFEST}/${file}.json`;
export const isEntry = (name: string): boolean => name.startsWith(`${MANIFEST}/`);

export function encodeEntry(file: PartFile): Uint8Array {
  const { pipeline, sink, run, lane, partition, rows, bytes, sha256, firstEpoch, lastEpoch, firstMicros, lastMicros } = file;
  const entry = {
    version: VERSION,
    file: fileName(file),
    rows,
    bytes,
    sha256,
    partition: partitionValues(partition),
    pipeline,
    sink,
    run,
    lane,
    first_epoch: firstEpoch,
    last_epoch: lastEpoch,
    first_time: formatMicros(firstMicros),
    last_time: formatMicros(lastMicros),
  };
  return new TextEncoder().encode(`${JSON.stringify(entry)}\n`);
}

/** Whether an entry that was there already says the same rows; a file may have been compressed to other bytes since. */
export function isSameContent(there: Uint8Array, ours: Uint8Array): boolean {
  const [a, b] = [there, ours].map((content) => JSON.parse(new TextDecoder().decode(content)) as Record<string, unknown>);
  return ["file", "rows", "first_epoch", "last_epoch"].every((key) => a[key] === b[key]);
}

/** Whether a name below a sink's place, of a file, a draft or an entry, is one of this sink from a run other than `run`. */
export function isOfOtherRun(name: string, sink: SinkName, run: string): boolean {
  const own = runOf(name, sink);
  return own !== null && own.run !== run;
}

/** The run and the first epoch that such a name tells; null where it is not this sink's. */
export function runOf(name: string, { pipeline, sink }: SinkName): { readonly run: string; readonly firstEpoch: number } | null {
  const last = name.slice(name.lastIndexOf("/") + 1);
  const match = /^([^.]+)\.([^.]+)\.([^.]+)\.\d{5}-(\d+)\./.exec(last);
  if (!match || match[1] !== pipeline || match[2] !== sink) return null;
  return { run: match[3], firstEpoch: Number(match[4]) };
}
