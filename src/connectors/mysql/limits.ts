/** Bounds of buffers and pauses of the MySQL connector, together so that they can be compared. */
/** First and longest pause between two attempts to reach a server. */
export const SERVER_WAIT_MIN_MS = 100;
export const SERVER_WAIT_MAX_MS = 5_000;
/** Seconds after which the server ends an idle connection: that long at most can a process that stands still keep its rows locked. */
export const SESSION_IDLE_SECONDS = 30;
/** Seconds to wait for a lock; longer than any idle transaction lives. */
export const LOCK_WAIT_SECONDS = 60;
/** Bytes of a file sent at once. */
export const LOAD_CHUNK_BYTES_MAX = 256 << 10;
/** Rows of one INSERT: measured, more bring nothing. */
export const INSERT_ROWS_MAX = 200;
/** Bytes of one INSERT's values, where the server allows as many. */
export const INSERT_BYTES_MAX = 1 << 20;
/** Parameters of one prepared statement, a limit of the protocol. */
export const PARAMETERS_MAX = 65_535;
/** A sink's buffer that grew beyond this is given back after the epoch. */
export const BUFFER_KEPT_BYTES_MAX = 64 << 20;
