/** Standard output, for the results of a run. Messages about the run go to the log instead. */
export interface Console {
  write(text: string): void;
  /** Whether what was written may be overwritten in place. */
  readonly isTerminal?: boolean;
}
