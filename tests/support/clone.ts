/** A folder that looks like a fresh clone (links to the tracked folders, no outputs), and commands run inside it. */
const ROOT = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
const TRACKED = ["src", "config", "datasets", "scripts", "bench", "deno.json", "deno.lock"];

export interface Clone {
  readonly folder: string;
  remove(): Promise<void>;
}

export async function freshClone(): Promise<Clone> {
  const folder = await Deno.makeTempDir({ prefix: "millrace-clone-" });
  for (const name of TRACKED) await Deno.symlink(`${ROOT}/${name}`, `${folder}/${name}`);
  return { folder, remove: () => Deno.remove(folder, { recursive: true }) };
}

export interface Ran {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, for messages. */
  readonly output: string;
}

async function outputOf(command: Deno.Command): Promise<Ran> {
  const { code, signal, stdout, stderr } = await command.output();
  const text = new TextDecoder();
  const [out, err] = [text.decode(stdout), text.decode(stderr)];
  return { code, signal, stdout: out, stderr: err, output: out + err };
}

/** A script as a user types it, in `folder`. */
export function runShell(script: string, folder: string, env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const path = `${Deno.execPath().replace(/\/[^/]*$/, "")}:${Deno.env.get("PATH") ?? ""}`;
  return outputOf(new Deno.Command("sh", { args: ["-c", script], cwd: folder, stdin: "null", env: { PATH: path, NO_COLOR: "1", ...env } }));
}

const millrace = (words: readonly string[], folder: string, env: Record<string, string>): Deno.Command =>
  new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", `${ROOT}/src/main.ts`, ...words],
    cwd: folder,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", ...env },
  });

/** The program from source, in `folder`. */
export function runMillrace(words: readonly string[], folder: string, env: Record<string, string> = {}): Promise<Ran> {
  return outputOf(millrace(words, folder, env));
}

/** The same, without waiting; the caller ends it. */
export function startMillrace(words: readonly string[], folder: string, env: Record<string, string> = {}): Deno.ChildProcess {
  return millrace(words, folder, env).spawn();
}
