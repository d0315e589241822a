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
  /** Takes the whole screen, with the keyboard; null where standard input or output is no terminal. Absent: there is no screen. */
  openScreen?(): Screen | null;
}
/** The whole screen of a terminal, until it is closed. */
export interface Screen {
  size(): { readonly columns: number; readonly rows: number };
  /** Called whenever the size has changed. */
  resized(handler: () => void): void;
  /** In one write, so that nothing flickers. */
  draw(text: string): void;
  /** What is typed, as the terminal sends it: "q", "\x1b[C". Ends when the screen is closed or nobody types any more. */
  keys(): AsyncIterable<string>;
  /** Leaves the terminal as it was found. */
  close(): void;
}
