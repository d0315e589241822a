/** What durable files take, in terms of the Files port alone: whole reads, folders and files that survive a power cut. */
import type { FileHandle, Files } from "./files.ts";

/** The folder of a path; "." for a bare name. */
export function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash) || "/";
}

/** Makes a folder with its parents, durably: every level that was missing is synced in the one above it. */
export async function makeDurableFolder(files: Files, path: string): Promise<void> {
  const parent = folderOf(path);
  if (!(await files.stat(path))) {
    if (parent !== path && parent !== ".") await makeDurableFolder(files, parent);
    await files.makeFolder(path);
  }
  // Also where it was there: who made it may have died before this.
  await files.syncFolder(parent);
}

/**
 * A file that appears whole or not at all: written under a name of its owner's, synced, renamed, the folder synced. Done again
 * with the same bytes it changes nothing.
 */
export async function writeWhole(
  files: Files,
  target: { readonly folder: string; readonly name: string; readonly owner: string },
  write: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const path = `${target.folder}/${target.name}`;
  const temporary = `${path}.${target.owner}.tmp`;
  const handle = await files.open(temporary, "write");
  try {
    await write(handle);
    await handle.sync();
  } catch (error) {
    await files.remove(temporary).catch(() => {}); // The first error is the one to tell.
    throw error;
  } finally {
    handle.close();
  }
  await files.rename(temporary, path);
  await files.syncFolder(target.folder);
}

/** Reads [at, at + length) whole; fewer bytes only where the file ends. */
export async function readAt(handle: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = await handle.read(filled === 0 ? bytes : bytes.subarray(filled), at + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled === length ? bytes : bytes.subarray(0, filled);
}

/** The whole file; null when it is missing. */
export async function readWhole(files: Files, path: string): Promise<Uint8Array | null> {
  if (!(await files.stat(path))) return null;
  const handle = await files.open(path, "read");
  try {
    return await readAt(handle, 0, await handle.size());
  } finally {
    handle.close();
  }
}
