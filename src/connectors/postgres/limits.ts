/** Bounds of the PostgreSQL connector, together so that they can be compared. */
/** Bytes of one message of a COPY. */
export const COPY_CHUNK_BYTES_MAX = 256 << 10;
/** Seconds after which the server asks whether an idle client is still there, between two questions, and how many it may miss. */
export const KEEP_ALIVE_IDLE_SECONDS = 10;
export const KEEP_ALIVE_INTERVAL_SECONDS = 5;
export const KEEP_ALIVE_COUNT = 4;
/** Row numbers that a session takes at once. */
export const PLACE_CACHE = 1024;
/** "millrace" in ASCII, as far as 31 bits hold it: whoever makes tables waits for whoever is at it. */
export const MAKING_LOCK = 0x6d696c6c;

/** Columns of a table; the server's own bound is 1,600. */
export const TABLE_COLUMNS_MAX = 1664;
/** Rows and bytes of received changes that lie in one block; a row may pass the bytes. */
export const BLOCK_ROWS_MAX = 4096;
export const BLOCK_BYTES_MAX = 1 << 20;
/** Bytes of received changes, of all tables of a slot, behind which the server is not read: it waits. */
export const RECEIVED_BYTES_MAX = 16 << 20;
/** How soon a reader that has caught up is asked again, and one that waits for another table's turn. */
export const CAUGHT_UP_WAIT_MS = 5;
export const TURN_WAIT_MS = 1;
/** A table that nobody asks for is waited for so long; then the others pass it. */
export const PASS_AFTER_MS = 300;
/** How often the server hears how far we are, where nothing else is said; it gives a silent client up after a minute by default. */
export const STATUS_EVERY_MS = 1_000;
/** A table without changes moves on with the log this often, so that the server need not keep what is of no use. */
export const MOVE_ON_EVERY_MS = 5_000;
/** How often the server is asked how far it has sent, where an end is waited for. */
export const ASK_EVERY_MS = 200;
/** A slot that another connection reads is waited for: the one before us may be about to end. */
export const SLOT_WAIT_MS = 10_000;
/** The same where the other connection was ours: the server gives it up after `wal_sender_timeout`, a minute by default. */
export const OWN_SLOT_WAIT_MS = 90_000;
export const SLOT_POLL_MS = 200;
/** Bytes of rows of a table's copy that are asked for at once, about, and rows at most. */
export const COPY_PAGE_BYTES = 2 << 20;
export const COPY_PAGE_ROWS_MAX = 5_000;
