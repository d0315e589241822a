/** Exclusive ownership of a file between processes, released by the kernel when the process dies. */
export interface Lock {
  release(): void;
}
export interface Locks {
  /** `null` when another process holds it. Parent folders are made. */
  acquire(path: string): Promise<Lock | null>;
}
