/**
 * The bytes of one simulated file and what of them would survive a power failure. Invariant: `synced` bytes from the start are durable
 * as they are now, unless `before` is set, which is then the durable content.
 */
import type { SeededRandom } from "./seeded_random.ts";

export class SimFile {
  #bytes: Uint8Array;
  #size: number;
  #synced: number;
  /** The durable content from before a truncation or an overwriting that was not synced yet. */
  #before: Uint8Array | null = null;

  /** A durable file with that content; empty without one. */
  constructor(content: Uint8Array = new Uint8Array(0)) {
    this.#bytes = content;
    this.#size = content.length;
    this.#synced = content.length;
  }

  get size(): number {
    return this.#size;
  }
  get synced(): number {
    return this.#synced;
  }
  get before(): Uint8Array | null {
    return this.#before;
  }

  content(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }

  read(into: Uint8Array, at: number): number {
    const length = Math.max(0, Math.min(into.length, this.#size - at));
    if (length > 0) into.set(this.#bytes.subarray(at, at + length));
    return length;
  }

  write(bytes: Uint8Array, at: number): void {
    if (at < this.#synced) this.#keepBefore(at);
    const end = at + bytes.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#bytes.length, 256));
      grown.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = grown;
    }
    if (at > this.#size) this.#bytes.fill(0, this.#size, at);
    this.#bytes.set(bytes, at);
    this.#size = Math.max(this.#size, end);
  }

  truncate(): void {
    if (this.#size === 0) return;
    this.#keepBefore(0);
    this.#size = 0;
  }

  sync(): void {
    this.#synced = this.#size;
    this.#before = null;
  }

  #keepBefore(synced: number): void {
    if (this.#before === null) this.#before = this.#bytes.slice(0, this.#synced);
    this.#synced = Math.min(this.#synced, synced);
  }
}

/**
 * What a power failure leaves of a file: the durable content, all that was written, or something torn in between, cut at any byte
 * and with blocks of zeros where the length reached the disk before the data did.
 */
export function durableContent(file: SimFile, random: SeededRandom): Uint8Array {
  const isClean = file.before === null && file.synced === file.size;
  if (isClean) return file.content();
  const fate = random.below(4);
  if (fate === 0) return file.before ?? file.content().slice(0, file.synced);
  if (fate === 1) return file.content();
  const torn = file.content().slice(0, random.between(file.synced, file.size));
  if (fate === 3) torn.fill(0, random.between(file.synced, torn.length));
  return torn;
}
