/** Bounds of buffers and loops in the data plane, together so that they can be compared. */
/** Of one poll, and what a transform gives on at once. Sources with little to do besides a batch's rows give fewer. */
export const BATCH_ROWS_MAX = 8192;
/**
 * Rows in one call of a loop. V8 compiles code anew from its entry when it is called often, but has to compile a second version for
 * entering a loop that runs for long; and that one ends in the interpreter after each batch. Loops that are new at a start are still
 * entered in the middle where they have more rows.
 */
export const ROWS_PER_CALL = 128;
/** The same of transforms, which read ahead what they will look up: of more rows, more that misses the cache is fetched side by side. */
export const ROWS_AHEAD = 512;
/** Bytes read from a source at once. */
export const BATCH_BYTES_MAX = 1 << 20;
/** A longer record is rejected as `too-long`. */
export const RECORD_BYTES_MAX = 1 << 20;
/** A longer computed string rejects its record. */
export const STRING_LENGTH_MAX = 1 << 20;
/** Whole numbers that a double holds exactly. */
export const INTEGER_MAX = Number.MAX_SAFE_INTEGER;
