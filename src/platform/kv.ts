/**
 * Deno KV as the checkpoint store. Facts this rests on, measured: one handle per file, else checked commits fail with
 * "database is locked"; such a failure wrote nothing and may be tried again after a few milliseconds.
 */
import type { Kv, KvCommit, KvEntry, KvKey } from "../ports/kv.ts";

/** A locked database was freed within 26 tries by 300 of 300 contending commits. */
const LOCKED_TRIES_MAX = 40;

/** Opens (or makes) the file at `path`; parent folders are made. */
export async function openDenoKv(path: string): Promise<Kv> {
  const slash = path.lastIndexOf("/");
  if (slash > 0) await Deno.mkdir(path.slice(0, slash), { recursive: true });
  // A bare name would be taken for a URL-like remote path on some versions.
  const kv = await Deno.openKv(path.includes("/") ? path : `./${path}`);
  return {
    async get(key) {
      const entry = await kv.get<Uint8Array>([...key]);
      return entry.versionstamp === null ? null : { key, value: bytesOf(key, entry.value), versionstamp: entry.versionstamp };
    },
    async *list(prefix): AsyncIterable<KvEntry> {
      for await (const entry of kv.list<Uint8Array>({ prefix: [...prefix] })) {
        const key = entry.key as KvKey;
        yield { key, value: bytesOf(key, entry.value), versionstamp: entry.versionstamp };
      }
    },
    commit: (operation) => retryWhileLocked(() => commitOnce(kv, operation)),
    close: () => kv.close(),
  };
}

async function commitOnce(kv: Deno.Kv, { checks, sets, deletes }: KvCommit) {
  const atomic = kv.atomic();
  for (const { key, versionstamp } of checks) atomic.check({ key: [...key], versionstamp });
  for (const { key, value } of sets) atomic.set([...key], value);
  for (const key of deletes) atomic.delete([...key]);
  const result = await atomic.commit();
  return result.ok ? { ok: true as const, versionstamp: result.versionstamp } : { ok: false as const };
}

async function retryWhileLocked<T>(action: () => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await action();
    } catch (error) {
      if (tries >= LOCKED_TRIES_MAX || !(error instanceof Error) || !error.message.includes("database is locked")) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 4));
    }
  }
}

function bytesOf(key: KvKey, value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new Error(`the checkpoint store holds a foreign value under ${JSON.stringify(key)}`);
}
