/**
 * A Parquet file (apache/parquet-format): row groups as their blocks come, the metadata of all of them at its end. Invariant:
 * memory holds one row group and the metadata of the earlier ones.
 *
 *   file := "PAR1" (pages of each column of a row group)* FileMetaData, u32 its length, "PAR1"
 */
import type { RecordType } from "../../data/types.ts";
import type { FileBuilder, RowFormat } from "../files/parts/contracts.ts";
import { ColumnBlocks } from "./block.ts";
import { type Codec, codecOf, type CompressionName } from "./codec.ts";
import { type ColumnChunk, encodeColumn, writeColumnMetadata } from "./column_chunk.ts";
import { columnOf, type ParquetColumn, writeSchemaElement } from "./column_type.ts";
import { columnGroups, rowsOf } from "./row_group.ts";
import { ThriftWriter } from "./thrift.ts";

export interface ParquetOptions {
  readonly compression: CompressionName;
  /** Bytes of blocks that make up a row group. */
  readonly rowGroupBytes: number;
}

/** Fields of `type` named by `columns`, in that order. */
export function parquetFormat(type: RecordType, columns: readonly string[], { compression, rowGroupBytes }: ParquetOptions): RowFormat {
  const places = columns.map((name) => type.fields.findIndex((field) => field.name === name));
  const described = places.map((place) => columnOf(type.fields[place]));
  return {
    extension: "parquet",
    groupBytes: rowGroupBytes,
    blocks: () => new ColumnBlocks(described, places),
    file: (write) => new ParquetFile(described, compression, write),
  };
}

const MAGIC = new TextEncoder().encode("PAR1");
const FORMAT_VERSION = 2;
const CREATED_BY = "millrace";

/** A chunk without its pages, and where it begins. */
interface PlacedChunk {
  readonly chunk: ColumnChunk;
  readonly start: number;
}
interface RowGroup {
  readonly rows: number;
  readonly chunks: readonly PlacedChunk[];
}

class ParquetFile implements FileBuilder {
  readonly #groups: RowGroup[] = [];
  #codec: Codec | null = null;
  #at = 0;
  constructor(
    private readonly columns: readonly ParquetColumn[],
    private readonly compression: CompressionName,
    private readonly write: (bytes: Uint8Array) => Promise<void>,
  ) {}

  async append(blocks: readonly Uint8Array[]): Promise<void> {
    if (this.#at === 0) await this.#put(MAGIC);
    const codec = this.#codec ??= await codecOf(this.compression);
    const chunks: PlacedChunk[] = [];
    let place = 0;
    for (const group of columnGroups(blocks, this.columns)) {
      const chunk = encodeColumn(group, this.columns[place++], codec);
      chunks.push({ chunk: { ...chunk, pages: [] }, start: this.#at });
      for (const page of chunk.pages) await this.#put(page);
    }
    this.#groups.push({ rows: rowsOf(blocks), chunks });
  }

  async finish(): Promise<void> {
    if (this.#at === 0) await this.#put(MAGIC);
    const metadata = this.#metadata();
    const tail = new Uint8Array(8);
    new DataView(tail.buffer).setUint32(0, metadata.length, true);
    tail.set(MAGIC, 4);
    await this.#put(metadata);
    await this.#put(tail);
  }

  async #put(bytes: Uint8Array): Promise<void> {
    await this.write(bytes);
    this.#at += bytes.length;
  }

  #metadata(): Uint8Array {
    const thrift = new ThriftWriter();
    const rows = this.#groups.reduce((sum, group) => sum + group.rows, 0);
    thrift.struct(() => {
      thrift.i32(1, FORMAT_VERSION);
      thrift.list(2, "struct", [null, ...this.columns], (column) => column ? writeSchemaElement(thrift, column) : this.#writeRoot(thrift));
      thrift.i64(3, rows);
      thrift.list(4, "struct", this.#groups, (group) => writeRowGroup(thrift, group));
      thrift.text(6, CREATED_BY);
      // Without the order of columns, readers pass over the least and greatest values of text.
      thrift.list(7, "struct", this.columns, () => thrift.struct(() => thrift.field(1, () => {})));
    });
    return thrift.finish();
  }

  #writeRoot(thrift: ThriftWriter): void {
    thrift.struct(() => {
      thrift.text(4, "record");
      thrift.i32(5, this.columns.length);
    });
  }
}

function writeRowGroup(thrift: ThriftWriter, { rows, chunks }: RowGroup): void {
  const sum = (of: (chunk: ColumnChunk) => number): number => chunks.reduce((total, { chunk }) => total + of(chunk), 0);
  thrift.struct(() => {
    thrift.list(1, "struct", chunks, ({ chunk, start }) =>
      thrift.struct(() => {
        thrift.i64(2, start);
        writeColumnMetadata(thrift, 3, chunk, start);
      }));
    thrift.i64(2, sum((chunk) => chunk.uncompressedBytes));
    thrift.i64(3, rows);
    thrift.i64(5, chunks[0]?.start ?? MAGIC.length);
    thrift.i64(6, sum((chunk) => chunk.bytes));
  });
}
