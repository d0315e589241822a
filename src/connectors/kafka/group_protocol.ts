/**
 * What members of a consumer group tell one another through its coordinator, in the format of Kafka's own consumers, so that their
 * tools show who reads what:
 *
 *   Subscription  version i16 (2) | topics [string] | user data bytes | owned [topic string, [partition i32]] | generation i32
 *   Assignment    version i16 (0) | assigned [topic string, [partition i32]] | user data bytes
 *   string        length i16, utf-8        bytes  length i32 (-1: none)        [x]  count i32, x*
 */
import { MillraceError } from "../../data/fault.ts";

const SUBSCRIPTION_VERSION = 2;
const ASSIGNMENT_VERSION = 0;
const NO_BYTES = -1;

export interface Subscription {
  /** Partitions that the member has not let go of, as of the generation in which it got them. */
  readonly owned: readonly number[];
  readonly generation: number;
}

export function encodeSubscription(topic: string, { owned, generation }: Subscription): Uint8Array {
  const writer = new Bytes();
  writer.i16(SUBSCRIPTION_VERSION);
  writer.i32(1);
  writer.string(topic);
  writer.i32(NO_BYTES);
  writer.partitions(topic, owned);
  writer.i32(generation);
  return writer.written();
}

/** What a member says of one topic. One that says nothing of owned partitions owns none. */
export function decodeSubscription(bytes: Uint8Array, topic: string): Subscription {
  const reader = new Reader(bytes);
  const version = reader.i16();
  for (let left = reader.i32(); left > 0; left--) reader.string();
  reader.skipBytes();
  const owned = version >= 1 ? reader.partitions(topic) : [];
  return { owned, generation: version >= SUBSCRIPTION_VERSION ? reader.i32() : -1 };
}

export function encodeAssignment(topic: string, partitions: readonly number[]): Uint8Array {
  const writer = new Bytes();
  writer.i16(ASSIGNMENT_VERSION);
  writer.partitions(topic, partitions);
  writer.i32(NO_BYTES);
  return writer.written();
}

/** Partitions of one topic; none where a member was given nothing. */
export function decodeAssignment(bytes: Uint8Array, topic: string): readonly number[] {
  if (bytes.length === 0) return [];
  const reader = new Reader(bytes);
  reader.i16();
  return reader.partitions(topic);
}

class Bytes {
  readonly #parts: number[] = [];

  i16(value: number): void {
    this.#parts.push((value >> 8) & 0xff, value & 0xff);
  }

  i32(value: number): void {
    this.i16(value >> 16);
    this.i16(value);
  }

  string(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.i16(bytes.length);
    this.#parts.push(...bytes);
  }

  partitions(topic: string, partitions: readonly number[]): void {
    this.i32(partitions.length === 0 ? 0 : 1);
    if (partitions.length === 0) return;
    this.string(topic);
    this.i32(partitions.length);
    for (const partition of partitions) this.i32(partition);
  }

  written(): Uint8Array {
    return Uint8Array.from(this.#parts);
  }
}

class Reader {
  #at = 0;
  readonly #view: DataView;
  constructor(private readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  i16(): number {
    return this.#view.getInt16(this.#take(2));
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  string(): string {
    const length = this.i16();
    const at = this.#take(length);
    return new TextDecoder().decode(this.bytes.subarray(at, at + length));
  }

  skipBytes(): void {
    const length = this.i32();
    if (length > 0) this.#take(length);
  }

  /** Of `topic`; those of others are passed over. */
  partitions(topic: string): readonly number[] {
    const found: number[] = [];
    for (let left = this.i32(); left > 0; left--) {
      const isAsked = this.string() === topic;
      for (let count = this.i32(); count > 0; count--) {
        const partition = this.i32();
        if (isAsked) found.push(partition);
      }
    }
    return found;
  }

  #take(length: number): number {
    const at = this.#at;
    if (length < 0 || at + length > this.bytes.length) {
      throw new MillraceError("group_shared", "a member of the consumer group says what is none of its protocol", {
        hint: "the group has members that are not millrace's: give the source another group",
      });
    }
    this.#at += length;
    return at;
  }
}
