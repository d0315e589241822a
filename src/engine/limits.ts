/** Bounds of the engine's buffers, loops and KV operations, together so that they can be compared. */

/** One KV value; the store's own bound is 65,536 bytes. */
export const KV_VALUE_BYTES_MAX = 60_000;
/** The head, intent included; the store's own bound is 65,536 bytes. */
export const HEAD_BYTES_MAX = 65_000;
/** Of one atomic operation, what state may take; beside it the head and deletes must fit the store's own 819,200 bytes. */
export const KV_COMMIT_BYTES_MAX = 700_000;
/** Keys of state in one atomic operation; with those of the deletes below the store's own 81,920 bytes. */
export const KV_COMMIT_KEY_BYTES_MAX = 40_000;
/** State values in one atomic operation; with the deletes below the store's own 1,000 mutations. */
export const KV_COMMIT_MUTATIONS_MAX = 600;
/** Obsolete keys removed along with one flip, so that a flip stays short. */
export const GARBAGE_KEYS_PER_EPOCH_MAX = 300;

/** The schedule travels inside the head, which is one KV value; a longer one closes the epoch. */
export const SCHEDULE_BYTES_MAX = 24_000;
/** An owner's first epoch is no longer than this, so that what comes out first, or goes wrong there, comes soon. */
export const FIRST_EPOCH_MS_MAX = 10;
/** A source's position, by contract. */
export const POSITION_LENGTH_MAX = 200;

/** Rows of one state table that are folded into the base together. */
export const STATE_CHUNK_ROWS = 1024;
/** Keys of one history that are folded into the base together: each has many records. */
export const HISTORY_CHUNK_KEYS = 64;
/** Records in one page of a history's columns. */
export const HISTORY_PAGE_ENTRIES = 8192;
/** Parts of a key, by contract. */
export const STATE_KEY_PARTS_MAX = 4;

/** Attempts to take a lane over without a flip in between before the fault is given to the user. */
export const ATTEMPTS_WITHOUT_PROGRESS_MAX = 10;
/** Retries of a take-over whose commit was refused because head changed under it. */
export const TAKE_OVER_RACES_MAX = 5;
/** How often a lane that other replicas leave with this one is taken over again behind a fence, without a flip in between. */
export const FENCES_WITHOUT_PROGRESS_MAX = 10;
export const BACKOFF_MIN_MS = 10;
export const BACKOFF_MAX_MS = 2_000;
/** A source's own wish for its next poll is kept within these bounds. */
export const IDLE_WAIT_MIN_MS = 1;
export const IDLE_WAIT_MAX_MS = 1_000;
/** How soon a lane without other input looks again whether something has come for a table. */
export const TABLE_WAIT_MS = 20;
