/** How much a proof does. */

/** Rows of a made reference table: few, so that look-ups find them. */
export const TABLE_ROWS = 40;
/** The most that is taken of one input file. */
export const INPUT_BYTES_MAX = 16 * 1024 * 1024;
/** Kills of one round, which ends with a comparison; the next begins anew. */
export const ROUND_KILLS_MAX = 12;
/** Lives without a counted kill after which a round is left to its end. */
export const ROUND_LIVES_MAX = 60;
/** Records of an epoch in a run that is killed: small, so that there are many protocol steps. */
export const EPOCH_RECORDS = 20;
/** A life that lasts longer is ended and reported: the pipeline hangs, or its input is too much for a proof. */
export const LIFE_MS_MAX = 120_000;
/** Attempts to fail with less, after a failure. */
export const SHRINKS_MAX = 8;
/** Examples of lost, doubled and foreign rows that a verdict holds. */
export const EXAMPLES_MAX = 3;
