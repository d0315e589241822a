/** JSON: newline-delimited records to columns and back. */
export { compileJsonDecoder } from "./decoder.ts";
export { compileChangeEncoder } from "./change_encoder.ts";
export { compileJsonEncoder, compileJsonRecordsEncoder, compileJsonRowsEncoder, rowJson } from "./encoder.ts";
export { splitLines } from "./lines.ts";
export { type JsonOptions, jsonText } from "../value_text.ts";
