/**
 * The words of the commands that run pipelines, read without the command line's library, which takes as long to build and walk its
 * grammar as everything else until the project is read. Only what is plain is read here; whatever is not (help, a typo, a value that is
 * refused, another command) is null, and the grammar judges it. Invariant: what is read here, the grammar reads alike.
 */
import type { LayerCommand, RunCommand } from "./grammar.ts";

type Option =
  | { readonly kind: "flag"; readonly name: "rerun" | "quiet" | "stay" | "json" }
  | { readonly kind: "text"; readonly name: "for" | "stopWithin" | "dashboard" | "dashboardTokenFile" | "envFile" | "set" | "path" }
  | { readonly kind: "count"; readonly name: "count" }
  | { readonly kind: "choice"; readonly name: "log" | "logLevel"; readonly of: readonly string[] };

const OPTIONS: Readonly<Record<string, Option>> = {
  "--set": { kind: "text", name: "set" },
  "--env-file": { kind: "text", name: "envFile" },
  "--json": { kind: "flag", name: "json" },
  "--rerun": { kind: "flag", name: "rerun" },
  "-q": { kind: "flag", name: "quiet" },
  "--quiet": { kind: "flag", name: "quiet" },
  "--for": { kind: "text", name: "for" },
  "--count": { kind: "count", name: "count" },
  "--stop-within": { kind: "text", name: "stopWithin" },
  "--dashboard": { kind: "text", name: "dashboard" },
  "--dashboard-token-file": { kind: "text", name: "dashboardTokenFile" },
  "--stay": { kind: "flag", name: "stay" },
  "--log": { kind: "choice", name: "log", of: ["text", "json"] },
  "--log-level": { kind: "choice", name: "logLevel", of: ["debug", "info", "warning", "error"] },
};
/** Of the commands by layer alone. */
const PROJECT: Readonly<Record<string, Option>> = {
  "-c": { kind: "text", name: "path" },
  "--config": { kind: "text", name: "path" },
};
const LAYERS: ReadonlySet<string> = new Set(["load", "produce", "stream", "batch"]);

/** The command, where all of its words are plain. */
export function readPlainWords([command, ...words]: readonly string[]): RunCommand | LayerCommand | null {
  if (command === "run") {
    const read = readWords(words, OPTIONS);
    if (read === null || read.names.length === 0) return null;
    const [path, ...pipelines] = read.names;
    return { command: "run", path, pipelines, ...settled(read) };
  }
  if (!LAYERS.has(command)) return null;
  const read = readWords(words, { ...OPTIONS, ...PROJECT });
  if (read === null) return null;
  return {
    command: "layer",
    kind: command as LayerCommand["kind"],
    names: read.names,
    path: read.values.get("path") ?? ".",
    ...settled(read),
  };
}

interface Words {
  readonly names: readonly string[];
  readonly set: readonly string[];
  readonly values: ReadonlyMap<Option["name"], string>;
}

function readWords(words: readonly string[], options: Readonly<Record<string, Option>>): Words | null {
  const names: string[] = [];
  const set: string[] = [];
  const values = new Map<Option["name"], string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (isName(word)) {
      names.push(word);
      continue;
    }
    const option = Object.hasOwn(options, word) ? options[word] : null;
    if (option === null || values.has(option.name)) return null;
    if (option.kind === "flag") {
      values.set(option.name, "");
      continue;
    }
    const value = words[++i] ?? "";
    if (!isName(value)) return null;
    if (option.kind === "choice" && !option.of.includes(value)) return null;
    if (option.kind === "count" && !/^[1-9]\d{0,14}$/.test(value)) return null;
    if (option.name === "set") set.push(value);
    else values.set(option.name, value);
  }
  return { names, set, values };
}

/** Neither an option, nor nothing, nor the word that ends the options. */
const isName = (word: string): boolean => word !== "" && !word.startsWith("-");

/** What the options of every run say. */
function settled({ set, values }: Words) {
  const count = values.get("count");
  return {
    rerun: values.has("rerun"),
    quiet: values.has("quiet"),
    for: values.get("for"),
    count: count === undefined ? undefined : Number(count),
    stopWithin: values.get("stopWithin"),
    dashboard: values.get("dashboard"),
    dashboardTokenFile: values.get("dashboardTokenFile"),
    stay: values.has("stay"),
    log: values.get("log") as RunCommand["log"],
    logLevel: values.get("logLevel") as RunCommand["logLevel"],
    set,
    envFile: values.get("envFile"),
    json: values.has("json"),
  };
}
