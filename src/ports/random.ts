/** Randomness for names and jitter, never for results. */
export interface Random {
  /** A uniform integer in [0, 2^32). */
  uint32(): number;
}
