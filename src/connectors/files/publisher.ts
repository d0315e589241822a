/**
 * From parts to the files people see. Two ways: everything into one file at the end of a bounded run, or a folder of rolled
 * files as the run goes on. Both may be done again at any point and give the same names and bytes.
 */
import { MillraceError } from "../../data/fault.ts";
import type { Files } from "../../ports/mod.ts";
import { folderOf, makeDurableFolder, writeWhole } from "../../ports/durable.ts";
import { mergeParts } from "./merge.ts";
import type { Part } from "./part.ts";
import type { PartStore } from "./part_store.ts";

export interface Publisher {
  /** A new run begins: what an earlier one published and this one will not replace by itself goes. */
  clear(): Promise<void>;
  /** A lane has delivered `epoch`, perhaps without rows. `owner` names the temporary files. */
  delivered(store: PartStore, lane: number, epoch: number, part: Part | null, owner: string): Promise<void>;
  /** The lane was taken over by `owner`: forget what was remembered of it. */
  recovered(store: PartStore, lane: number, owner: number): Promise<void>;
  finish(store: PartStore, owner: string): Promise<void>;
}

/** Merges all parts at the end and renames once. */
export class OneFilePublisher implements Publisher {
  constructor(private readonly files: Files, private readonly path: string, private readonly header: Uint8Array) {}

  async clear(): Promise<void> {} // The old file stays until the new one takes its place.
  async delivered(): Promise<void> {}

  recovered(_store: PartStore, _lane: number, owner: number): Promise<void> {
    const name = this.path.slice(this.path.lastIndexOf("/") + 1);
    return removeTemporaries(this.files, folderOf(this.path), owner, (each) => each === name);
  }

  async finish(store: PartStore, owner: string): Promise<void> {
    const parts = await store.parts();
    if (parts.length === 0 && (await store.published()).length > 0) return await this.#checkPublished(store);
    await publishParts(store, parts, { path: this.path, header: this.header, owner });
    if (parts.length > 0) await store.markPublished(parts, owner);
    await store.removePublished();
  }

  async #checkPublished(store: PartStore): Promise<void> {
    if (!(await this.files.stat(this.path))) {
      throw new MillraceError("output_missing", `${this.path} was published by this run and has been removed since`, {
        hint: "start over with --rerun to make it again",
      });
    }
    await store.removePublished();
  }
}

export interface RollLimits {
  /** A rolled file holds the epochs of one such span. */
  readonly epochs: number;
  /** A file is closed before the part that would take it beyond. */
  readonly bytes: number;
}

/**
 * Rolls each lane's parts into files named by lane and first epoch. Which epochs share a file follows from the parts' epochs
 * and sizes alone, so whoever rolls, and whenever, makes the same files.
 */
export class PartsPublisher implements Publisher {
  /** Parts of each lane that wait for their file. */
  readonly #waiting = new Map<number, Part[]>();
  readonly #suffix: RegExp;
  /** `prefix` begins the name of every file, so that several pipelines may share a folder. */
  constructor(
    private readonly files: Files,
    private readonly folder: string,
    private readonly extension: string,
    private readonly header: Uint8Array,
    private readonly roll: RollLimits,
    private readonly prefix = "",
  ) {
    this.#suffix = new RegExp(`^\\d{5}-\\d{12}\\.${extension}$`);
  }

  async clear(): Promise<void> {
    for (const name of await this.files.list(this.folder)) {
      if (name.startsWith(this.prefix) && this.#suffix.test(name.slice(this.prefix.length))) {
        await this.files.remove(`${this.folder}/${name}`);
      }
    }
  }

  async recovered(store: PartStore, lane: number, owner: number): Promise<void> {
    this.#waiting.set(lane, await store.parts(lane));
    const start = `${this.prefix}${String(lane).padStart(5, "0")}-`;
    await removeTemporaries(this.files, this.folder, owner, (name) => name.startsWith(start));
    await store.removePublished();
  }

  async delivered(store: PartStore, lane: number, epoch: number, part: Part | null, owner: string): Promise<void> {
    const waiting = this.#waiting.get(lane) ?? [];
    if (part && waiting.at(-1)?.epoch !== part.epoch) waiting.push(part);
    this.#waiting.set(lane, waiting);
    for (let count = this.#complete(waiting, epoch); count > 0; count = this.#complete(waiting, epoch)) {
      await this.#rollOne(store, waiting.splice(0, count), owner);
    }
  }

  async finish(store: PartStore, owner: string): Promise<void> {
    this.#waiting.clear();
    for (const part of await store.parts()) await this.delivered(store, part.lane, part.epoch, part, owner);
    for (const waiting of this.#waiting.values()) {
      if (waiting.length > 0) await this.#rollOne(store, waiting.splice(0), owner);
    }
    await store.removePublished();
  }

  /** How many of the first parts make up a file to which no later epoch can add; 0 while it is open. */
  #complete(waiting: readonly Part[], epoch: number): number {
    if (waiting.length === 0) return 0;
    const first = waiting[0].epoch;
    let bytes = 0;
    for (const [i, part] of waiting.entries()) {
      bytes += part.rowsBytes;
      if (i > 0 && (bytes > this.roll.bytes || part.epoch >= first + this.roll.epochs)) return i;
    }
    return epoch >= first + this.roll.epochs ? waiting.length : 0;
  }

  async #rollOne(store: PartStore, parts: readonly Part[], owner: string): Promise<void> {
    const { lane, epoch } = parts[0];
    const name = `${this.prefix}${String(lane).padStart(5, "0")}-${String(epoch).padStart(12, "0")}.${this.extension}`;
    await publishParts(store, parts, { path: `${this.folder}/${name}`, header: this.header, owner });
    await store.markPublished(parts, owner);
    for (const part of parts) await store.files.remove(part.path);
  }
}

/**
 * Removes temporary files of owners before `owner`, whose names without their ending are `ours`. Such an owner, should it still
 * live, can then not rename its file; all it would have shown is shown by its successor.
 */
async function removeTemporaries(files: Files, folder: string, owner: number, ours: (name: string) => boolean): Promise<void> {
  for (const name of await files.list(folder)) {
    const match = /^(.+)\.(\d+)\.tmp$/.exec(name);
    if (match && Number(match[2]) < owner && ours(match[1])) await files.remove(`${folder}/${name}`);
  }
}

async function publishParts(
  store: PartStore,
  parts: readonly Part[],
  target: { readonly path: string; readonly header: Uint8Array; readonly owner: string },
): Promise<void> {
  const { files } = store;
  const folder = folderOf(target.path);
  const scratch = `${store.folder}/merge-${target.owner}`;
  await makeDurableFolder(files, folder);
  const name = target.path.slice(target.path.lastIndexOf("/") + 1);
  await writeWhole(files, { folder, name, owner: target.owner }, async (handle) => {
    if (target.header.length > 0) await handle.write(target.header);
    await mergeParts(files, parts, scratch, (bytes) => handle.write(bytes));
  });
  await files.remove(scratch);
}
