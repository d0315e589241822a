/** Text in, text out: a project from texts, its faults as they are printed. */
import { ConfigurationError } from "../../src/data/fault.ts";
import { expressions } from "../../src/expr/mod.ts";
import type { Files, FileStat } from "../../src/ports/mod.ts";
import type { PipelineBlueprint, Project } from "../../src/project/contracts.ts";
import { type LoadOptions, loadProject, renderFaults } from "../../src/project/mod.ts";
import { planIntake, registry } from "./components.ts";

/** What a test may vary. */
export interface Setting {
  readonly path?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly set?: Readonly<Record<string, string>>;
  readonly envFile?: string;
  readonly purpose?: "run" | "test";
  readonly options?: Partial<LoadOptions>;
}

/** Files in memory, by path; folders are the paths' prefixes. Reading only. */
export function memoryFiles(texts: Readonly<Record<string, string | Uint8Array>>): Files {
  const bytesOf = (path: string) => {
    const text = texts[path];
    return typeof text === "string" ? new TextEncoder().encode(text) : text;
  };
  const children = (folder: string) => Object.keys(texts).filter((path) => path.startsWith(`${folder}/`));
  const refuse = () => Promise.reject(new Error("a configuration is only read"));
  return {
    open: (path) => {
      const bytes = bytesOf(path);
      return Promise.resolve({
        read: (into: Uint8Array, at: number) => {
          const piece = bytes.subarray(at, at + Math.min(into.length, 100));
          into.set(piece);
          return Promise.resolve(piece.length);
        },
        write: refuse,
        sync: refuse,
        size: () => Promise.resolve(bytes.length),
        close: () => {},
      });
    },
    stat: (path): Promise<FileStat | null> => {
      if (Object.hasOwn(texts, path)) return Promise.resolve({ size: bytesOf(path).length, isFolder: false, modifiedMs: 0 });
      return Promise.resolve(children(path.replace(/\/$/, "")).length > 0 ? { size: 0, isFolder: true, modifiedMs: 0 } : null);
    },
    list: (folder) =>
      Promise.resolve(children(folder).map((path) => path.slice(folder.length + 1)).filter((name) => !name.includes("/")).sort()),
    makeFolder: refuse,
    rename: refuse,
    remove: refuse,
    syncFolder: refuse,
  };
}

/** Loads `p/*`, or the one file "p.toml" when a text is given. */
export function load(files: string | Readonly<Record<string, string | Uint8Array>>, setting: Setting = {}): Promise<Project> {
  const texts = typeof files === "string" ? { "p.toml": files } : files;
  return loadProject({
    path: setting.path ?? (typeof files === "string" ? "p.toml" : "p"),
    files: memoryFiles(texts),
    environment: { get: (name) => setting.env?.[name] },
    registry,
    expressions,
    intake: planIntake,
    overrides: new Map(Object.entries(setting.set ?? {})),
    ...(setting.envFile !== undefined && { envFile: setting.envFile }),
    purpose: setting.purpose ?? "run",
    ...setting.options,
  });
}

/** The only pipeline of a text. */
export async function loadOne(text: string, setting: Setting = {}): Promise<PipelineBlueprint> {
  const { pipelines } = await load(text, setting);
  return pipelines[0];
}

/** The faults as they are printed; "" when there are none. */
export async function faultsOf(files: string | Readonly<Record<string, string | Uint8Array>>, setting: Setting = {}): Promise<string> {
  try {
    await load(files, setting);
    return "";
  } catch (error) {
    if (error instanceof ConfigurationError) return renderFaults(error.faults);
    throw error;
  }
}

/** A pipeline that is in order; `more` is appended. */
export const GOOD = `[sources.payments]
type = "csv"
path = "payments.csv"
fields = { id = "int", amount = "decimal(2)", place = "string?", at = "timestamp" }

[sinks.result]
type = "csv"
inputs = ["payments"]
path = "out/result.csv"
`;
