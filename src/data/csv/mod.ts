/** CSV (RFC 4180): records to columns and back. */
export { compileCsvDecoder } from "./decoder.ts";
export { compileCsvEncoder, compileCsvRowsEncoder, csvHeader, type LineEnd } from "./encoder.ts";
export { type CsvHeader, readCsvHeader, splitCsv } from "./split.ts";
