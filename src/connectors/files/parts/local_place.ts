/**
 * A folder as the place of a sink's files. A file appears by one rename, whole and synced; what is on its way lies in `_drafts`,
 * which readers of such folders skip by its name as they skip `_manifest`.
 */
import type { Files } from "../../../ports/mod.ts";
import { folderOf, makeDurableFolder, readWhole, writeWhole } from "../../../ports/durable.ts";
import type { PartPlace } from "./contracts.ts";

export class LocalPlace implements PartPlace {
  readonly drafts: string;
  /** Folders known to be durable. */
  readonly #made = new Set<string>();

  constructor(private readonly files: Files, private readonly folder: string) {
    this.drafts = `${folder}/_drafts`;
  }

  open(): Promise<void> {
    return this.#make(this.drafts);
  }

  async show(draft: string, name: string): Promise<void> {
    const path = `${this.folder}/${name}`;
    await this.#make(folderOf(path));
    await this.files.rename(draft, path);
    await this.files.syncFolder(folderOf(path));
  }

  async record(name: string, content: Uint8Array, owner: number): Promise<Uint8Array | null> {
    const path = `${this.folder}/${name}`;
    const folder = folderOf(path);
    await this.#make(folder);
    const there = await readWhole(this.files, path);
    // Who renamed it here may have died before it was durable.
    if (there) await this.files.syncFolder(folder);
    else {
      const target = { folder, name: path.slice(folder.length + 1), owner: String(owner) };
      await writeWhole(this.files, target, (handle) => handle.write(content));
    }
    return there;
  }

  async names(): Promise<string[]> {
    const names: string[] = [];
    const walk = async (folder: string, prefix: string): Promise<void> => {
      for (const name of await this.files.list(folder)) {
        const stat = await this.files.stat(`${folder}/${name}`);
        if (stat?.isFolder) await walk(`${folder}/${name}`, `${prefix}${name}/`);
        else if (stat) names.push(prefix + name);
      }
    };
    await walk(this.folder, "");
    return names;
  }

  async remove(name: string): Promise<void> {
    await this.files.remove(`${this.folder}/${name}`);
  }

  async #make(folder: string): Promise<void> {
    if (this.#made.has(folder)) return;
    await makeDurableFolder(this.files, folder);
    if (this.#made.size >= FOLDERS_KNOWN_MAX) this.#made.clear();
    this.#made.add(folder);
  }
}

const FOLDERS_KNOWN_MAX = 10_000;
