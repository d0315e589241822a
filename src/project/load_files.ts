/** The files of a project: a folder with millrace.toml and one file per pipeline, or one file (with its folder's millrace.toml). */
import { assert } from "../data/fault.ts";
import { folderOf, readWhole } from "../ports/durable.ts";
import type { Files } from "../ports/mod.ts";
import { SHARED_FILE } from "./documents.ts";
import type { Faults } from "./faults.ts";
import { outsideSpan } from "./positions.ts";
import { parseToml, type TomlTable } from "./toml.ts";

/** One parsed pipeline file; its name is the pipeline's. */
export interface PipelineFile {
  readonly name: string;
  readonly path: string;
  readonly table: TomlTable;
}
export interface ProjectFiles {
  readonly folder: string;
  readonly shared: TomlTable | null;
  readonly pipelines: readonly PipelineFile[];
  /** "one": only this file was asked for, so names of other pipelines cannot be checked. */
  readonly extent: "all" | "one";
}

const PIPELINE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]*$/;

/** Reads and parses; what cannot be read or parsed is a fault and left out. */
export async function readProjectFiles(path: string, files: Files, faults: Faults): Promise<ProjectFiles> {
  const stat = await files.stat(path);
  const folder = stat && !stat.isFolder ? folderOf(path) : path.replace(/(.)\/+$/, "$1");
  if (!stat) {
    faults.add("no_project", outsideSpan(path), "there is no such file or folder", "name a project's folder, or one .toml file");
    return { folder, shared: null, pipelines: [], extent: "all" };
  }
  const names = stat.isFolder
    ? (await files.list(folder)).filter((name) => name.endsWith(".toml") && name !== SHARED_FILE)
    : [baseOf(path)];
  const sharedPath = join(folder, SHARED_FILE);
  const shared = await files.stat(sharedPath) ? await readToml(sharedPath, files, faults) : null;
  if (stat.isFolder && names.length === 0) {
    faults.add("no_project", outsideSpan(path), "there is no pipeline in this folder", "a pipeline is a file NAME.toml");
  }
  const pipelines: PipelineFile[] = [];
  for (const file of names) {
    const name = file.replace(/\.toml$/, "");
    const filePath = stat.isFolder ? join(folder, file) : path;
    if (file === SHARED_FILE) {
      faults.add("no_project", outsideSpan(path), `${SHARED_FILE} is what pipelines share, not a pipeline`, `name its folder: ${folder}`);
    } else if (!PIPELINE_NAME.test(name)) {
      const message = "a file's name is its pipeline's name, and this cannot be one";
      faults.add("bad_name", outsideSpan(filePath), message, "letters, digits, _ and -");
    } else {
      const table = await readToml(filePath, files, faults);
      if (table) pipelines.push({ name, path: filePath, table });
    }
  }
  return { folder, shared, pipelines, extent: stat.isFolder ? "all" : "one" };
}

async function readToml(path: string, files: Files, faults: Faults): Promise<TomlTable | null> {
  const text = await readText(path, files, faults);
  return text === null ? null : parseToml(path, text, faults.report);
}

/** A whole file as text; null with a fault when it is missing or not UTF-8. A byte order mark is dropped. */
export async function readText(path: string, files: Files, faults: Faults): Promise<string | null> {
  const stat = await files.stat(path);
  if (!stat || stat.isFolder) {
    faults.add("no_file", outsideSpan(path), stat ? "this is a folder, not a file" : "there is no such file");
    return null;
  }
  const bytes = await readWhole(files, path);
  assert(bytes, "the file was there a moment ago");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    faults.add("toml_syntax", outsideSpan(path), "the file is not UTF-8 text");
    return null;
  }
}

const join = (folder: string, name: string): string => folder.endsWith("/") ? folder + name : `${folder}/${name}`;
const baseOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
