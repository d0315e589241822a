/**
 * Parts into one sequence of rows: ascending by sort key, equal keys by lane, then epoch, then order of arrival. Memory and
 * open files are bounded whatever the number of parts. Invariant: the output depends on the parts' content only.
 */
import type { FileHandle, Files } from "../../ports/mod.ts";
import { MERGE_FAN_IN_MAX, WRITE_BYTES_MAX } from "../limits.ts";
import type { Part } from "./part.ts";
import { type Chain, PartCursor } from "./part_cursor.ts";
import { compareBytes } from "./sort_key.ts";

/** Takes the merged bytes piece by piece; a piece is valid during the call only. */
export type WriteBytes = (bytes: Uint8Array) => Promise<void>;

/**
 * Writes the rows of `parts`. `scratch` is a folder of the caller's for intermediate results; it is made where needed and may
 * be removed afterwards.
 */
export async function mergeParts(files: Files, parts: readonly Part[], scratch: string, write: WriteBytes): Promise<void> {
  const inOrder = [...parts].sort((a, b) => a.lane - b.lane || a.epoch - b.epoch);
  const unsorted = inOrder.every((part) => part.indexBytes === 0);
  if (unsorted) return await copyChain(files, inOrder, write);
  let chains = chainsOf(inOrder);
  for (let pass = 0; chains.length > MERGE_FAN_IN_MAX; pass++) {
    chains = await mergePass(files, chains, `${scratch}/pass-${pass}`);
    if (pass > 0) await files.remove(`${scratch}/pass-${pass - 1}`);
  }
  if (chains.length === 1) return await copyChain(files, chains[0], write);
  await mergeChains(files, chains, { rows: write, entry: null });
}

/**
 * Cuts (lane, epoch) order into runs of parts that follow one another without overlap: an ordered input gives one chain per
 * lane however many epochs it had. Then joins chains that lie wholly behind one another.
 */
function chainsOf(inOrder: readonly Part[]): Chain[] {
  const chains: Part[][] = [];
  for (const part of inOrder) {
    const chain = chains.at(-1);
    if (chain && compareKeys(chain.at(-1)!.lastKey, part.firstKey) <= 0) chain.push(part);
    else chains.push([part]);
  }
  if (chains.length < 2) return chains;
  const byKey = chains.toSorted((a, b) => compareKeys(a[0].firstKey, b[0].firstKey));
  // Strictly apart: with an equal key on both sides the order of lanes would have to decide.
  const apart = byKey.every((chain, i) => i === 0 || compareKeys(byKey[i - 1].at(-1)!.lastKey, chain[0].firstKey) < 0);
  return apart ? [byKey.flat()] : chains;
}

async function copyChain(files: Files, chain: Chain, write: WriteBytes): Promise<void> {
  const buffer = new Uint8Array(Math.min(WRITE_BYTES_MAX, chain.reduce((most, part) => Math.max(most, part.rowsBytes), 0)));
  for (const part of chain) {
    const handle = await files.open(part.path, "read");
    try {
      for (let at = 0; at < part.rowsBytes;) {
        const count = await handle.read(buffer.subarray(0, Math.min(buffer.length, part.rowsBytes - at)), at);
        if (count === 0) throw new Error(`${part.path} is shorter than its footer says`);
        await write(buffer.subarray(0, count));
        at += count;
      }
    } finally {
      handle.close();
    }
  }
}

interface MergeTarget {
  readonly rows: WriteBytes;
  /** Takes index entries too, where the result is merged again. */
  readonly entry: WriteBytes | null;
}

async function mergeChains(files: Files, chains: readonly Chain[], target: MergeTarget): Promise<void> {
  // Cursors stay in the order of their chains, so that the first of equal keys is the one of the lower lane and epoch.
  let cursors: PartCursor[] = [];
  const rows = new Gather(target.rows);
  const entries = target.entry ? new Gather(target.entry) : null;
  try {
    for (const chain of chains) {
      const cursor = new PartCursor(files, chain);
      cursors.push(cursor);
      if (!(await cursor.fill())) cursors.pop();
    }
    while (cursors.length > 0) {
      const { cursor, next, wins } = leastOf(cursors);
      let more: boolean;
      do {
        if (!rows.add(cursor.rows, cursor.rowStart, cursor.rowEnd)) await rows.flush();
        if (entries && !addEntry(entries, cursor)) await entries.flush();
        more = cursor.step();
      } while (more && (next === null || before(cursor, next, wins)));
      if (!more && !(await cursor.fill())) {
        cursor.close();
        cursors = cursors.filter((other) => other !== cursor);
      }
    }
    await rows.flush();
    await entries?.flush();
  } finally {
    for (const cursor of cursors) cursor.close();
  }
}

