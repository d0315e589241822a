/** The product as its users start it: a subprocess on config/cards, with its own output folder. */
const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname).replace(/\/$/, "");

/** What a run is given. */
export interface CardsRun {
  /** The folder of inputs. */
  readonly input: string;
  readonly output: string;
  readonly profile?: string;
  readonly partitions?: number;
  /** "csv" (default) or "ndjson": the form of the payments. */
  readonly format?: string;
  /** For `--set`, for example "params.zip_missing=skip". */
  readonly set?: readonly string[];
  readonly flags?: readonly string[];
  /** Further variables, for example MILLRACE_KILL_AT. */
  readonly env?: Readonly<Record<string, string>>;
}
/** How a process ended. */
export interface Ended {
  readonly code: number;
  readonly killed: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `millrace COMMAND config/cards` until it ends or dies. */
export function millrace(command: "run" | "check" | "test", run: CardsRun): Promise<Ended> {
  return start([command, "config/cards", ...(command === "run" ? ["--quiet", "--json"] : [])], run);
}

/** Runs one layer, for example `millrace load initial -c config/cards`. */
export function millraceLayer(words: readonly string[], run: CardsRun): Promise<Ended> {
  return start([...words, "-c", "config/cards", "--quiet", "--json"], run);
}

async function start(words: readonly string[], run: CardsRun): Promise<Ended> {
  const env: Record<string, string> = { CARDS_INPUT: run.input, CARDS_OUTPUT: run.output, NO_COLOR: "1", ...run.env };
  if (run.profile !== undefined) env.CARDS_PROFILE = run.profile;
  if (run.partitions !== undefined) env.CARDS_PARTITIONS = String(run.partitions);
  if (run.format !== undefined) env.CARDS_FORMAT = run.format;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${ROOT}/src/main.ts`, ...words, ...(run.flags ?? []), ...(run.set ?? []).flatMap((setting) => ["--set", setting])],
    cwd: ROOT,
    env,
    stdout: "piped",
    stderr: "piped",
  });
  const { code, signal, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, killed: signal === "SIGKILL", stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A temporary folder that is removed afterwards. */
export async function inTemporaryFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "millrace-golden-" });
  try {
    return await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The checkout's folder. */
export function projectRoot(): string {
  return ROOT;
}
