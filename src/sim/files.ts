/**
 * The Files port of one simulated process over the shared disk. Invariant: a call takes effect at one instant between its start and its
 * answer, except a write that its process' death cuts short.
 */
import type { FileHandle, Files, FileStat, OpenMode } from "../ports/mod.ts";
import type { SimDisk } from "./disk.ts";
import type { SimFile } from "./disk_file.ts";
import type { SimProcess } from "./process.ts";
import type { SeededRandom } from "./seeded_random.ts";

const CALL_MICROS_MAX = 200;
const SYNC_MICROS_MAX = 2_000;

export function simFiles(process: SimProcess, disk: SimDisk, random: SeededRandom): Files {
  const call = <T>(what: string, path: string, effect: () => T): Promise<T> =>
    process.local({ what, detail: path, microsMax: CALL_MICROS_MAX, effect });
  return {
    open: (path: string, mode: OpenMode) =>
      call(`open_${mode}`, path, () => new SimFileHandle({ path, mode, disk, process, random }, disk.open(path, mode))),
    stat: (path: string) =>
      call("stat", path, (): FileStat | null => {
        const stat = disk.stat(path);
        return stat === null ? null : { ...stat, modifiedMs: 0 };
      }),
    list: (folder: string) => call("list", folder, () => disk.list(folder)),
    makeFolder: (path: string) => call("make_folder", path, () => disk.makeFolder(path)),
    rename: (from: string, to: string) => call("rename", `${from} -> ${to}`, () => disk.rename(from, to)),
    remove: (path: string) => call("remove", path, () => disk.remove(path)),
    syncFolder: (path: string) =>
      process.local({ what: "sync_folder", detail: path, microsMax: SYNC_MICROS_MAX, effect: () => disk.syncFolder(path) }),
  };
}

interface Opened {
  readonly path: string;
  readonly mode: OpenMode;
  readonly disk: SimDisk;
  readonly process: SimProcess;
  readonly random: SeededRandom;
}

class SimFileHandle implements FileHandle {
  readonly #path: string;
  readonly #mode: OpenMode;
  readonly #disk: SimDisk;
  readonly #file: SimFile;
  readonly #process: SimProcess;
  readonly #random: SeededRandom;
  #written = 0;
  #isClosed = false;

  constructor({ path, mode, disk, process, random }: Opened, file: SimFile) {
    this.#path = path;
    this.#mode = mode;
    this.#disk = disk;
    this.#file = file;
    this.#process = process;
    this.#random = random;
  }

  read(into: Uint8Array, at: number): Promise<number> {
    return this.#call("read", CALL_MICROS_MAX, () => this.#file.read(into, at));
  }

  write(bytes: Uint8Array): Promise<void> {
    this.#assertOpen();
    if (this.#mode === "read") throw new Error(`${this.#path} was opened for reading`);
    // The caller may reuse its buffer only after the answer, but a dead caller's buffer must not change what is torn.
    const put = (length: number): void => {
      const at = this.#mode === "append" ? this.#file.size : this.#written;
      this.#file.write(length === bytes.length ? bytes : bytes.subarray(0, length), at);
      this.#written = at + length;
    };
    return this.#process.local({
      what: "write",
      detail: `${this.#path} ${bytes.length}`,
      microsMax: CALL_MICROS_MAX,
      effect: () => {
        if (this.#disk.isFull) put(this.#random.between(0, bytes.length - 1));
        this.#disk.requireRoom(this.#path);
        put(bytes.length);
      },
      torn: () => put(this.#random.between(0, bytes.length)),
    });
  }

  sync(): Promise<void> {
    return this.#call("sync", SYNC_MICROS_MAX, () => this.#file.sync());
  }

  size(): Promise<number> {
    return this.#call("size", CALL_MICROS_MAX, () => this.#file.size);
  }

  close(): void {
    this.#isClosed = true;
  }

  #call<T>(what: string, microsMax: number, effect: () => T): Promise<T> {
    this.#assertOpen();
    return this.#process.local({ what, detail: this.#path, microsMax, effect });
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new Error(`${this.#path} was used after it was closed`);
  }
}
