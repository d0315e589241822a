/**
 * Compression of record batches. Codecs: 1 gzip, 2 snappy (raw, or in the frames of its Java library), 3 lz4 (frames), 4 zstd.
 * Invariant: at most DECOMPRESSED_BYTES_MAX bytes come out; what would become longer is refused before it has taken more memory than
 * that. What is damaged throws or comes out short, and then the batch's count of records tells.
 *
 *   framed snappy := 82 'SNAPPY' 00  INT32 version  INT32 compatible  (INT32 length  raw snappy)*
 *   raw snappy    := little-endian base-128 length of the text  ...
 *   lz4 frame     := 04 22 4D 18  flags (bit 3: length of the text follows, bit 4: checksums of blocks, bit 0: dictionary)
 *                    block size (bits 4-6)  [UINT64 length]  [UINT32 dictionary]  header checksum  blocks  UINT32 0  [checksum]
 *   block         := UINT32 length (highest bit: not compressed)  bytes  [checksum]
 */
import zlib from "node:zlib";
import { Buffer } from "node:buffer";
import { DECOMPRESSED_BYTES_MAX } from "./limits.ts";
import { TextTooLong } from "./record_batches.ts";

/** What the sink's setting may say. */
export type CompressionName = "gzip" | "snappy" | "lz4" | "zstd";

/** The library's codecs in WebAssembly. */
export interface LibraryCodecs {
  readonly snappy: LibraryCodec;
  readonly lz4: LibraryCodec;
}
interface LibraryCodec {
  compressSync(bytes: Buffer): Uint8Array;
  decompressSync(bytes: Buffer): Uint8Array;
}

/** One way to compress batches. */
export interface Compressor {
  /** As a batch's attributes name it. */
  readonly codec: number;
  compress(bytes: Uint8Array): Uint8Array;
}

/** The default levels cost twelve (gzip) and one and a third times (zstd) as much for a tenth of the bytes or none. */
const GZIP_LEVEL = 1;
const ZSTD_LEVEL = 1;

/** Compression as this program has it. */
export class Compression {
  /** `bytesMax` bounds what one batch may become. */
  constructor(private readonly library: LibraryCodecs, private readonly bytesMax = DECOMPRESSED_BYTES_MAX) {}

  compressor(name: CompressionName): Compressor {
    const { snappy, lz4 } = this.library;
    switch (name) {
      case "gzip":
        return { codec: 1, compress: (bytes) => zlib.gzipSync(bytes, { level: GZIP_LEVEL }) };
      case "snappy":
        return { codec: 2, compress: (bytes) => snappy.compressSync(asBuffer(bytes)) };
      case "lz4":
        return { codec: 3, compress: (bytes) => lz4.compressSync(asBuffer(bytes)) };
      case "zstd": {
        const params = { [zlib.constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL };
        return { codec: 4, compress: (bytes) => zlib.zstdCompressSync(bytes, { params }) };
      }
    }
  }

  /** Throws TextTooLong, and other errors for what is damaged. */
  decompress(codec: number, bytes: Uint8Array): Uint8Array {
    switch (codec) {
      case 1:
        return bounded(() => zlib.gunzipSync(bytes, { maxOutputLength: this.bytesMax }));
      case 2:
        this.#check(snappyLength(bytes));
        return this.library.snappy.decompressSync(asBuffer(bytes));
      case 3:
        this.#check(lz4LengthMax(bytes));
        return this.library.lz4.decompressSync(asBuffer(bytes));
      case 4:
        return bounded(() => zlib.zstdDecompressSync(bytes, { maxOutputLength: this.bytesMax }));
      default:
        throw new RangeError(`no codec ${codec}`);
    }
  }

  #check(length: number): void {
    if (length > this.bytesMax) throw new TextTooLong();
  }
}

function bounded(decompress: () => Uint8Array): Uint8Array {
  try {
    return decompress();
  } catch (error) {
    throw (error as { readonly code?: unknown }).code === "ERR_BUFFER_TOO_LARGE" ? new TextTooLong() : error;
  }
}

const FRAMED_SNAPPY = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0];
const FRAMED_SNAPPY_HEADER_BYTES = 16;

/** What the text's lengths say, in all frames. */
function snappyLength(bytes: Uint8Array): number {
  if (!FRAMED_SNAPPY.every((byte, i) => bytes[i] === byte)) return rawSnappyLength(bytes, 0);
  const view = viewOf(bytes);
  let length = 0;
  for (let at = FRAMED_SNAPPY_HEADER_BYTES; at + 4 <= bytes.length;) {
    const frameBytes = view.getUint32(at);
    length += rawSnappyLength(bytes, at + 4);
    at += 4 + frameBytes;
  }
  return length;
}
function rawSnappyLength(bytes: Uint8Array, at: number): number {
  let length = 0;
  for (let unit = 1; unit < 2 ** 35; unit *= 128) {
    if (at >= bytes.length) throw new RangeError("snappy length");
    const byte = bytes[at++];
    length += (byte & 127) * unit;
    if (byte < 128) return length;
  }
  throw new RangeError("snappy length");
}

const LZ4_MAGIC = 0x184d2204;
const LZ4_HAS_DICTIONARY = 1;
const LZ4_HAS_LENGTH = 8;
const LZ4_HAS_BLOCK_CHECKSUMS = 16;
const LZ4_NOT_COMPRESSED = 0x8000_0000;
/** The highest ratio that the format allows. */
const LZ4_RATIO_MAX = 255;

/** At most so long is the text of a frame, by the sizes of its blocks. */
function lz4LengthMax(bytes: Uint8Array): number {
  const view = viewOf(bytes);
  if (bytes.length < 7 || view.getUint32(0, true) !== LZ4_MAGIC) throw new RangeError("lz4 frame");
  const flags = bytes[4];
  const blockMax = 1 << 8 + 2 * (bytes[5] >> 4 & 7);
  let at = 7 + ((flags & LZ4_HAS_LENGTH) === 0 ? 0 : 8) + ((flags & LZ4_HAS_DICTIONARY) === 0 ? 0 : 4);
  let length = 0;
  while (at + 4 <= bytes.length) {
    const size = view.getUint32(at, true);
    if (size === 0) break;
    const blockBytes = size & ~LZ4_NOT_COMPRESSED;
    length += size >= LZ4_NOT_COMPRESSED ? blockBytes : Math.min(blockMax, blockBytes * LZ4_RATIO_MAX);
    at += 4 + blockBytes + ((flags & LZ4_HAS_BLOCK_CHECKSUMS) === 0 ? 0 : 4);
  }
  return length;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
