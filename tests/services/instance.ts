/**
 * A server of the tests: started by the first test file that asks, shared by all files of this test process, ended by its
 * keeper when the process ends. Its folder carries the process id, so that test runs side by side do not meet.
 * Invariant: everything that starts or stops a server happens under the lock of its folder.
 */
import { mustRun } from "./run_command.ts";

/** How one server is run. */
export interface ServerProgram {
  /** Also the name of its folder. */
  readonly name: string;
  /** Made once per instance, under the lock: configuration and empty data. Gives what handles need to know. */
  prepare(folder: string): Promise<Readonly<Record<string, string>>>;
  /** The command line of the server; it must name a file under `folder`, by which its keeper knows it. */
  command(folder: string, facts: Readonly<Record<string, string>>): Promise<readonly string[]>;
  /** Asks for an orderly stop; default SIGTERM. */
  readonly stopSignal?: Deno.Signal;
  /** Whether a started server takes requests. */
  ready(folder: string, facts: Readonly<Record<string, string>>): Promise<boolean>;
}
export interface Instance {
  readonly folder: string;
  readonly facts: Readonly<Record<string, string>>;
  start(): Promise<void>;
  /** An orderly stop; the data stay. */
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 90_000;
const STOPPED_WITHIN_MS = 30_000;
const POLL_MS = 100;

/** Where downloads and instances live, outside the checkout. */
export function cacheFolder(): string {
  return Deno.env.get("MILLRACE_CACHE") ?? `${Deno.env.get("HOME")}/.cache/millrace`;
}

/** Runs `body` while holding an exclusive lock, shared with other processes and other test files of this one. */
export async function underLock<T>(path: string, body: () => Promise<T>): Promise<T> {
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  using file = await Deno.open(path, { create: true, write: true });
  await file.lock(true);
  return await body();
}

/** A TCP port of 127.0.0.1 that is free now. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Whether somebody listens. */
export async function isListening(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/** Polls until `done` or the time is over; the answer says which. */
export async function eventually(done: () => Promise<boolean>, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (!(await done())) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}

/** Where something of this test process lies. The start time is in the name: process ids come back. */
export async function processFolder(name: string): Promise<string> {
  return `${cacheFolder()}/services/${name}-${Deno.pid}-${await startTime(Deno.pid)}`;
}

/** The running instance of this test process. */
export async function instanceOf(program: ServerProgram): Promise<Instance> {
  const folder = await processFolder(program.name);
  const locked = <T>(body: () => Promise<T>) => underLock(`${folder}.lock`, body);
  const facts = await locked(async () => {
    const known = await readText(`${folder}/facts.json`);
    if (known !== null) return JSON.parse(known) as Record<string, string>;
    await removeAbandoned();
    await Deno.mkdir(folder, { recursive: true });
    await keepUntilWeEnd(folder);
    const made = await program.prepare(folder);
    await Deno.writeTextFile(`${folder}/facts.json`, JSON.stringify(made));
    return made;
  });
  const instance: Instance = {
    folder,
    facts,
    start: () => locked(() => startServer(program, folder, facts)),
    stop: () => locked(() => stopServer(program, folder)),
  };
  await instance.start();
  return instance;
}

async function startServer(program: ServerProgram, folder: string, facts: Readonly<Record<string, string>>): Promise<void> {
  if (await runningPid(folder) === null) {
    const pid = await spawnDetached(await program.command(folder, facts), `${folder}/server.log`);
    await Deno.writeTextFile(`${folder}/pid`, `${pid} ${await startTime(Number(pid))}`);
  }
  let died = false;
  const ready = await eventually(async () => {
    died = await runningPid(folder) === null;
    return died || await program.ready(folder, facts);
  }, READY_WITHIN_MS);
  if (ready && !died) return;
  const log = await readText(`${folder}/server.log`) ?? "";
  throw new Error(`${program.name} ${died ? "died while starting" : "was not ready in time"}:\n${log.slice(-2000)}`);
}

async function stopServer(program: ServerProgram, folder: string): Promise<void> {
  const pid = await runningPid(folder);
  if (pid === null) return;
  Deno.kill(pid, program.stopSignal ?? "SIGTERM");
  if (!(await eventually(async () => await runningPid(folder) === null, STOPPED_WITHIN_MS))) {
    throw new Error(`${program.name} (pid ${pid}) did not stop`);
  }
}

/** The server's process id, where it runs. Its start time was written beside it: process ids come back. */
export async function runningPid(folder: string): Promise<number | null> {
  const [pid, started] = (await readText(`${folder}/pid`) ?? "").split(" ");
  return pid !== "" && await startTime(Number(pid)) === started ? Number(pid) : null;
}

/** When a process began, in ticks since the machine did; null where it has ended. It stays while a program takes the place of another. */
async function startTime(pid: number): Promise<string | null> {
  const fields = (await readText(`/proc/${pid}/stat`))?.split(") ")[1].split(" ");
  return !fields || "ZX".includes(fields[0]) ? null : fields[19];
}

/** Starts a command that outlives the test and is no child of it, so that no test is said to leak it; gives its process id. */
async function spawnDetached(command: readonly string[], log = "/dev/null"): Promise<string> {
  return (await mustRun("sh", ["-c", 'log=$1; shift; setsid nohup "$@" >"$log" 2>&1 </dev/null & echo $!', "sh", log, ...command])).trim();
}

/** Folders of processes that ended without their keeper, as at a power cut. A keeper that is at work has ten minutes. */
async function removeAbandoned(): Promise<void> {
  for await (const { name } of Deno.readDir(`${cacheFolder()}/services`)) {
    const owner = /^[a-z]+-(\d+)-\d+$/.exec(name)?.[1];
    if (owner === undefined || await readText(`/proc/${owner}/stat`) !== null) continue;
    const path = `${cacheFolder()}/services/${name}`;
    const { mtime } = await Deno.stat(path).catch(() => ({ mtime: null }));
    if (mtime && Date.now() - mtime.getTime() > 600_000) await Deno.remove(path, { recursive: true }).catch(() => {});
  }
}

/** Has the server of `folder` ended and its data removed when this process ends, however it ends. */
export async function keepUntilWeEnd(folder: string, stopCommand: readonly string[] = []): Promise<void> {
  const script = decodeURIComponent(new URL("keeper.sh", import.meta.url).pathname);
  await spawnDetached(["sh", script, String(Deno.pid), folder, ...stopCommand]);
}

/** Null where there is no such file, or its process just ended. */
export async function readText(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || (error instanceof Error && error.message.includes("os error 3"))) return null;
    throw error;
  }
}
