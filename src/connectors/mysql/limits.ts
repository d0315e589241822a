/** Bounds of buffers of the MySQL connector, together so that they can be compared. */
/** Bytes of a file sent at once. */
export const LOAD_CHUNK_BYTES_MAX = 256 << 10;
/** Rows of one INSERT: measured, more bring nothing. */
export const INSERT_ROWS_MAX = 200;
/** Bytes of one INSERT's values, where the server allows as many. */
export const INSERT_BYTES_MAX = 1 << 20;
/** Parameters of one prepared statement, a limit of the protocol. */
export const PARAMETERS_MAX = 65_535;
