/**
 * Cases in text files: a name, files and surroundings, and the faults exactly as they are printed.
 *   == name          begins a case
 *   @file PATH       begins a file (default p.toml); the project is the folder `p` when a path begins with p/
 *   @good            appends the pipeline GOOD of support.ts to the file
 *   @env NAME=VALUE  @set KEY=VALUE  @path PATH
 *   -- faults        begins the wished text
 */
import { faultsOf, GOOD } from "./support.ts";

export interface FaultCase {
  readonly name: string;
  readonly source: string;
  readonly expected: string;
}

/** Splits a file of cases. */
export function parseCases(text: string): readonly FaultCase[] {
  return text.split(/^== /m).slice(1).map((part) => {
    const [head, expected = ""] = part.split(/^-- faults\n/m);
    const lineEnd = head.indexOf("\n");
    return { name: head.slice(0, lineEnd), source: head.slice(lineEnd + 1), expected: expected.trimEnd() };
  });
}

/** The file of cases with what was really printed. */
export function renderCases(cases: readonly FaultCase[], actual: readonly string[]): string {
  return cases.map(({ name, source }, index) => `== ${name}\n${source}-- faults\n${actual[index]}\n\n`).join("");
}

/** Loads a case's project and gives its faults, without the last line end. */
export async function runCase({ source }: FaultCase): Promise<string> {
  const files: Record<string, string> = {};
  const env: Record<string, string> = {};
  const set: Record<string, string> = {};
  let path: string | undefined;
  let file = "p.toml";
  for (const line of source.split("\n").slice(0, -1)) {
    const directive = /^@(file|good|env|set|path) ?(.*)$/.exec(line);
    const [key, value] = directive ? [directive[2].split("=")[0], directive[2].slice(directive[2].indexOf("=") + 1)] : ["", ""];
    if (!directive) files[file] = `${files[file] ?? ""}${line}\n`;
    else if (directive[1] === "file") files[file = directive[2]] = "";
    else if (directive[1] === "good") files[file] = `${files[file] ?? ""}${GOOD}`;
    else if (directive[1] === "env") env[key] = value;
    else if (directive[1] === "set") set[key] = value;
    else path = directive[2];
  }
  const folder = Object.keys(files).some((name) => name.startsWith("p/")) ? "p" : "p.toml";
  return (await faultsOf(files, { path: path ?? folder, env, set })).trimEnd();
}
