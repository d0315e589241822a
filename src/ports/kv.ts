/** The checkpoint store: Deno KV, narrowed to what the commit protocol may use (no `sum`: it breaks atomicity). */
export type KvKey = readonly (string | number)[];

export interface KvEntry {
  readonly key: KvKey;
  /** At most 65,536 bytes. Always our own encoding, never a structured clone. */
  readonly value: Uint8Array;
  readonly versionstamp: string;
}

/** One atomic operation: at most 819,200 bytes in all, 81,920 bytes of keys, 1,000 mutations, 10 checks. */
export interface KvCommit {
  /** `null`: the key must not exist. */
  readonly checks: readonly { readonly key: KvKey; readonly versionstamp: string | null }[];
  readonly sets: readonly { readonly key: KvKey; readonly value: Uint8Array }[];
  readonly deletes: readonly KvKey[];
}

export interface Kv {
  get(key: KvKey): Promise<KvEntry | null>;
  /** Entries whose key starts with `prefix`, in key order (strings before numbers, numbers ascending). */
  list(prefix: KvKey): AsyncIterable<KvEntry>;
  /** `ok: false` when a check failed. Throws when the outcome is unknown. */
  commit(operation: KvCommit): Promise<{ readonly ok: true; readonly versionstamp: string } | { readonly ok: false }>;
  close(): void;
}

/** A checkpoint store that several processes reach. */
export interface SharedStore {
  /** Where its server answers, without user information. */
  readonly url: string;
  readonly token: string;
}
