/**
 * A world in memory for the connectors' tests: files as a kernel keeps them when a process is killed (everything written stays,
 * nothing else happens), locks that die with their process, a clock that jumps when someone sleeps.
 */
import type { Console, FileHandle, Files, Lock, Locks, World } from "../../../src/ports/mod.ts";

/** What survives a killed process. */
export class Machine {
  readonly files = new Map<string, Uint8Array>();
  readonly folders = new Set<string>();
  readonly locked = new Set<string>();

  text(path: string): string | null {
    const bytes = this.files.get(path);
    return bytes ? new TextDecoder().decode(bytes) : null;
  }
  put(path: string, text: string): void {
    this.files.set(path, new TextEncoder().encode(text));
  }
  paths(prefix: string): string[] {
    return [...this.files.keys()].filter((path) => path.startsWith(prefix)).sort();
  }
}

/** Thrown by every call of a process that was killed. */
export class Killed extends Error {}

/** One process on the machine. After `kill`, none of its calls has an effect any more. */
export class Process {
  #dead = false;
  #steps = 0;
  readonly #held = new Set<string>();
  #nowMs = 0;
  printed = "";
  /** `killAt`: the process dies at its killAt-th change of a file, before it (whole numbers) or after half of it (.5). */
  constructor(readonly machine: Machine, private readonly killAt = Infinity) {}

  /** Changes of files so far. */
  get steps(): number {
    return this.#steps;
  }

  kill(): void {
    this.#dead = true;
    for (const path of this.#held) this.machine.locked.delete(path);
  }

  /** The kernel believes the process dead, but it goes on: what a lock should make impossible. */
  loseLocks(): void {
    for (const path of this.#held) this.machine.locked.delete(path);
    this.#held.clear();
  }

  world(): World {
    const console: Console = { write: (text) => void (this.printed += text) };
    return {
      clock: {
        nowMicros: () => this.#nowMs * 1000,
        monotonicMs: () => this.#nowMs,
        sleep: (ms) => {
          this.#nowMs += ms;
          return new Promise((resolve) => setTimeout(resolve, 0));
        },
      },
      random: { uint32: () => 4 },
      files: this.#files(),
      locks: this.#locks(),
      log: { event() {} },
      environment: { get: () => undefined },
      probe: { step() {} },
      console,
      openKv: () => Promise.reject(new Error("no checkpoint store here")),
    };
  }

  #alive(): void {
    if (this.#dead) throw new Killed();
  }
  /** A change of a file: perhaps the last thing this process does. */
  #change(action: (part: "whole" | "half") => void): void {
    this.#alive();
    this.#steps++;
    if (this.#steps === Math.floor(this.killAt)) {
      if (this.killAt % 1 !== 0) action("half");
      this.kill();
      throw new Killed();
    }
    action("whole");
  }

  #files(): Files {
    const { files, folders } = this.machine;
    const missing = (path: string) => Object.assign(new Error(`no such file: ${path}`), { code: "ENOENT" });
    const isFolder = (path: string) => folders.has(path) || [...files.keys(), ...folders].some((each) => each.startsWith(`${path}/`));
    return {
      open: async (path, mode) => {
        this.#alive();
        if (mode === "read" && !files.has(path)) throw missing(path);
        if (mode === "write") this.#change((part) => part === "whole" && files.set(path, new Uint8Array(0)));
        if (mode === "append" && !files.has(path)) this.#change((part) => part === "whole" && files.set(path, new Uint8Array(0)));
        return await Promise.resolve(this.#handle(path, mode === "append" ? files.get(path)!.length : 0));
      },
      stat: (path) => {
        this.#alive();
        const bytes = files.get(path);
        if (bytes) return Promise.resolve({ size: bytes.length, isFolder: false, modifiedMs: 0 });
        return Promise.resolve(isFolder(path) ? { size: 0, isFolder: true, modifiedMs: 0 } : null);
      },
      list: (folder) => {
        this.#alive();
        const inside = [...files.keys(), ...folders].filter((path) => path.startsWith(`${folder}/`));
        return Promise.resolve([...new Set(inside.map((path) => path.slice(folder.length + 1).split("/")[0]))].sort());
      },
      makeFolder: (path) => this.#run(() => folders.add(path)),
      rename: (from, to) =>
        this.#run(() => {
          const bytes = files.get(from);
          if (!bytes) throw missing(from);
          files.delete(from);
          files.set(to, bytes);
        }),
      remove: (path) =>
        this.#run(() => {
          for (const each of [...files.keys()]) if (each === path || each.startsWith(`${path}/`)) files.delete(each);
          for (const each of [...folders]) if (each === path || each.startsWith(`${path}/`)) folders.delete(each);
        }),
      syncFolder: () => this.#run(() => {}),
    };
  }

  /** Half of an indivisible change is all of it: the process dies right behind. */
  #run(action: (part: "whole" | "half") => void): Promise<void> {
    try {
      this.#change(action);
      return Promise.resolve();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #handle(path: string, from: number): FileHandle {
    const { files } = this.machine;
    // Like a kernel's: the handle stays with its bytes when the name goes to another file.
    let own = files.get(path)!;
    let at = from;
    return {
      read: (into, position) => {
        this.#alive();
        own = files.get(path) ?? own;
        const slice = own.subarray(position, position + into.length);
        into.set(slice);
        return Promise.resolve(slice.length);
      },
      write: (bytes) =>
        this.#run((part) => {
          const piece = part === "half" ? bytes.slice(0, bytes.length >> 1) : bytes;
          const grown = new Uint8Array(Math.max(own.length, at + piece.length));
          grown.set(own);
          grown.set(piece, at);
          if (files.get(path) === own) files.set(path, grown);
          own = grown;
          at += piece.length;
        }),
      sync: () => this.#run(() => {}),
      size: () => Promise.resolve((files.get(path) ?? own).length),
      close: () => {},
    };
  }

  #locks(): Locks {
    const { locked } = this.machine;
    return {
      acquire: (path): Promise<Lock | null> => {
        this.#alive();
        if (locked.has(path)) return Promise.resolve(null);
        locked.add(path);
        this.#held.add(path);
        return Promise.resolve({
          release: () => {
            if (this.#held.delete(path)) locked.delete(path);
          },
        });
      },
    };
  }
}
