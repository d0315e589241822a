/** Bounds and pauses that the SQL connectors share. */
/** First and longest pause between two attempts to reach a server. */
export const SERVER_WAIT_MIN_MS = 100;
export const SERVER_WAIT_MAX_MS = 5_000;
/** Seconds after which the server ends an idle connection: that long at most can a process that stands still keep its rows locked. */
export const SESSION_IDLE_SECONDS = 30;
/** Seconds to wait for a lock; longer than any idle transaction lives. */
export const LOCK_WAIT_SECONDS = 60;
/** Bytes of rows that go on their way while their epoch is open; fewer wait for its end. */
export const STREAM_BYTES_MIN = 256 << 10;
/** Bytes of one file of statements that is run at every start. */
export const SETUP_BYTES_MAX = 1 << 20;
/** A sink's buffer that grew beyond this is given back after the epoch. */
export const BUFFER_KEPT_BYTES_MAX = 64 << 20;
/** Refused rows that one statement records. */
export const REFUSED_ROWS_PER_INSERT = 100;
/** Characters of a database's name that every server takes. */
export const DATABASE_NAME_LENGTH_MAX = 63;
