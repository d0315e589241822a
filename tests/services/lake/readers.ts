/** DuckDB and pyarrow from the Python Package Index, installed once into a folder of the tests: readers that know nothing of us. */
import { cacheFolder, underLock } from "../instance.ts";
import { download, hasProgram, mustRun, runCommand } from "../run_command.ts";

const PACKAGES = ["duckdb==2.0.0", "pyarrow==26.0.1"];
const folder = (): string => `${cacheFolder()}/lake-readers`;
const environment = (): Record<string, string> => ({ PYTHONPATH: folder(), PYTHONDONTWRITEBYTECODE: "1" });
const script = (name: string): string => decodeURIComponent(new URL(name, import.meta.url).pathname);

/** Why the readers cannot be had here; null when they can. Under CI=true that is an error. */
export async function lackingReaders(): Promise<string | null> {
  if (await hasProgram("python3") && (await runCommand("python3", ["-m", "pip", "--version"])).ok) return null;
  const reason = "no DuckDB and pyarrow: there is no python3 with pip to install them";
  if (Deno.env.get("CI") === "true") throw new Error(reason);
  return reason;
}

export async function installReaders(): Promise<void> {
  await underLock(`${cacheFolder()}/services/lake-readers.lock`, async () => {
    if (await Deno.stat(`${folder()}/pyarrow`).then(() => true, () => false)) return;
    await download("DuckDB and pyarrow", "python3", ["-m", "pip", "install", "--quiet", "--target", folder(), ...PACKAGES]);
  });
}

export interface ReadTable {
  readonly types: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}
export async function readParquet(path: string): Promise<{ readonly duckdb: ReadTable; readonly arrow: ReadTable }> {
  return JSON.parse(await mustRun("python3", [script("read.py"), path], { env: environment() }));
}

export interface Watched {
  readonly looks: number;
  /** Ids of the last look, sorted. */
  readonly ids: readonly number[];
}
/** Looks at a lake over and over; `end` takes a last look. */
export function watchLake(place: string, env: Readonly<Record<string, string>> = {}): { end(): Promise<Watched> } {
  const child = new Deno.Command("python3", {
    args: [script("watch.py"), place],
    env: { ...environment(), ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  return {
    async end() {
      const writer = child.stdin.getWriter();
      // It has ended before where a look failed: its own words tell more than the broken pipe.
      await writer.write(new TextEncoder().encode("\n")).catch(() => {});
      await writer.close().catch(() => {});
      const { success, stdout, stderr } = await output;
      if (!success) throw new Error(new TextDecoder().decode(stderr));
      return JSON.parse(new TextDecoder().decode(stdout));
    },
  };
}
