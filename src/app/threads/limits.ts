/** Bounds of what passes between threads, together so that they can be compared. */

/** Requests of one worker to the checkpoint store that are not answered yet; further ones wait in the worker. */
export const KV_REQUESTS_MAX = 32;
/** Entries of a list that cross at once, each up to 60 KB. */
export const KV_PAGE_ENTRIES = 32;
/** A worker tells its progress at most this often. */
export const PROGRESS_EVERY_MS = 100;
