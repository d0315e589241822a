/** This program as a child: the compiled binary itself, or the runtime with the same main module. */
import type { Processes } from "../ports/processes.ts";

export const denoProcesses: Processes = {
  async run({ args, environment, signal }) {
    const own = Deno.build.standalone ? [] : ["run", "-A", "--no-check", Deno.mainModule];
    const command = new Deno.Command(Deno.execPath(), {
      args: [...own, ...args],
      env: { ...environment },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
    const child = command.spawn();
    const kill = (): void => child.kill("SIGKILL");
    if (signal.aborted) kill();
    else signal.addEventListener("abort", kill, { once: true });
    try {
      const { code, signal: died, stdout, stderr } = await child.output();
      const decoder = new TextDecoder();
      return { code, killed: died === "SIGKILL", stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    } finally {
      signal.removeEventListener("abort", kill);
    }
  },
};
