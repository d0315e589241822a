/**
 * What happened, for people (a ring of the newest lines) and for machines (a hash over everything). Invariant: two runs with
 * equal hashes made the same port calls at the same virtual times in the same order.
 */
interface TraceLine {
  readonly micros: number;
  readonly process: string;
  readonly what: string;
  readonly detail: string;
}

export class Trace {
  readonly #ring: TraceLine[] = [];
  readonly #linesMax: number;
  readonly #labelHashes = new Map<string, number>();
  #next = 0;
  #high = 0x811c9dc5 | 0;
  #low = 0x01000193 | 0;

  constructor(linesMax: number) {
    this.#linesMax = linesMax;
  }

  add(micros: number, process: string, what: string, detail: string): void {
    this.#mix(this.#hashOf(what));
    this.#mix(this.#hashOf(detail));
    this.#mix(micros | 0);
    if (this.#linesMax === 0) return;
    this.#ring[this.#next] = { micros, process, what, detail };
    this.#next = (this.#next + 1) % this.#linesMax;
  }

  /** 16 hexadecimal digits. */
  get hash(): string {
    return (this.#high >>> 0).toString(16).padStart(8, "0") + (this.#low >>> 0).toString(16).padStart(8, "0");
  }

  /** The newest lines, oldest first. */
  lines(): string[] {
    const full = this.#ring.length === this.#linesMax;
    const ordered = full ? [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)] : this.#ring;
    return ordered.map((line) =>
      `${(line.micros / 1000).toFixed(3).padStart(12)} ms  ${line.process.padEnd(6)} ${line.what.padEnd(16)} ${line.detail}`
    );
  }

  #mix(value: number): void {
    this.#high = Math.imul(this.#high ^ value, 0x01000193);
    this.#low = Math.imul(this.#low ^ (value >>> 7) ^ this.#high, 0x85ebca6b) + 0x27d4eb2f | 0;
  }

  #hashOf(text: string): number {
    const known = this.#labelHashes.get(text);
    if (known !== undefined) return known;
    let hash = 0x811c9dc5 | 0;
    for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
    this.#labelHashes.set(text, hash);
    return hash;
  }
}
