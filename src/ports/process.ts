/** What this process takes of its machine. */
export interface ProcessFigures {
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  /** Memory beside the heap that JavaScript objects hold on to: typed arrays above all. */
  readonly externalBytes: number;
  /** User and system time since the start. */
  readonly cpuMicros: number;
}
export interface Process {
  readonly id: number;
  /** Costs a few system calls. */
  figures(): ProcessFigures;
}
