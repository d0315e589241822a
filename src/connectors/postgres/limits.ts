/** Bounds of the PostgreSQL connector, together so that they can be compared. */
/** Bytes of one message of a COPY. */
export const COPY_CHUNK_BYTES_MAX = 256 << 10;
/** Seconds after which the server asks whether an idle client is still there, between two questions, and how many it may miss. */
export const KEEP_ALIVE_IDLE_SECONDS = 10;
export const KEEP_ALIVE_INTERVAL_SECONDS = 5;
export const KEEP_ALIVE_COUNT = 4;
/** Row numbers that a session takes at once. */
export const PLACE_CACHE = 1024;
