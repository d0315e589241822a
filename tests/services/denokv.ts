/**
 * A denokv server for tests, built from crates.io: nine minutes of one core, so only under CI=true and where MILLRACE_BUILD_DENOKV is
 * set; otherwise it is used where somebody has built it (`cargo install denokv --version 0.14.0 --locked --root FOLDER`).
 */
import { freePort, instanceOf, isListening, runningPid, type ServerProgram, underLock } from "./instance.ts";
import type { Skipped, TestServer } from "./mod.ts";
import { download, hasProgram } from "./run_command.ts";

const VERSION = "0.14.0";
/** The server wants at least twelve characters. */
const TOKEN = "token-of-the-tests";

export interface KvServer extends TestServer {
  readonly url: string;
  readonly token: string;
  /** SIGKILL; `start` starts it again with its data. */
  kill(): Promise<void>;
}

/** Shared by all who test here: a build is worth keeping. */
const buildFolder = (): string => Deno.env.get("MILLRACE_DENOKV") ?? `${Deno.env.get("HOME")}/.cache/millrace-denokv`;
const program = (): string => `${buildFolder()}/bin/denokv`;
const isBuilt = (): Promise<boolean> => Deno.stat(program()).then(() => true, () => false);
const mayBuild = (): boolean => Deno.env.get("CI") === "true" || Deno.env.has("MILLRACE_BUILD_DENOKV");

/** Why there is no server here; null when there is or can be one. Under CI=true that is an error. */
export async function lackingDenokv(): Promise<string | null> {
  if (await isBuilt()) return null;
  const hasCargo = await hasProgram("cargo");
  if (mayBuild() && hasCargo) return null;
  const reason = hasCargo ? `it is not built; MILLRACE_BUILD_DENOKV=1 builds it in about nine minutes` : "there is no cargo to build it";
  if (Deno.env.get("CI") === "true") throw new Error(`no denokv: ${reason}`);
  return `no denokv: ${reason}`;
}

/** A running server, shared by the files of this test process; it ends with the process. */
export async function denokvServer(): Promise<KvServer | Skipped> {
  const skipped = await lackingDenokv();
  if (skipped !== null) return { skipped };
  await underLock(`${buildFolder()}/build.lock`, async () => {
    if (await isBuilt()) return;
    const where = ["--root", buildFolder()];
    const env = { CARGO_TARGET_DIR: `${buildFolder()}/target` };
    await download("denokv", "cargo", ["install", "denokv", "--version", VERSION, "--locked", ...where], env);
    await Deno.remove(env.CARGO_TARGET_DIR, { recursive: true });
  });
  const { folder, facts, start, stop } = await instanceOf(denokv);
  const kill = async () => {
    const pid = await runningPid(folder);
    if (pid !== null) Deno.kill(pid, "SIGKILL");
    // Gone, not only deaf: a process that is still dying would be taken for one that runs.
    while (await runningPid(folder) !== null) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  return { url: `http://127.0.0.1:${facts.port}`, token: TOKEN, start, stop, kill };
}

const denokv: ServerProgram = {
  name: "denokv",
  prepare: () => Promise.resolve({ port: String(freePort()) }),
  command: (folder, { port }) => {
    const serve = ["serve", "--access-token", TOKEN, "--addr", `127.0.0.1:${port}`];
    return Promise.resolve([program(), "--sqlite-path", `${folder}/store.sqlite`, ...serve]);
  },
  ready: (_folder, { port }) => isListening(Number(port)),
};
