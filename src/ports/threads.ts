/** Threads of this process. What is posted is copied, functions and class instances cannot be. */
export interface Channel {
  post(message: unknown): void;
  /** Takes what comes from the other side, in order; set before anything is expected. */
  receive(handler: (message: unknown) => void): void;
}
export interface Thread extends Channel {
  /** Resolves with what ended the thread by itself: code that did not load, an error nobody caught. */
  readonly died: Promise<Error>;
  /** Ends it at once. */
  end(): void;
}
export interface Threads {
  /** A thread that runs `worker.ts`. */
  start(): Thread;
}
