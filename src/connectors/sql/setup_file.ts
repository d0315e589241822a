/** Files of statements that a connection runs at every start, before anything else is looked at. */
import { MillraceError } from "../../data/fault.ts";
import { readWhole } from "../../ports/durable.ts";
import type { Files } from "../../ports/mod.ts";
import { SETUP_BYTES_MAX } from "./limits.ts";

/** The file's text. Throws `file_missing`, `setup_file` where it is too long to be statements. */
export async function readSetupFile(path: string, files: Files): Promise<string> {
  const stat = await files.stat(path);
  if (stat && !stat.isFolder && stat.size > SETUP_BYTES_MAX) {
    throw new MillraceError("setup_file", `${path} is longer than ${SETUP_BYTES_MAX} bytes`, { hint: "split it" });
  }
  const bytes = stat && !stat.isFolder ? await readWhole(files, path) : null;
  if (bytes) return new TextDecoder().decode(bytes);
  throw new MillraceError("file_missing", `setup: there is no file ${path}`, { hint: "relative paths start at the working directory" });
}

/** What a statement of the file threw, with the file's name. */
export function setupFault(path: string, error: unknown): unknown {
  if (!(error instanceof MillraceError) || error.retry !== "never") return error;
  return new MillraceError(error.code, `${path}: ${error.message}`, { hint: error.hint });
}
