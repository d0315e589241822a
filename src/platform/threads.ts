/** Threads as web workers that run the other composition root; in a compiled binary that file must have been included. */
import type { Channel, Thread, Threads } from "../ports/threads.ts";

interface MessageScope {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
}

/** `module` is the worker's composition root. */
export const denoThreads = (module: string): Threads => ({
  start(): Thread {
    const worker = new Worker(module, { type: "module" });
    const died = Promise.withResolvers<Error>();
    worker.addEventListener("error", (event) => {
      event.preventDefault(); // It is told to whoever waits, instead of ending the process.
      died.resolve(new Error(`a worker thread ended: ${event.message}`));
    });
    return { ...channelOver(worker), died: died.promise, end: () => worker.terminate() };
  },
});

/** This thread's way to the one that started it. */
export const parentThread = (): Channel => channelOver(globalThis as unknown as MessageScope);

function channelOver(scope: MessageScope): Channel {
  return {
    post: (message) => scope.postMessage(message),
    receive: (handler) => scope.addEventListener("message", ({ data }) => handler(data)),
  };
}
