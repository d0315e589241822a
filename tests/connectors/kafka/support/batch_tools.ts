/** Checksums and compression as the driver has them, without a connection. */
import { Compression } from "../../../../src/connectors/kafka/compression.ts";
import type { BatchTools } from "../../../../src/connectors/kafka/record_batches.ts";

/** `bytesMax` bounds what a batch may become; default: the product's own bound. */
export async function batchTools(bytesMax?: number): Promise<BatchTools & Pick<Compression, "compressor">> {
  const { compressionsAlgorithms, crc32c } = await import("@platformatic/kafka");
  const compression = new Compression(compressionsAlgorithms, bytesMax);
  return {
    crc32c: (bytes) => crc32c(bytes) >>> 0,
    decompress: (codec, bytes) => compression.decompress(codec, bytes),
    compressor: (name) => compression.compressor(name),
  };
}
