/** Bounds of the ClickHouse connector, together so that they can be compared. */
/** Bytes of one INSERT: an epoch with more goes in several, cut where its rows say, so that a repetition is cut alike. */
export const INSERT_BYTES_MAX = 32 << 20;
/** Rows of one INSERT: fewer than the server cuts a block at, so that an INSERT is one block for each partition. */
export const INSERT_ROWS_MAX = 1_000_000;
/** Bytes handed to the network at once. */
export const SEND_CHUNK_BYTES_MAX = 256 << 10;
/** Characters of a server's message that are passed on. */
export const MESSAGE_LENGTH_MAX = 500;
/** Inserts that a created table of mode "token" remembers. */
export const TOKEN_WINDOW = 10_000;
