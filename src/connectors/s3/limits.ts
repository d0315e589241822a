/** Bounds of buffers, attempts and waits of the object store, together so that they can be compared. */

/** What is sent at once; larger files go in several parts, which a store takes from 5 MiB on. Memory holds one. */
export const UPLOAD_BYTES_MAX = 16 << 20;
/** Of one request. */
export const ATTEMPTS_MAX = 7;
export const RETRY_WAIT_MIN_MS = 100;
export const RETRY_WAIT_MAX_MS = 5_000;
/** Characters of a store's own message that are passed on. */
export const MESSAGE_LENGTH_MAX = 300;
