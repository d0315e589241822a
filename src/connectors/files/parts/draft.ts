/**
 * A file on its way to be shown: what is still only in the journal, and what was written of it so far. Nothing here is durable
 * before `finish`; after a crash it is made again from the journal.
 */
import { createHash } from "node:crypto";
import type { FileHandle, Files } from "../../../ports/mod.ts";
import type { FileBuilder, RowFormat } from "./contracts.ts";
import type { Section } from "./journal_frames.ts";

export interface DraftOptions {
  readonly files: Files;
  readonly path: string;
  readonly format: RowFormat;
  /** Bytes of blocks that are handed to the file at once. */
  readonly groupBytes: number;
  read(section: Section): Promise<Uint8Array>;
}
export interface FinishedDraft {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export class Draft {
  readonly #pending: Section[] = [];
  #pendingBytes = 0;
  /** Bytes of blocks that went into the file. */
  #takenBytes = 0;
  #writtenBytes = 0;
  readonly #hash = createHash("sha256");
  readonly #file: FileBuilder;
  #handle: FileHandle | null = null;

  constructor(private readonly options: DraftOptions) {
    this.#file = options.format.file((bytes) => this.#write(bytes));
  }

  get path(): string {
    return this.options.path;
  }

  /** About the file's size with another block: what is not yet written is taken to shrink like what is. */
  expectedBytes(blockBytes: number): number {
    const ratio = this.#takenBytes === 0 ? 1 : this.#writtenBytes / this.#takenBytes;
    return this.#writtenBytes + ratio * (this.#pendingBytes + blockBytes);
  }

  async add(section: Section): Promise<void> {
    this.#pending.push(section);
    this.#pendingBytes += section.bytes;
    if (this.#pendingBytes >= this.options.groupBytes) await this.#writeGroup();
  }

  /** Writes the rest; durable when it returns. */
  async finish(): Promise<FinishedDraft> {
    if (this.#pending.length > 0) await this.#writeGroup();
    await this.#file.finish();
    await this.#handle?.sync();
    this.close();
    return { bytes: this.#writtenBytes, sha256: this.#hash.digest("hex") };
  }

  close(): void {
    this.#handle?.close();
    this.#handle = null;
  }

  async #writeGroup(): Promise<void> {
    const blocks: Uint8Array[] = [];
    for (const section of this.#pending) blocks.push(await this.options.read(section));
    await this.#file.append(blocks);
    this.#takenBytes += this.#pendingBytes;
    this.#pending.length = 0;
    this.#pendingBytes = 0;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    this.#handle ??= await this.options.files.open(this.options.path, "write");
    await this.#handle.write(bytes);
    this.#hash.update(bytes);
    this.#writtenBytes += bytes.length;
  }
}
