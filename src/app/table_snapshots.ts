/**
 * Where the snapshots of reference tables lie: beside the local checkpoint, or in the shared store with it. Invariant: a snapshot in
 * a shared store lies under its own digest, so replicas that take one at the same time never mix theirs.
 */
import { folderOf, makeDurableFolder, readWhole, writeWhole } from "../ports/durable.ts";
import type { Files, Kv, KvKey } from "../ports/mod.ts";

export interface SnapshotName {
  readonly run: string;
  readonly table: string;
  /** SHA-256 of its bytes. */
  readonly digest: string;
}
export interface Snapshots {
  /** Durable when it returns. Done again it changes nothing. */
  keep(name: SnapshotName, bytes: Uint8Array): Promise<void>;
  /** null where there is none. */
  read(name: SnapshotName): Promise<Uint8Array | null>;
  /** All of a run. */
  remove(run: string): Promise<void>;
  /** For people. */
  place(name: SnapshotName): string;
}

export function snapshotFiles(stateFolder: string, files: Files): Snapshots {
  const path = ({ run, table }: SnapshotName): string => `${stateFolder}/tables/${run}/${table}.columns`;
  return {
    keep: (name, bytes) => keepFile(path(name), bytes, files),
    read: (name) => readWhole(files, path(name)),
    remove: (run) => files.remove(`${stateFolder}/tables/${run}`),
    place: path,
  };
}

/** A file that appears whole, in a folder that is made durably. */
export async function keepFile(path: string, bytes: Uint8Array, files: Files): Promise<void> {
  const folder = folderOf(path);
  await makeDurableFolder(files, folder);
  await writeWhole(files, { folder, name: path.slice(folder.length + 1), owner: "run" }, (handle) => handle.write(bytes));
}

/** Of one KV value; the store's own bound is 65,536 bytes. */
const PART_BYTES = 60_000;
/** Parts of one atomic operation, whose bound is 819,200 bytes. */
const PARTS_PER_COMMIT = 12;
/** Keys removed by one atomic operation. */
const REMOVALS_PER_COMMIT = 500;

export function snapshotKeys(kv: Kv): Snapshots {
  const prefix = ({ run, table, digest }: SnapshotName): KvKey => ["table", run, table, digest];
  return {
    async keep(name, bytes) {
      const parts: { key: KvKey; value: Uint8Array }[] = [];
      for (let at = 0; at < bytes.length; at += PART_BYTES) {
        parts.push({ key: [...prefix(name), parts.length], value: bytes.slice(at, at + PART_BYTES) });
      }
      for (let at = 0; at < parts.length; at += PARTS_PER_COMMIT) {
        await kv.commit({ checks: [], sets: parts.slice(at, at + PARTS_PER_COMMIT), deletes: [] });
      }
    },
    async read(name) {
      const parts: Uint8Array[] = [];
      for await (const { value } of kv.list(prefix(name))) parts.push(value);
      const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of parts) {
        bytes.set(part, at);
        at += part.length;
      }
      return bytes;
    },
    async remove(run) {
      const keys: KvKey[] = [];
      for await (const { key } of kv.list(["table", run])) keys.push(key);
      for (let at = 0; at < keys.length; at += REMOVALS_PER_COMMIT) {
        await kv.commit({ checks: [], sets: [], deletes: keys.slice(at, at + REMOVALS_PER_COMMIT) });
      }
    },
    place: ({ table }) => `table "${table}" in the checkpoint store`,
  };
}
