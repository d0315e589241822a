/** The connection's files of statements. Invariant: every statement is run at every start, in order, or the start stops at it. */
import { MillraceError } from "../../data/fault.ts";
import { readWhole } from "../../ports/durable.ts";
import type { World } from "../../ports/mod.ts";
import type { Session } from "./driver.ts";
import { SETUP_BYTES_MAX } from "./limits.ts";

/** Runs all statements of the files. */
export async function runSetup(session: Session, files: readonly string[], world: Pick<World, "files">): Promise<void> {
  for (const path of files) {
    for (const [at, sql] of statementsOf(await readFile(path, world)).entries()) {
      try {
        await session.run(sql);
      } catch (error) {
        if (!(error instanceof MillraceError) || error.retry !== "never") throw error;
        throw new MillraceError(error.code, `statement ${at + 1} of ${path}: ${error.message}`, { hint: error.hint });
      }
    }
  }
}

/** Statements end with a semicolon at the end of a line; lines that begin with "--" say nothing. */
export function statementsOf(text: string): string[] {
  const lines = text.split(/\r?\n/).filter((line) => !line.trimStart().startsWith("--"));
  return lines.join("\n").split(/;[ \t]*(?:\n|$)/).map((statement) => statement.trim()).filter((statement) => statement !== "");
}

async function readFile(path: string, { files }: Pick<World, "files">): Promise<string> {
  const stat = await files.stat(path);
  if (stat && !stat.isFolder && stat.size > SETUP_BYTES_MAX) {
    throw new MillraceError("setup_file", `${path} is longer than ${SETUP_BYTES_MAX} bytes`, { hint: "split it" });
  }
  const bytes = stat && !stat.isFolder ? await readWhole(files, path) : null;
  if (bytes) return new TextDecoder().decode(bytes);
  throw new MillraceError("file_missing", `setup: there is no file ${path}`, { hint: "relative paths start at the working directory" });
}
