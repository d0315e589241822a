/** A checkpoint store in memory with the real one's limits, whose commits can be made to fail. */
import type { Kv, KvCommit, KvEntry, KvKey } from "../../../src/ports/mod.ts";

export type CommitFault = "lost before" | "lost after" | null;

export class MemoryKv implements Kv {
  readonly entries = new Map<string, { key: KvKey; value: Uint8Array; version: number }>();
  commits = 0;
  bytesWritten = 0;
  #version = 0;
  /** Asked before every commit, counted from 1. */
  fault: (commit: number) => CommitFault = () => null;

  get(key: KvKey): Promise<KvEntry | null> {
    const entry = this.entries.get(JSON.stringify(key));
    return Promise.resolve(entry ? toEntry(entry) : null);
  }

  async *list(prefix: KvKey): AsyncIterable<KvEntry> {
    const found = [...this.entries.values()].filter(({ key }) => key.length > prefix.length && prefix.every((part, i) => key[i] === part));
    found.sort((a, b) => compareKeys(a.key, b.key));
    for (const entry of found) {
      await Promise.resolve();
      yield toEntry(entry);
    }
  }

  commit(operation: KvCommit): ReturnType<Kv["commit"]> {
    const fault = this.fault(++this.commits);
    if (fault === "lost before") return Promise.reject(new Error("connection lost"));
    requireWithinLimits(operation);
    for (const { key, versionstamp } of operation.checks) {
      const entry = this.entries.get(JSON.stringify(key));
      if ((entry ? stamp(entry.version) : null) !== versionstamp) return Promise.resolve({ ok: false });
    }
    const version = ++this.#version;
    for (const { key, value } of operation.sets) {
      this.entries.set(JSON.stringify(key), { key, value: value.slice(), version });
      this.bytesWritten += value.length;
    }
    for (const key of operation.deletes) this.entries.delete(JSON.stringify(key));
    if (fault === "lost after") return Promise.reject(new Error("connection lost"));
    return Promise.resolve({ ok: true, versionstamp: stamp(version) });
  }

  close(): void {}
}

const stamp = (version: number): string => String(version).padStart(20, "0");
const toEntry = ({ key, value, version }: { key: KvKey; value: Uint8Array; version: number }): KvEntry => ({
  key,
  value: value.slice(),
  versionstamp: stamp(version),
});

function compareKeys(a: KvKey, b: KvKey): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [x, y] = [a[i], b[i]];
    if (x === y) continue;
    if (typeof x !== typeof y) return typeof x === "string" ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return a.length - b.length;
}

function requireWithinLimits({ checks, sets, deletes }: KvCommit): void {
  const keyBytes = [...sets.map(({ key }) => key), ...deletes, ...checks.map(({ key }) => key)].reduce(
    (sum, key) => sum + JSON.stringify(key).length,
    0,
  );
  const valueBytes = sets.reduce((sum, { value }) => sum + value.length, 0);
  if (sets.some(({ value }) => value.length > 65_536)) throw new Error("value over 65,536 bytes");
  if (keyBytes > 81_920) throw new Error("keys over 81,920 bytes");
  if (keyBytes + valueBytes > 819_200) throw new Error("commit over 819,200 bytes");
  if (sets.length + deletes.length > 1000) throw new Error("more than 1,000 mutations");
  if (checks.length > 100) throw new Error("more than 100 checks");
}
