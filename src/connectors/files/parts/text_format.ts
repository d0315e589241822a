/** CSV and NDJSON as formats of parts: a block is a piece of the file as it stands. */
import type { Batch } from "../../../data/batch.ts";
import { createWriter, written } from "../../../data/bytes.ts";
import type { ByteWriter, RowsEncoder } from "../../../data/codec.ts";
import { select } from "../../../data/columns.ts";
import { WRITE_BYTES_MAX } from "../../limits.ts";
import { ROWS_PER_CALL } from "../../../data/limits.ts";
import { EpochRows } from "../epoch_rows.ts";
import type { Encoding } from "../format.ts";
import type { SortKey } from "../sort_key.ts";
import type { BlockBuilder, RowFormat } from "./contracts.ts";

const CAPACITY_BYTES = 1 << 10;
/** Room is given back when an epoch used less than one part in so many. */
const SPARE_FACTOR = 8;

/** With `key`, the rows of each epoch are put in order within their file. */
export function textFormat({ encoder, header, extension }: Encoding, key: SortKey | null): RowFormat {
  return {
    extension,
    groupBytes: WRITE_BYTES_MAX,
    blocks: () => key ? new SortedTextBlocks(encoder, key) : new TextBlocks(encoder),
    file(write) {
      let isBegun = false;
      return {
        async append(blocks) {
          if (!isBegun && header.length > 0) await write(header);
          isBegun = true;
          for (const block of blocks) await write(block);
        },
        finish: () => Promise.resolve(),
      };
    },
  };
}

/** Encoders tell where rows end; here nobody asks. */
const ENDS = new Uint32Array(ROWS_PER_CALL);

const chosenRows = (batch: Batch, rows: Int32Array, count: number): Batch => count === batch.rows ? batch : select(batch, rows, count);

class TextBlocks implements BlockBuilder {
  rows = 0;
  #writer: ByteWriter = createWriter(CAPACITY_BYTES);
  constructor(private readonly encode: RowsEncoder) {}

  get bytes(): number {
    return this.#writer.length;
  }
  append(batch: Batch, rows: Int32Array, count: number): void {
    const chosen = chosenRows(batch, rows, count);
    for (let from = 0; from < count; from += ROWS_PER_CALL) {
      this.encode(chosen, from, Math.min(from + ROWS_PER_CALL, count), this.#writer, ENDS, 0);
    }
    this.rows += count;
  }
  block(): Uint8Array {
    return written(this.#writer);
  }
  clear(): void {
    // One big epoch must not hold its memory for ever.
    const { bytes, length } = this.#writer;
    if (bytes.length > SPARE_FACTOR * Math.max(length, CAPACITY_BYTES)) this.#writer = createWriter(Math.max(length, CAPACITY_BYTES));
    this.#writer.length = 0;
    this.rows = 0;
  }
}

class SortedTextBlocks implements BlockBuilder {
  readonly #rows: EpochRows;
  constructor(encode: RowsEncoder, key: SortKey) {
    this.#rows = new EpochRows(encode, key);
  }
  get rows(): number {
    return this.#rows.count;
  }
  get bytes(): number {
    return this.#rows.bytes;
  }
  append(batch: Batch, rows: Int32Array, count: number): void {
    this.#rows.append(chosenRows(batch, rows, count));
  }
  block(): Uint8Array {
    return this.#rows.ordered().rows;
  }
  clear(): void {
    this.#rows.clear();
  }
}
