/**
 * Checksums and compression of record batches as this program has them, loaded once: @node-rs/crc32 where the runtime loads addons, and
 * @platformatic/wasm-utils for snappy, lz4 and, in a compiled binary, the checksum.
 */
import { Compression, type CompressionName, type Compressor } from "./compression.ts";
import type { BatchTools } from "./record_batches.ts";

interface Libraries {
  readonly checksum: (bytes: Uint8Array) => number;
  readonly utilities: typeof import("@platformatic/wasm-utils");
}
/** Loaded when the first cluster wants them, for all of the process: code takes time that belongs to no connection. */
let libraries: Promise<Libraries> | null = null;

/** What reading and writing batches needs. */
export class Codecs implements BatchTools {
  private constructor(private readonly checksum: (bytes: Uint8Array) => number, private readonly compression: Compression) {}

  /** `bytesMax` bounds what one batch may become; default: DECOMPRESSED_BYTES_MAX. */
  static async load(bytesMax?: number): Promise<Codecs> {
    const { checksum, utilities } = await (libraries ??= load());
    return new Codecs(checksum, new Compression(utilities, bytesMax));
  }

  crc32c(bytes: Uint8Array): number {
    return this.checksum(bytes) >>> 0;
  }

  decompress(codec: number, bytes: Uint8Array): Uint8Array {
    return this.compression.decompress(codec, bytes);
  }

  compressor(name: CompressionName): Compressor {
    return this.compression.compressor(name);
  }
}

async function load(): Promise<Libraries> {
  try {
    const utilities = await import("@platformatic/wasm-utils");
    return { checksum: await nativeChecksum() ?? utilities.crc32c, utilities };
  } catch (error) {
    libraries = null;
    throw error;
  }
}

/**
 * The processor's own CRC-32C where the package has an addon for it and the runtime loads it: 0.04 ns a byte, where WebAssembly takes
 * 0.6. null where it does not load, as in a compiled binary.
 */
async function nativeChecksum(): Promise<((bytes: Uint8Array) => number) | null> {
  try {
    return (await import("@node-rs/crc32")).crc32c;
  } catch {
    return null;
  }
}
