/** This program, started once more as a process of its own: what a proof kills. */
export interface ChildStart {
  /** The words of the command line. */
  readonly args: readonly string[];
  /** Variables beside those of this process. */
  readonly environment: Readonly<Record<string, string>>;
  /** Ends the child by SIGKILL. */
  readonly signal: AbortSignal;
}
export interface ChildEnd {
  readonly code: number;
  /** By SIGKILL, its own or another's. */
  readonly killed: boolean;
  readonly stdout: string;
  readonly stderr: string;
}
export interface Processes {
  /** Starts this same program in the same working directory, and waits for its end. */
  run(start: ChildStart): Promise<ChildEnd>;
}
