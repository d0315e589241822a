/**
 * One column of a row group as its pages: a dictionary page where values come again often enough, and one data page. Invariant:
 * offsets are counted from the chunk's own start; whoever writes the file adds where that is.
 */
import type { Codec } from "./codec.ts";
import { type ParquetColumn, PHYSICAL } from "./column_type.ts";
import { dictionaryOf } from "./dictionary.ts";
import { bitWidthOf, encodeHybrid } from "./hybrid.ts";
import type { ColumnGroup } from "./row_group.ts";
import { ThriftWriter } from "./thrift.ts";
import { type Extremes, extremesOf, plainValues, presentRows } from "./values.ts";

const PLAIN = 0;
const RLE = 3;
const RLE_DICTIONARY = 8;
const DATA_PAGE = 0;
const DICTIONARY_PAGE = 2;

export interface ColumnChunk {
  readonly column: ParquetColumn;
  readonly pages: readonly Uint8Array[];
  readonly rows: number;
  readonly nulls: number;
  readonly codec: number;
  readonly encodings: readonly number[];
  /** Page headers included. */
  readonly bytes: number;
  readonly uncompressedBytes: number;
  /** Of the data page; 0 without a dictionary in front of it. */
  readonly dataAt: number;
  readonly extremes: Extremes | null;
}

export function encodeColumn(group: ColumnGroup, column: ParquetColumn, codec: Codec): ColumnChunk {
  const { rows, nulls } = group;
  const { form } = column;
  const levels = column.isNullable ? definitionLevels(group) : new Uint8Array(0);
  const pages: Page[] = [];
  const dictionary = form === "bool" ? null : dictionaryOf(group);
  let values: Uint8Array;
  let extremes: Extremes | null;
  if (dictionary) {
    const { first, indexes } = dictionary;
    pages.push(dictionaryPage(plainValues(group, first, form), first.length, codec));
    const bitWidth = bitWidthOf(first.length);
    values = joined([Uint8Array.of(bitWidth), encodeHybrid(indexes, bitWidth)]);
    extremes = extremesOf(group, first, form);
  } else {
    const present = presentRows(group);
    values = plainValues(group, present, form);
    extremes = extremesOf(group, present, form);
  }
  const dataAt = pages.reduce((sum, page) => sum + page.head.length + page.body.length, 0);
  pages.push(dataPage(joined([levels, values]), rows, dictionary ? RLE_DICTIONARY : PLAIN, codec));
  return {
    column,
    pages: pages.flatMap(({ head, body }) => [head, body]),
    rows,
    nulls,
    codec: codec.number,
    encodings: dictionary ? [PLAIN, RLE, RLE_DICTIONARY] : [PLAIN, RLE],
    bytes: pages.reduce((sum, { head, body }) => sum + head.length + body.length, 0),
    uncompressedBytes: pages.reduce((sum, { head, uncompressedBytes }) => sum + head.length + uncompressedBytes, 0),
    dataAt,
    extremes,
  };
}

/** The chunk's ColumnMetaData, given where in the file it begins. */
export function writeColumnMetadata(thrift: ThriftWriter, id: number, chunk: ColumnChunk, start: number): void {
  thrift.field(id, () => {
    thrift.i32(1, PHYSICAL[chunk.column.form]);
    thrift.list(2, "i32", chunk.encodings, (encoding) => thrift.i32Element(encoding));
    thrift.list(3, "binary", [chunk.column.name], (name) => thrift.textElement(name));
    thrift.i32(4, chunk.codec);
    thrift.i64(5, chunk.rows);
    thrift.i64(6, chunk.uncompressedBytes);
    thrift.i64(7, chunk.bytes);
    thrift.i64(9, start + chunk.dataAt);
    if (chunk.dataAt > 0) thrift.i64(11, start);
    thrift.field(12, () => {
      thrift.i64(3, chunk.nulls);
      if (!chunk.extremes) return;
      thrift.binary(5, chunk.extremes.max);
      thrift.binary(6, chunk.extremes.min);
    });
  });
}

interface Page {
  readonly head: Uint8Array;
  readonly body: Uint8Array;
  readonly uncompressedBytes: number;
}

function dataPage(values: Uint8Array, rows: number, encoding: number, codec: Codec): Page {
  return page(DATA_PAGE, values, codec, (thrift) =>
    thrift.field(5, () => {
      thrift.i32(1, rows);
      thrift.i32(2, encoding);
      thrift.i32(3, RLE);
      thrift.i32(4, RLE);
    }));
}

function dictionaryPage(values: Uint8Array, count: number, codec: Codec): Page {
  return page(DICTIONARY_PAGE, values, codec, (thrift) =>
    thrift.field(7, () => {
      thrift.i32(1, count);
      thrift.i32(2, PLAIN);
    }));
}

function page(type: number, values: Uint8Array, codec: Codec, describe: (thrift: ThriftWriter) => void): Page {
  const body = codec.compress(values);
  const thrift = new ThriftWriter();
  thrift.struct(() => {
    thrift.i32(1, type);
    thrift.i32(2, values.length);
    thrift.i32(3, body.length);
    describe(thrift);
  });
  return { head: thrift.finish(), body, uncompressedBytes: values.length };
}

/** 1 where there is a value, with its length in front. */
function definitionLevels({ rows, valid }: ColumnGroup): Uint8Array {
  const encoded = encodeHybrid(valid ?? new Uint8Array(rows).fill(1), 1);
  const levels = new Uint8Array(4 + encoded.length);
  new DataView(levels.buffer).setUint32(0, encoded.length, true);
  levels.set(encoded, 4);
  return levels;
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const filled = pieces.filter((piece) => piece.length > 0);
  if (filled.length === 1) return filled[0];
  const bytes = new Uint8Array(filled.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of filled) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