const before = (a: PartCursor, b: PartCursor, wins: "ties" | "less"): boolean => {
  const order = a.compare(b);
  return order < 0 || order === 0 && wins === "ties";
};

/** The cursor to read from, the runner-up, and whether the first one may go on at equal keys. */
function leastOf(cursors: readonly PartCursor[]): { cursor: PartCursor; next: PartCursor | null; wins: "ties" | "less" } {
  let cursor = cursors[0];
  let at = 0;
  for (let i = 1; i < cursors.length; i++) {
    if (cursors[i].compare(cursor) < 0) {
      cursor = cursors[i];
      at = i;
    }
  }
  let next: PartCursor | null = null;
  let nextAt = -1;
  for (let i = 0; i < cursors.length; i++) {
    if (i !== at && (next === null || cursors[i].compare(next) < 0)) {
      next = cursors[i];
      nextAt = i;
    }
  }
  return { cursor, next, wins: at < nextAt ? "ties" : "less" };
}

/** Gathers pieces into big writes. `add` says false when a flush is due. */
class Gather {
  #bytes = new Uint8Array(WRITE_BYTES_MAX);
  #length = 0;
  constructor(private readonly write: WriteBytes) {}

  add(from: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (this.#length + length > this.#bytes.length) {
      const larger = new Uint8Array(2 * (this.#length + length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(from.subarray(start, end), this.#length);
    this.#length += length;
    return this.#length < WRITE_BYTES_MAX >> 1;
  }
  async flush(): Promise<void> {
    if (this.#length > 0) await this.write(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
  }
}

const HEAD = new Uint8Array(8);
const HEAD_VIEW = new DataView(HEAD.buffer);
/** Intermediate results always state the key's length. */
function addEntry(entries: Gather, cursor: PartCursor): boolean {
  HEAD_VIEW.setUint32(0, cursor.rowEnd - cursor.rowStart, true);
  HEAD_VIEW.setUint32(4, cursor.keyEnd - cursor.keyStart, true);
  entries.add(HEAD, 0, 8);
  return entries.add(cursor.index, cursor.keyStart, cursor.keyEnd);
}

/** Merges neighbouring chains, `MERGE_FAN_IN_MAX` at a time, into longer ones; neighbours stay in (lane, epoch) order. */
async function mergePass(files: Files, chains: readonly Chain[], folder: string): Promise<Chain[]> {
  await files.makeFolder(folder);
  const merged: Chain[] = [];
  for (let from = 0; from < chains.length; from += MERGE_FAN_IN_MAX) {
    const group = chains.slice(from, from + MERGE_FAN_IN_MAX);
    merged.push([await mergeToFiles(files, group, `${folder}/${merged.length}`)]);
  }
  return merged;
}

async function mergeToFiles(files: Files, group: readonly Chain[], path: string): Promise<Part> {
  const rowsPath = `${path}.rows`;
  const indexPath = `${path}.index`;
  const handles: FileHandle[] = [];
  let rowsBytes = 0;
  let indexBytes = 0;
  try {
    const rows = await files.open(rowsPath, "write");
    handles.push(rows);
    const index = await files.open(indexPath, "write");
    handles.push(index);
    await mergeChains(files, group, {
      rows: (bytes) => (rowsBytes += bytes.length, rows.write(bytes)),
      entry: (bytes) => (indexBytes += bytes.length, index.write(bytes)),
    });
  } finally {
    for (const handle of handles) handle.close();
  }
  const first = group[0][0];
  const none = new Uint8Array(0); // The passes that follow compare rows, not parts.
  return {
    ...first,
    path: rowsPath,
    rowsBytes,
    indexBytes,
    keyWidth: null,
    firstKey: none,
    lastKey: none,
    index: { path: indexPath, at: 0 },
  };
}

const compareKeys = (a: Uint8Array, b: Uint8Array): number => compareBytes(a, 0, a.length, b, 0, b.length);
