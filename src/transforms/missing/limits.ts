/** Bounds of what an operator keeps for rows that have not come, in one lane. */

/** Records that wait; of more, the oldest go on without their rows. */
export const HELD_RECORDS_MAX = 100_000;
/** Records that come out again with their rows; of more, the oldest do not. */
export const PENDING_RECORDS_MAX = 100_000;
