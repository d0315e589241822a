/**
 * The durable side of the simulated checkpoint store. Invariant: a commit happens wholly or not at all, under a versionstamp greater
 * than all before; Deno KV's limits hold (ext/kv/config.rs, each of them met in practice).
 */
import type { KvCommit, KvEntry, KvKey } from "../ports/mod.ts";

export const KV_KEY_BYTES_MAX = 2_048;
export const KV_VALUE_BYTES_MAX = 65_536;
export const KV_COMMIT_BYTES_MAX = 819_200;
export const KV_COMMIT_KEY_BYTES_MAX = 81_920;
export const KV_MUTATIONS_MAX = 1_000;
export const KV_CHECKS_MAX = 100;

export type KvCommitted = { readonly ok: true; readonly versionstamp: string } | { readonly ok: false };

interface Stored {
  readonly key: KvKey;
  readonly value: Uint8Array;
  readonly versionstamp: string;
}

export class SimKvStore {
  readonly #entries = new Map<string, Stored>();
  #version = 0;
  /** In order; null where keys have come or gone since. */
  #sortedKeys: readonly string[] | null = null;

  get(key: KvKey): KvEntry | null {
    const stored = this.#entries.get(encodeKey(key));
    return stored === undefined ? null : copyOf(stored);
  }

  /** Up to `entriesMax` entries under the prefix behind the key `after`, in key order. */
  list(prefix: KvKey, after: KvKey | null, entriesMax: number): KvEntry[] {
    const start = encodeKey(prefix);
    const behind = after === null ? start : encodeKey(after);
    const keys = this.#sortedKeys ??= [...this.#entries.keys()].sort();
    const found: KvEntry[] = [];
    for (const key of keys) {
      if (found.length >= entriesMax) break;
      if (key > behind && key.startsWith(start)) found.push(copyOf(this.#entries.get(key)!));
    }
    return found;
  }

  /** Throws TypeError, with nothing changed, where a limit is passed. */
  commit(operation: KvCommit): KvCommitted {
    checkLimits(operation);
    const isCurrent = operation.checks.every(({ key, versionstamp }) =>
      (this.#entries.get(encodeKey(key))?.versionstamp ?? null) === versionstamp
    );
    if (!isCurrent) return { ok: false };
    const versionstamp = (++this.#version).toString(16).padStart(20, "0");
    const before = this.#entries.size;
    for (const { key, value } of operation.sets) this.#entries.set(encodeKey(key), { key, value: value.slice(), versionstamp });
    if (this.#entries.size !== before || operation.deletes.length > 0) this.#sortedKeys = null;
    for (const key of operation.deletes) this.#entries.delete(encodeKey(key));
    return { ok: true, versionstamp };
  }

  /** Everything, in key order, for oracles. */
  snapshot(): KvEntry[] {
    return this.list([], null, Infinity);
  }
}

function checkLimits(operation: KvCommit): void {
  const { checks, sets, deletes } = operation;
  if (checks.length > KV_CHECKS_MAX) throw new TypeError(`too many checks (max ${KV_CHECKS_MAX})`);
  if (sets.length + deletes.length > KV_MUTATIONS_MAX) throw new TypeError(`too many mutations (max ${KV_MUTATIONS_MAX})`);
  let keyBytes = 0;
  let valueBytes = 0;
  for (const key of [...checks.map((check) => check.key), ...sets.map((set) => set.key), ...deletes]) {
    const length = encodeKey(key).length;
    if (length > KV_KEY_BYTES_MAX) throw new TypeError(`key too large for write (max ${KV_KEY_BYTES_MAX} bytes)`);
    keyBytes += length;
  }
  for (const { value } of sets) {
    if (value.length > KV_VALUE_BYTES_MAX) throw new TypeError(`value too large (max ${KV_VALUE_BYTES_MAX} bytes)`);
    valueBytes += value.length;
  }
  if (keyBytes > KV_COMMIT_KEY_BYTES_MAX) throw new TypeError(`total key size too large (max ${KV_COMMIT_KEY_BYTES_MAX} bytes)`);
  if (keyBytes + valueBytes > KV_COMMIT_BYTES_MAX) throw new TypeError(`total mutation size too large (max ${KV_COMMIT_BYTES_MAX} bytes)`);
}

function copyOf(stored: Stored): KvEntry {
  return { key: [...stored.key], value: stored.value.slice(), versionstamp: stored.versionstamp };
}

const utf8 = new TextEncoder();
const ZERO = String.fromCharCode(0);

/** One character per byte, ordered as Deno KV orders keys: strings before numbers, numbers ascending. */
function encodeKey(key: KvKey): string {
  let encoded = "";
  for (const part of key) encoded += typeof part === "string" ? encodeText(part) : encodeNumber(part);
  return encoded;
}

/** A zero byte ends the part, so one inside is escaped. */
function encodeText(part: string): string {
  let encoded = "\x02";
  for (const byte of utf8.encode(part)) encoded += byte === 0 ? ZERO + "\xff" : String.fromCharCode(byte);
  return encoded + ZERO;
}

/** Epochs, lanes and parts: nearly all numbers in keys. */
const SMALL_NUMBERS: string[] = [];
const SMALL_NUMBERS_MAX = 1_024;

/** The IEEE 754 bits, turned so that their order as bytes is the order of the numbers. */
function encodeNumber(part: number): string {
  if (part < 0 || part >= SMALL_NUMBERS_MAX || !Number.isInteger(part)) return encodeBits(part);
  return SMALL_NUMBERS[part] ??= encodeBits(part);
}

function encodeBits(part: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, part);
  const isNegative = (view.getUint8(0) & 0x80) !== 0;
  let encoded = "\x21";
  for (let index = 0; index < 8; index++) {
    const byte = view.getUint8(index);
    encoded += String.fromCharCode(isNegative ? 255 - byte : index === 0 ? byte | 0x80 : byte);
  }
  return encoded;
}
