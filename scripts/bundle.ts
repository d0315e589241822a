/**
 * The program as few files: what is imported at once lies in one, what is imported on demand in files of its own, so that a start
 * reads no more than before, but opens a few files instead of some four hundred. Names are kept as they are: a stack trace names what the
 * source names. The binary is made from it; by itself:
 *   deno task bundle [FOLDER]      (default dist/bundle; prints the command that runs it, which is a file in it)
 */
import { resolve } from "node:path";

/** Packages with files beside their code (WebAssembly, native code), which they look for where they lie. */
const EXTERNAL = ["@node-rs/crc32", "@platformatic/wasm-utils"];
/** Both composition roots; they must lie side by side, for main starts worker by its name. */
const ENTRIES = ["src/main.ts", "src/worker.ts"];
/** The file beside the code that holds the packages' licences. */
export const LICENCES = "licences.txt";

/**
 * How the program is run, compiled or not. V8 begins with a heap of some ten megabytes and looks through all of it, old objects too, each time
 * it has to grow: twice in the first second of a pipeline, for a tenth of that second's processor time. With 64 from the start it never does
 * (docs/performance.md); memory is taken as it is needed all the same. The task "millrace" in deno.json has the same option.
 */
export const RUN_OPTIONS = ["--allow-all", "--unstable-kv", "--no-check", "--v8-flags=--initial-heap-size=64"];
/** The file beside the code that runs it. */
export const LAUNCHER = "millrace";

const deno = async (args: readonly string[]): Promise<boolean> =>
  (await new Deno.Command(Deno.execPath(), { args: [...args], stdin: "null" }).spawn().status).success;

/** What becomes of a bundle: it is run as it is, or compiled. */
export type BundleUse = "run" | "compile";

/** Writes main.js, worker.js and what they share into the folder; whatever lay in it is gone. False: the bundler said why not. */
export async function bundle(folder: string, use: BundleUse): Promise<boolean> {
  await Deno.remove(folder, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const [major, minor] = Deno.version.deno.split(".").map(Number);
  /** The page's files are imported as text, which earlier versions do when they are told so. */
  const texts = major > 2 || minor >= 8 ? [] : ["--unstable-raw-imports"];
  const external = EXTERNAL.flatMap((name) => ["--external", name]);
  const options = ["--quiet", "--no-check", "--platform", "deno", "--packages", "bundle", "--code-splitting", ...texts, ...external];
  if (!await deno(["bundle", ...options, "--outdir", folder, ...ENTRIES])) return false;
  const packages = new Map<string, string>();
  for await (const { name } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    const code = await Deno.readTextFile(path);
    for (const [, place, name, version] of code.matchAll(PLACE)) packages.set(`${name}@${version}`, `${place}${name}/${version}`);
    await Deno.writeTextFile(path, use === "run" ? namedWhenWanted(withoutPlaces(code)) : withoutPlaces(code));
  }
  await Deno.writeTextFile(`${folder}/${LICENCES}`, await licencesOf(packages));
  if (use === "run") await Deno.writeTextFile(`${folder}/${LAUNCHER}`, launcher(), { mode: 0o755 });
  return true;
}

/** deno.json says which versions the packages have that the bundle still imports, wherever it lies. */
const launcher = (): string =>
  `#!/bin/sh
exec "${Deno.execPath()}" run ${RUN_OPTIONS.join(" ")} --config "${resolve("deno.json")}" "$(dirname "$0")/main.js" "$@"
`;

/** What the packages in the bundle want to be passed on with them. `packages`: name and version to the folder. */
async function licencesOf(packages: ReadonlyMap<string, string>): Promise<string> {
  const texts: string[] = [];
  for (const [name, folder] of [...packages].sort(([a], [b]) => a < b ? -1 : 1)) {
    for await (const file of Deno.readDir(folder)) {
      if (!/^(licen[cs]e|notice|copying)/i.test(file.name)) continue;
      texts.push(`${name}, ${file.name}\n\n${(await Deno.readTextFile(`${folder}/${file.name}`)).trim()}\n`);
    }
  }
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}

/** The bundler notes, in comments and in the names of wrappers, where each module lay on this machine: folder, name, version, file. */
const PLACE = /(?<=^\s*(?:\/\/ |"))(\S*\/npm\/[^/\s]+\/)((?:@[^/\s]+\/)?[^/\s]+)\/(\d[^/\s]*)\/([^\s"]+\.\w+(?:$|"\())/gm;

/** Name and version are enough. */
export const withoutPlaces = (code: string): string => code.replace(PLACE, "npm:$2@$3/$4");

/**
 * A start reads every file that an import names in plain text, two thirds of which are imported on demand and not wanted. A name that is made
 * when it is wanted is read then. The compiler takes along what is named in plain text, and a binary reads nothing else at its start.
 */
export const namedWhenWanted = (code: string): string => code.replace(ON_DEMAND, 'import(new URL("$1", import.meta.url).href)');
const ON_DEMAND = /(?<![\w.$])import\("(\.\/[^"/]+\.js)"\)/g;

if (import.meta.main) {
  const folder = Deno.args[0] ?? "dist/bundle";
  if (!await bundle(folder, "run")) Deno.exit(1);
  console.log(`${folder}/${LAUNCHER}`);
}
