/** Where a person reads: standard output for results, standard error for progress and faults. */
export interface Terminal {
  /** Standard output. */
  out(text: string): void;
  /** Standard error. */
  err(text: string): void;
  /** Whether standard error is a terminal, so that a line may be redrawn. */
  readonly isTerminal: boolean;
  readonly colors: boolean;
  /** Columns; 80 where unknown. */
  readonly width: number;
}
