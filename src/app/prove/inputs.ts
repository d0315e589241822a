/** The input of a proof: the project's own files, up to a number of records; files that are not there are made from their schemas. */
import type { PipelineBlueprint } from "../../project/contracts.ts";
import type { SchemaPlan } from "../../component/component.ts";
import { folderOf, readAt } from "../../ports/durable.ts";
import type { Files, World } from "../../ports/mod.ts";
import { originalPath } from "../scratch_paths.ts";
import { INPUT_BYTES_MAX, TABLE_ROWS } from "./limits.ts";
import { madeText } from "./made_records.ts";

export interface InputFile {
  /** As the project has it. */
  readonly path: string;
  readonly origin: "copied" | "made";
  readonly bytes: number;
}
export interface InputWish {
  /** The folder that the pipelines' paths were taken into. */
  readonly scratch: string;
  readonly seed: number;
  readonly records: number;
}
interface Reader {
  readonly name: string;
  readonly schema: SchemaPlan;
  readonly kind: "stream" | "table";
  readonly path: string;
  readonly format: "csv" | "ndjson";
}

/** Puts every file that the pipelines read and none of them writes in its place. */
export async function placeInputs(world: World, pipelines: readonly PipelineBlueprint[], wish: InputWish): Promise<readonly InputFile[]> {
  const written = new Set(pipelines.flatMap(({ sinks }) => sinks.map(({ plan }) => plan.place)));
  const placed = new Map<string, InputFile>();
  for (const reader of pipelines.flatMap(readersOf)) {
    if (written.has(reader.path) || placed.has(reader.path)) continue;
    const original = originalPath(wish.scratch, reader.path);
    if (original === null) continue;
    // Of a table nothing may be missing that is looked up.
    const own = await headOf(world.files, original, reader.kind === "table" ? Infinity : wish.records);
    const made = () =>
      madeText({ ...reader, seed: wish.seed, records: reader.kind === "table" ? TABLE_ROWS : wish.records }, reader.format);
    const bytes = own ?? new TextEncoder().encode(made());
    await world.files.makeFolder(folderOf(reader.path));
    const handle = await world.files.open(reader.path, "write");
    try {
      await handle.write(bytes);
    } finally {
      handle.close();
    }
    placed.set(reader.path, { path: original, origin: own ? "copied" : "made", bytes: bytes.length });
  }
  return [...placed.values()];
}

function readersOf({ sources, tables }: PipelineBlueprint): Reader[] {
  const readers: Reader[] = [];
  for (const { name, schema, plan } of sources) if (plan.file) readers.push({ name, schema, kind: "stream", ...plan.file });
  for (const { name, schema, plan, key } of tables) {
    if (plan.file) readers.push({ name, schema: { ...schema, unique: [...schema.unique, key] }, kind: "table", ...plan.file });
  }
  return readers;
}

/** The first lines of a file, a header line beside them; null where there is no file. Ends behind a line, and outside of quotes. */
async function headOf(files: Files, path: string, records: number): Promise<Uint8Array | null> {
  const stat = await files.stat(path);
  if (!stat || stat.isFolder) return null;
  const handle = await files.open(path, "read");
  try {
    const bytes = await readAt(handle, 0, Math.min(stat.size, INPUT_BYTES_MAX));
    return bytes.subarray(0, endOfLines(bytes, records + 1, path.endsWith(".csv")));
  } finally {
    handle.close();
  }
}

const QUOTE = 0x22;
const LINE_FEED = 0x0a;

function endOfLines(bytes: Uint8Array, lines: number, hasQuotes: boolean): number {
  let isQuoted = false;
  let left = lines;
  let end = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (hasQuotes && bytes[at] === QUOTE) isQuoted = !isQuoted;
    if (bytes[at] !== LINE_FEED || isQuoted) continue;
    end = at + 1;
    if (--left === 0) return end;
  }
  return bytes.length < INPUT_BYTES_MAX ? bytes.length : end;
}
