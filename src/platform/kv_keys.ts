/**
 * Keys of the checkpoint store as bytes, whose order is the order of keys: FoundationDB's tuple layer, as far as our keys use it.
 *
 *   key    = part*
 *   part   = 02 utf-8 with 00 as 00 FF, 00      (a string)
 *          | 21 big-endian double               (a number; all bits inverted where negative, else the sign bit)
 */
import { assert } from "../data/fault.ts";
import type { KvKey } from "../ports/kv.ts";

const STRING = 0x02;
const DOUBLE = 0x21;
const ESCAPE = 0xff;
const SIGN = 0x80;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function encodeKey(key: KvKey): Uint8Array {
  const bytes: number[] = [];
  for (const part of key) {
    if (typeof part === "string") {
      bytes.push(STRING);
      for (const byte of encoder.encode(part)) {
        bytes.push(byte);
        if (byte === 0) bytes.push(ESCAPE);
      }
      bytes.push(0);
    } else bytes.push(DOUBLE, ...ordered(doubleBytes(part)));
  }
  return Uint8Array.from(bytes);
}

/** The first and the end (exclusive) of all keys that begin with `prefix` and go on. */
export function rangeOf(prefix: KvKey): { readonly start: Uint8Array; readonly end: Uint8Array } {
  const bytes = encodeKey(prefix);
  return { start: Uint8Array.from([...bytes, 0]), end: Uint8Array.from([...bytes, 0xff]) };
}

/** The smallest key behind this one. */
export const behind = (key: Uint8Array): Uint8Array => Uint8Array.from([...key, 0]);

/** Throws where the bytes are no key of ours. */
export function decodeKey(bytes: Uint8Array): KvKey {
  const key: (string | number)[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at++];
    if (tag === DOUBLE) {
      assert(at + 8 <= bytes.length, "a number in a key has eight bytes");
      key.push(new DataView(Uint8Array.from(unordered(bytes.slice(at, at + 8))).buffer).getFloat64(0));
      at += 8;
      continue;
    }
    assert(tag === STRING, `a key has strings and numbers, not the tag ${tag}`);
    const text: number[] = [];
    for (;; at++) {
      assert(at < bytes.length, "a string in a key has an end");
      if (bytes[at] !== 0) text.push(bytes[at]);
      else if (bytes[at + 1] === ESCAPE) text.push(bytes[at++]);
      else break;
    }
    key.push(decoder.decode(Uint8Array.from(text)));
    at++;
  }
  return key;
}

function doubleBytes(value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return new Uint8Array(view.buffer);
}

const ordered = (bytes: Uint8Array): Uint8Array => (bytes[0] & SIGN) === 0 ? flippedSign(bytes) : inverted(bytes);
const unordered = (bytes: Uint8Array): Uint8Array => (bytes[0] & SIGN) === 0 ? inverted(bytes) : flippedSign(bytes);
const inverted = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => ~byte);
const flippedSign = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => i === 0 ? byte ^ SIGN : byte);
