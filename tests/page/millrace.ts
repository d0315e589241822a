/** A millrace process of its own with its page, from the words of a command line. */

export const root = new URL("../../", import.meta.url).pathname;

export interface Process {
  /** Of the page: "127.0.0.1:12345". */
  readonly address: string;
  /** All that it has written so far. */
  output(): string;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** A planned stop; also of one that has ended. */
  stop(): Promise<void>;
  /** While `work` lasts it does nothing at all: what its page shows stands still. */
  frozen(work: () => Promise<void>): Promise<void>;
  readonly ended: Promise<unknown>;
}

/** Resolves when the page is there; throws where the process ends before. Without `address` the page takes a free port. */
export async function startMillrace(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  address = "127.0.0.1:0",
): Promise<Process> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "src/main.ts", ...words, "--dashboard", address],
    cwd: root,
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let text = "";
  const listening = Promise.withResolvers<string>();
  const pass = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      text += decoder.decode(chunk, { stream: true });
      const found = /dashboard\s+http:\/\/(\S+?)\//.exec(text);
      if (found) listening.resolve(found[1]);
    }
    listening.reject(new Error(`the run ended:\n${text}`));
  };
  const ended = Promise.all([pass(child.stdout), pass(child.stderr), child.status]);
  listening.promise.catch(() => {}); // Told by who waits for it, where anybody still does.
  const end = async (signal: Deno.Signal): Promise<void> => {
    try {
      child.kill(signal);
    } catch {
      // It has ended.
    }
    await ended;
  };
  const frozen = async (work: () => Promise<void>): Promise<void> => {
    child.kill("SIGSTOP");
    try {
      await work();
    } finally {
      child.kill("SIGCONT");
    }
  };
  return { address: await listening.promise, output: () => text, kill: () => end("SIGKILL"), stop: () => end("SIGTERM"), frozen, ended };
}

/** Ends the process when `work` is done. */
export async function withMillrace<T>(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  work: (process: Process) => Promise<T>,
): Promise<T> {
  const process = await startMillrace(words, env);
  try {
    return await work(process);
  } finally {
    await process.stop();
  }
}

/** A folder that is gone afterwards. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    return await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
