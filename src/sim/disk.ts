/**
 * The disk that outlives processes. Two truths are kept: what running processes see (the page cache), and what is durable.
 * Invariant: the guarantees are those of POSIX and no more. A file's bytes are durable after its `sync`, a name after
 * `syncFolder` of the folder it stands in, a rename is atomic; anything else may be there after a power failure, or not, or, for
 * bytes, in part.
 */
import type { OpenMode } from "../ports/mod.ts";
import { durableContent, SimFile } from "./disk_file.ts";
import { NameJournal, SimFolder } from "./disk_names.ts";
import type { SeededRandom } from "./seeded_random.ts";

export class SimDisk {
  readonly #root = new SimFolder();
  readonly #journal = new NameJournal();
  /** Nothing more can be written, no name made; what is there can be read, renamed and removed. */
  isFull = false;

  /** The file behind a new handle. Throws ENOENT where it, or its folder, is missing, EISDIR for a folder. */
  open(path: string, mode: OpenMode): SimFile {
    const { folder, name } = this.#parentOf(path);
    const there = folder?.entries.get(name);
    if (there instanceof SimFolder) throw systemError("EISDIR", path);
    if (there === undefined) {
      if (mode === "read" || folder === undefined) throw systemError("ENOENT", path);
      this.requireRoom(path);
      const file = new SimFile();
      this.#journal.link(folder, name, file);
      return file;
    }
    if (mode === "write") there.truncate();
    return there;
  }

  stat(path: string): { readonly size: number; readonly isFolder: boolean } | null {
    const node = this.#find(partsOf(path));
    if (node === undefined) return null;
    return node instanceof SimFolder ? { size: 0, isFolder: true } : { size: node.size, isFolder: false };
  }

  /** Sorted names; none when the folder is missing. */
  list(path: string): string[] {
    const node = this.#find(partsOf(path));
    return node instanceof SimFolder ? [...node.entries.keys()].sort() : [];
  }

  makeFolder(path: string): void {
    let folder = this.#root;
    for (const name of partsOf(path)) {
      let next = folder.entries.get(name);
      if (next === undefined) {
        this.requireRoom(path);
        next = new SimFolder();
        this.#journal.link(folder, name, next);
      }
      if (!(next instanceof SimFolder)) throw systemError("ENOTDIR", path);
      folder = next;
    }
  }

  rename(from: string, to: string): void {
    const source = this.#parentOf(from);
    const target = this.#parentOf(to);
    const node = source.folder?.entries.get(source.name);
    if (source.folder === undefined || node === undefined) throw systemError("ENOENT", from);
    if (target.folder === undefined) throw systemError("ENOENT", to);
    const replaced = target.folder.entries.get(target.name);
    if (replaced === node) return;
    if (replaced instanceof SimFolder) {
      if (!(node instanceof SimFolder)) throw systemError("EISDIR", to);
      if (replaced.entries.size > 0) throw systemError("ENOTEMPTY", to);
    } else if (replaced !== undefined && node instanceof SimFolder) {
      throw systemError("ENOTDIR", to);
    }
    this.#journal.rename(source.folder, source.name, target.folder, target.name, node);
  }

  remove(path: string): void {
    const { folder, name } = this.#parentOf(path);
    const node = folder?.entries.get(name);
    if (folder === undefined || node === undefined) return;
    if (node instanceof SimFolder) this.#empty(node);
    this.#journal.unlink(folder, name);
  }

  syncFolder(path: string): void {
    const node = this.#find(partsOf(path));
    if (!(node instanceof SimFolder)) throw systemError("ENOENT", path);
    this.#journal.sync(node);
  }

  /** Throws ENOSPC where the disk is full. */
  requireRoom(path: string): void {
    if (this.isFull) throw systemError("ENOSPC", path);
  }

  /** Power failure: what was not synced is kept, lost or torn, as `random` says. Handles opened before are void. */
  losePower(random: SeededRandom): void {
    this.#journal.settle(random);
    this.#revert(this.#root, random, new Map());
  }

  /** Every file and its content as processes see it, for oracles. */
  snapshot(): Map<string, Uint8Array> {
    const files = new Map<string, Uint8Array>();
    const walk = (folder: SimFolder, prefix: string): void => {
      for (const [name, node] of [...folder.entries].sort(([a], [b]) => a < b ? -1 : 1)) {
        if (node instanceof SimFolder) walk(node, `${prefix}${name}/`);
        else files.set(prefix + name, node.content());
      }
    };
    walk(this.#root, "");
    return files;
  }

  #empty(folder: SimFolder): void {
    for (const [name, node] of [...folder.entries]) {
      if (node instanceof SimFolder) this.#empty(node);
      this.#journal.unlink(folder, name);
    }
  }

  /** Makes the durable truth the visible one. A file may have two names, and must get one content. */
  #revert(folder: SimFolder, random: SeededRandom, done: Map<SimFile, SimFile>): void {
    for (const [name, node] of folder.durable) {
      if (node instanceof SimFolder) {
        this.#revert(node, random, done);
        continue;
      }
      let survivor = done.get(node);
      if (survivor === undefined) {
        // A new object: whoever still holds the old one writes into the void.
        survivor = new SimFile(durableContent(node, random));
        done.set(node, survivor);
      }
      folder.durable.set(name, survivor);
    }
    folder.entries = new Map(folder.durable);
  }

  #find(parts: readonly string[]): SimFolder | SimFile | undefined {
    let node: SimFolder | SimFile = this.#root;
    for (const name of parts) {
      const next: SimFolder | SimFile | undefined = node instanceof SimFolder ? node.entries.get(name) : undefined;
      if (next === undefined) return undefined;
      node = next;
    }
    return node;
  }

  #parentOf(path: string): { folder: SimFolder | undefined; name: string } {
    const parts = partsOf(path);
    const name = parts.pop();
    if (name === undefined) throw systemError("EISDIR", path);
    const folder = this.#find(parts);
    return { folder: folder instanceof SimFolder ? folder : undefined, name };
  }
}

function partsOf(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return parts;
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
