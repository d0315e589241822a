/** Bounds of buffers and loops in the data plane, together so that they can be compared. */
export const BATCH_ROWS_MAX = 4096;
/** Bytes read from a source at once. */
export const BATCH_BYTES_MAX = 1 << 20;
/** A longer record is rejected as `too-long`. */
export const RECORD_BYTES_MAX = 1 << 20;
/** A longer computed string rejects its record. */
export const STRING_LENGTH_MAX = 1 << 20;
/** Whole numbers that a double holds exactly. */
export const INTEGER_MAX = Number.MAX_SAFE_INTEGER;
