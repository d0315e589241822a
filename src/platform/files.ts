/**
 * Files on Deno. Invariant: a call that has returned has reached the kernel; only `sync` and `syncFolder` make it survive a
 * power cut. Reads and writes run synchronously: on local files a thread hop costs more than the system call.
 */
import { MillraceError } from "../data/fault.ts";
import type { FileHandle, Files, OpenMode } from "../ports/files.ts";

const OPEN_OPTIONS: Readonly<Record<OpenMode, Deno.OpenOptions>> = {
  read: { read: true },
  write: { read: true, write: true, create: true, truncate: true },
  append: { read: true, append: true, create: true },
};

export const denoFiles: Files = {
  async open(path, mode) {
    return fileHandle(await Deno.open(path, OPEN_OPTIONS[mode]), mode);
  },
  async stat(path) {
    try {
      const stat = await Deno.stat(path);
      return { size: stat.size, isFolder: stat.isDirectory, modifiedMs: stat.mtime?.getTime() ?? 0 };
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  },
  async list(folder) {
    try {
      const names: string[] = [];
      for await (const entry of Deno.readDir(folder)) names.push(entry.name);
      return names.sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  },
  async makeFolder(path) {
    await Deno.mkdir(path, { recursive: true });
  },
  async rename(from, to) {
    await requireReplaceable(to);
    await Deno.rename(from, to);
  },
  async remove(path) {
    try {
      await requireReplaceable(path);
      await Deno.remove(path, { recursive: true });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  },
  async syncFolder(path) {
    if (Deno.build.os === "windows") return; // A folder cannot be opened there; NTFS journals its names.
    const folder = await Deno.open(path, { read: true });
    try {
      await folder.sync();
    } finally {
      folder.close();
    }
  },
};

/** A run that writes to /dev/null must not leave the machine without it: root may rename over a device. */
async function requireReplaceable(path: string): Promise<void> {
  const there = await Deno.lstat(path).catch((error) => {
    if (isMissing(error)) return null;
    throw error;
  });
  if (there === null || there.isFile || there.isDirectory || there.isSymlink) return;
  throw new MillraceError("not_a_file", `${path} is a device, a pipe or a socket; it is neither replaced nor removed`, {
    hint: "files appear under their name when they are whole; name a file that may be replaced",
  });
}

function fileHandle(file: Deno.FsFile, mode: OpenMode): FileHandle {
  let placed = mode === "append" ? -1 : 0;
  const seek = (at: number) => {
    if (placed !== at) file.seekSync(at, Deno.SeekMode.Start);
  };
  let written = 0;
  return {
    read(into, at) {
      return attempt(() => {
        seek(at);
        const count = file.readSync(into) ?? 0;
        placed = at + count;
        return count;
      });
    },
    write(bytes) {
      return attempt(() => {
        if (mode !== "append") seek(written);
        placed = -1; // Until all of it is written: a failed write leaves the cursor anywhere.
        for (let done = 0; done < bytes.length;) done += file.writeSync(done === 0 ? bytes : bytes.subarray(done));
        written += bytes.length;
        placed = mode === "append" ? -1 : written;
      });
    },
    // Windows flushes only through handles that may write; elsewhere a reader can make sure of what it has read.
    sync: () => mode === "read" && Deno.build.os === "windows" ? Promise.resolve() : file.sync(),
    size: async () => (await file.stat()).size,
    close: () => file.close(),
  };
}

/** A thrown error as a rejected promise, so that callers see one kind of failure. */
function attempt<T>(action: () => T): Promise<T> {
  try {
    return Promise.resolve(action());
  } catch (error) {
    return Promise.reject(error);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || (error instanceof Deno.errors.NotADirectory);
}
