/** Commands of the harness. Invariant: a download that fails is a `DownloadFailed`, never an ordinary test failure. */

/** A download that could not be had; no statement about the product. */
export class DownloadFailed extends Error {
  override readonly name = "DownloadFailed";
  constructor(what: string, output: string) {
    super(`DOWNLOAD FAILED: ${what} could not be had; the tests that need it did not run\n${output.slice(-2000)}`);
  }
}

export interface CommandResult {
  readonly ok: boolean;
  readonly stdout: string;
  /** Both streams, for messages. */
  readonly output: string;
}

/** Runs a command to its end; a program that is not there is a result that is not ok. */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly stdin?: string } = {},
): Promise<CommandResult> {
  try {
    const stdin = options.stdin === undefined ? "null" : "piped";
    const child = new Deno.Command(program, { args: [...args], env: options.env, stdin, stdout: "piped", stderr: "piped" }).spawn();
    if (options.stdin !== undefined) {
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(options.stdin));
      await writer.close();
    }
    const { success, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    const out = decoder.decode(stdout);
    return { ok: success, stdout: out, output: out + decoder.decode(stderr) };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { ok: false, stdout: "", output: `${program}: not found` };
  }
}

/** Runs a command that must succeed. */
export async function mustRun(
  program: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly stdin?: string } = {},
): Promise<string> {
  const { ok, stdout, output } = await runCommand(program, args, options);
  if (!ok) throw new Error(`${program} ${args.join(" ")} failed:\n${output.slice(-2000)}`);
  return stdout;
}

/** Whether a program can be started. */
export async function hasProgram(name: string): Promise<boolean> {
  return (await runCommand("sh", ["-c", `command -v ${name}`])).ok;
}

/** Fetches something through `program`, three times at most. */
export async function download(
  what: string,
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  let output = "";
  for (let attempt = 1; attempt <= 3; attempt++) {
    const result = await runCommand(program, args, { env });
    if (result.ok) return;
    output = result.output;
    await new Promise((resolve) => setTimeout(resolve, 1000 * attempt));
  }
  throw new DownloadFailed(what, output);
}

/** Installs Debian packages; only for root on Debian (`canInstall`). Parallel processes must hold a lock around it. */
export async function aptInstall(...packages: readonly string[]): Promise<void> {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const args = ["install", "-y", "--no-install-recommends", ...packages];
  if ((await runCommand("apt-get", args, { env })).ok) return;
  // The lists of packages may be missing or old.
  await download("Debian's lists of packages", "apt-get", ["update"], env);
  await download(`Debian packages ${packages.join(", ")}`, "apt-get", args, env);
}

/** Why Debian packages cannot be installed here; null when they can. */
export async function cannotInstall(): Promise<string | null> {
  if (Deno.build.os !== "linux" || !(await hasProgram("apt-get"))) return "this is not Debian";
  return Deno.uid() === 0 ? null : "Debian packages can be installed only by root";
}
