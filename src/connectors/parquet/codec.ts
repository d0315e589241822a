/** The compressions of pages. Invariant: the same bytes in give the same bytes out, as long as the program is the same. */
import { zstdCompressSync } from "node:zlib";
import { Buffer } from "node:buffer";

export type CompressionName = "zstd" | "snappy" | "none";
export interface Codec {
  /** In Parquet's list. */
  readonly number: number;
  compress(bytes: Uint8Array): Uint8Array;
}

/** Snappy is a library of its own, loaded when it is wanted. */
export async function codecOf(name: CompressionName): Promise<Codec> {
  switch (name) {
    case "zstd":
      return { number: 6, compress: (bytes) => zstdCompressSync(bytes) };
    case "snappy": {
      const { snappyCompress } = await import("@platformatic/wasm-utils");
      return { number: 1, compress: (bytes) => snappyCompress(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)) };
    }
    case "none":
      return { number: 0, compress: (bytes) => bytes };
  }
}
