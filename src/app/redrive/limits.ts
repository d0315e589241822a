/** Bounds of redriving. */
/** Records that one command takes; what is left is taken by the next one. */
export const REDRIVE_RECORDS_MAX = 100_000;
/** Rows handed to the engine at once. */
export const REDRIVE_BATCH_ROWS_MAX = 1_000;
