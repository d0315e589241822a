/**
 * The commit log: an entry makes an epoch visible in all partitions at once. One file per writing session; a session's first
 * line says how much of the session before counts, so what a superseded writer still appends is never read.
 *
 *   file  := head entry*
 *   head  := line of JSON { "previous": bytes of the session before that count }
 *   entry := line of JSON { ... } as Commit or Seal
 *   line  := 8 hexadecimal digits (CRC-32 of the JSON)  SP  JSON  LF
 *
 * A torn last line is ignored: its epoch was never committed.
 */
import { crc32 } from "node:zlib";
import { MillraceError } from "../../data/fault.ts";
import type { FileHandle, Files } from "../../ports/mod.ts";
import { readAt, writeWhole } from "../../ports/durable.ts";

/** Records of one partition in one epoch: bytes [byte, endByte) of the session's segment. */
export interface Span {
  readonly partition: number;
  readonly byte: number;
  readonly endByte: number;
  readonly offset: number;
  readonly endOffset: number;
}
export interface Commit {
  readonly kind: "commit";
  /** "pipeline#run" */
  readonly writer: string;
  readonly lane: number;
  readonly epoch: number;
  readonly owner: number;
  readonly digest: string;
  readonly spans: readonly Span[];
}
/** The producer has finished: nothing will follow. */
export interface Seal {
  readonly kind: "seal";
  readonly writer: string;
}
export type Entry = Commit | Seal;
export interface PlacedEntry {
  readonly session: number;
  readonly entry: Entry;
}

const READ_BYTES = 64 << 10;
const fileName = (session: number): string => `commits-${String(session).padStart(6, "0")}.log`;

function encodeLine(value: unknown): Uint8Array {
  const json = JSON.stringify(value);
  const text = new TextEncoder().encode(json);
  return new TextEncoder().encode(`${crc32(text).toString(16).padStart(8, "0")} ${json}\n`);
}

/** Follows the commit log of one generation, entry by entry, over all sessions. */
export class CommitFollower {
  /** The session being read, from 1; 0 before there is one. */
  session = 0;
  /** Bytes of that session that hold whole, valid lines. */
  byte = 0;
  #handle: FileHandle | null = null;
  constructor(private readonly files: Files, private readonly folder: string) {}

  /** What is new since the last call. */
  async read(): Promise<PlacedEntry[]> {
    const entries: PlacedEntry[] = [];
    for (;;) {
      // Asked before reading: once the next session's file is seen, its head bounds what counts here.
      const limit = await this.#previousOf(this.session + 1);
      if (this.session > 0) await this.#readSession(limit ?? Infinity, entries);
      if (limit === null) return entries;
      if (this.session > 0 && this.byte !== limit) throw damagedLog(this.folder);
      await this.#open(this.session + 1);
    }
  }

  close(): void {
    this.#handle?.close();
    this.#handle = null;
  }

  async #open(session: number): Promise<void> {
    this.close();
    this.#handle = await this.files.open(`${this.folder}/${fileName(session)}`, "read");
    this.session = session;
    this.byte = 0;
  }

  async #readSession(limit: number, entries: PlacedEntry[]): Promise<void> {
    const from = this.byte;
    await this.#readLines(limit, entries);
    // A reader may see an entry before its writer has synced it, and must not act on what a power cut could undo.
    if (this.byte > from) await this.#handle!.sync();
  }

  async #readLines(limit: number, entries: PlacedEntry[]): Promise<void> {
    let carried = new Uint8Array(0);
    while (this.byte + carried.length < limit) {
      const at = this.byte + carried.length;
      const more = await readAt(this.#handle!, at, Math.min(READ_BYTES, limit - at));
      if (more.length === 0) return;
      const bytes = new Uint8Array(carried.length + more.length);
      bytes.set(carried);
      bytes.set(more, carried.length);
      const used = this.#take(bytes, entries);
      if (used === null) return;
      carried = bytes.slice(used);
    }
  }

  /** Takes whole lines; returns the bytes used, or null at a line that does not hold what its checksum says. */
  #take(bytes: Uint8Array, entries: PlacedEntry[]): number | null {
    let at = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, at)) {
      const value = decodeLine(bytes.subarray(at, end));
      if (value === null) return null;
      if (this.byte > 0) entries.push({ session: this.session, entry: value as Entry });
      this.byte += end + 1 - at;
      at = end + 1;
    }
    return at;
  }

  /** How much of the session before counts, as the head of `session` says; null when there is no such session. */
  async #previousOf(session: number): Promise<number | null> {
    const path = `${this.folder}/${fileName(session)}`;
    if (!(await this.files.stat(path))) return null;
    const handle = await this.files.open(path, "read");
    try {
      const bytes = await readAt(handle, 0, 64);
      const head = decodeLine(bytes.subarray(0, Math.max(0, bytes.indexOf(10)))) as { previous: number } | null;
      if (head === null) throw damagedLog(this.folder);
      return head.previous;
    } finally {
      handle.close();
    }
  }
}

/** Appends to the session it began. Whoever makes one holds the writer lock. */
export class CommitWriter {
  private constructor(private readonly handle: FileHandle, readonly session: number) {}

  /** Begins the session after `follower`'s, which has read everything. */
  static async begin(files: Files, folder: string, follower: CommitFollower, owner: string): Promise<CommitWriter> {
    const session = follower.session + 1;
    const head = encodeLine({ previous: follower.byte });
    await writeWhole(files, { folder, name: fileName(session), owner }, (handle) => handle.write(head));
    return new CommitWriter(await files.open(`${folder}/${fileName(session)}`, "append"), session);
  }

  /** Durable when it returns. */
  async append(entry: Entry): Promise<void> {
    await this.handle.write(encodeLine(entry));
    await this.handle.sync();
  }

  close(): void {
    this.handle.close();
  }
}

function decodeLine(line: Uint8Array): unknown {
  if (line.length < 10) return null;
  const text = line.subarray(9);
  const checksum = Number.parseInt(new TextDecoder().decode(line.subarray(0, 8)), 16);
  return crc32(text) === checksum ? JSON.parse(new TextDecoder().decode(text)) : null;
}

function damagedLog(folder: string): MillraceError {
  return new MillraceError("log_damaged", `the commit log in ${folder} is damaged`, {
    hint: "the topic's files were changed or the disk is failing; make the topic again by a --rerun of its producer",
  });
}
