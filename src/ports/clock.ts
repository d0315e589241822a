/** Time. `nowMicros` may jump; `monotonicMs` never goes back and only its differences mean something. */
export interface Clock {
  /** Microseconds since 1970-01-01T00:00Z, an exact integer. */
  nowMicros(): number;
  monotonicMs(): number;
  /** Resolves after `ms`, or at once (without throwing) when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
