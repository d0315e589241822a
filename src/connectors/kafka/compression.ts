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

/** What @platformatic/wasm-utils has. */
export interface WebAssemblyCodecs {
  snappyCompress(bytes: Buffer): Uint8Array;
  /** Of one raw piece. */
  snappyDecompress(bytes: Buffer): Uint8Array;
  lz4Compress(bytes: Buffer): Uint8Array;
  lz4Decompress(bytes: Buffer): Uint8Array;
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
  constructor(private readonly codecs: WebAssemblyCodecs, private readonly bytesMax = DECOMPRESSED_BYTES_MAX) {}

  compressor(name: CompressionName): Compressor {
    switch (name) {
      case "gzip":
        return { codec: 1, compress: (bytes) => zlib.gzipSync(bytes, { level: GZIP_LEVEL }) };
      case "snappy":
        return { codec: 2, compress: (bytes) => this.codecs.snappyCompress(asBuffer(bytes)) };
      case "lz4":
        return { codec: 3, compress: (bytes) => this.codecs.lz4Compress(asBuffer(bytes)) };
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
        return this.#snappy(bytes);
      case 3:
        this.#check(lz4LengthMax(bytes));
        return this.codecs.lz4Decompress(asBuffer(bytes));
      case 4:
        return bounded(() => zlib.zstdDecompressSync(bytes, { maxOutputLength: this.bytesMax }));
      default:
        throw new RangeError(`no codec ${codec}`);
    }
  }

  #snappy(bytes: Uint8Array): Uint8Array {
    const frames = isFramedSnappy(bytes) ? [...snappyFrames(bytes)] : [bytes];
    this.#check(frames.reduce((sum, frame) => sum + rawSnappyLength(frame), 0));
    const texts = frames.map((frame) => this.codecs.snappyDecompress(asBuffer(frame)));
    return texts.length === 1 ? texts[0] : Buffer.concat(texts);
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

const isFramedSnappy = (bytes: Uint8Array): boolean => FRAMED_SNAPPY.every((byte, i) => bytes[i] === byte);

function* snappyFrames(bytes: Uint8Array): Iterable<Uint8Array> {
  const view = viewOf(bytes);
  for (let at = FRAMED_SNAPPY_HEADER_BYTES; at < bytes.length;) {
    const start = at + 4;
    if (start > bytes.length) throw new RangeError("snappy frame");
    at = start + view.getUint32(at);
    if (at > bytes.length) throw new RangeError("snappy frame");
    yield bytes.subarray(start, at);
  }
}
/** What a piece says its text's length is. */
function rawSnappyLength(bytes: Uint8Array): number {
  let length = 0;
  for (let at = 0, unit = 1; unit < 2 ** 35; unit *= 128) {
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
