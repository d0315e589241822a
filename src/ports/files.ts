/** Files, as far as exactly-once needs them: nothing is durable before `sync` of the file and `syncFolder` of its folder. */
export type OpenMode =
  /** Must exist. */
  | "read"
  /** Created, or emptied when it exists. */
  | "write"
  /** Created when missing; writes go to the end. */
  | "append";

export interface FileHandle {
  /** Reads up to `into.length` bytes at byte `at`; returns how many, 0 at the end. Does not move anything. */
  read(into: Uint8Array, at: number): Promise<number>;
  /** Writes all of `bytes` at the end of what this handle wrote (or of the file, for "append"). */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes written bytes durable. */
  sync(): Promise<void>;
  size(): Promise<number>;
  close(): void;
}

export interface FileStat {
  readonly size: number;
  readonly isFolder: boolean;
  /** Milliseconds since 1970; 0 where unknown. */
  readonly modifiedMs: number;
}

export interface Files {
  /** Throws an error with `code` "ENOENT" when a file to be read is missing. */
  open(path: string, mode: OpenMode): Promise<FileHandle>;
  stat(path: string): Promise<FileStat | null>;
  /** Names (not paths) in a folder, sorted; empty when the folder is missing. */
  list(folder: string): Promise<string[]>;
  /** With parents; no error when it exists. */
  makeFolder(path: string): Promise<void>;
  /** Atomic; replaces `to`. */
  rename(from: string, to: string): Promise<void>;
  /** No error when missing; folders with all they hold. */
  remove(path: string): Promise<void>;
  /** Makes renames, creations and removals in the folder durable. */
  syncFolder(path: string): Promise<void>;
}
