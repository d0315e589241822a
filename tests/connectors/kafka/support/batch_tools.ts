/** Checksums and compression as sources and sinks have them. */
import { Codecs } from "../../../../src/connectors/kafka/codecs.ts";

/** `bytesMax` bounds what a batch may become; default: the product's own bound. */
export const batchTools = (bytesMax?: number): Promise<Codecs> => Codecs.load(bytesMax);
