/**
 * Records that are to go through again, as a run keeps them: per source and partition files that are only ever added, whole.
 *
 *   STATE/redrive/RUN/SOURCE/PARTITION/NNNNNN.ndjson     one file per command, a record a line
 *
 * Invariant: the n-th record of a partition is the same for ever, so that "n were taken" is a position like any other.
 */
import { Buffer } from "node:buffer";
import { MillraceError } from "../../data/fault.ts";
import { makeDurableFolder, readWhole, writeWhole } from "../../ports/durable.ts";
import type { Files } from "../../ports/mod.ts";

export interface RedrivenRecord {
  /** Where the source gave it: what it is known by. */
  readonly position: number;
  readonly origin: number;
  readonly raw: Uint8Array;
}
/** As a line tells it. */
interface Line {
  readonly position: number;
  readonly origin: number;
  readonly base64: string;
}
const NAME = /^\d{6}\.ndjson$/;

/** Where a run's records lie. */
export const redriveFolder = (stateFolder: string, run: string): string => `${stateFolder}/redrive/${run}`;
const partitionFolder = (folder: string, source: string, partition: number): string => `${folder}/${source}/${partition}`;

/** In their order. */
export async function readRedriven(files: Files, folder: string, source: string, partition: number): Promise<RedrivenRecord[]> {
  const records: RedrivenRecord[] = [];
  const below = partitionFolder(folder, source, partition);
  for (const name of (await files.list(below)).filter((name) => NAME.test(name))) {
    const text = new TextDecoder().decode(await readWhole(files, `${below}/${name}`) ?? new Uint8Array());
    for (const line of text.split("\n")) if (line !== "") records.push(parse(line, `${below}/${name}`));
  }
  return records;
}

/** Behind those that are there. Durable, all of them, when it returns. Whoever calls it owns the pipeline. */
export async function addRedriven(
  files: Files,
  folder: string,
  { source, partition }: { readonly source: string; readonly partition: number },
  records: readonly RedrivenRecord[],
): Promise<void> {
  const below = partitionFolder(folder, source, partition);
  await makeDurableFolder(files, below);
  const last = (await files.list(below)).filter((name) => NAME.test(name)).at(-1);
  const name = `${String(last ? Number(last.slice(0, 6)) + 1 : 1).padStart(6, "0")}.ndjson`;
  const lines = records.map(({ position, origin, raw }) => {
    const line: Line = { position, origin, base64: Buffer.from(raw).toString("base64") };
    return `${JSON.stringify(line)}\n`;
  });
  const bytes = new TextEncoder().encode(lines.join(""));
  await writeWhole(files, { folder: below, name, owner: "redrive" }, (handle) => handle.write(bytes));
}

function parse(text: string, path: string): RedrivenRecord {
  try {
    const { position, origin, base64 } = JSON.parse(text) as Line;
    return { position, origin, raw: new Uint8Array(Buffer.from(base64, "base64")) };
  } catch (cause) {
    throw new MillraceError("redrive_damaged", `${path} cannot be read`, { hint: "bring the state folder back from a copy", cause });
  }
}
