/** The connection's files of statements. Invariant: every statement is run at every start, in order, or the start stops at it. */
import { MillraceError } from "../../data/fault.ts";
import type { World } from "../../ports/mod.ts";
import { readSetupFile } from "../sql/setup_file.ts";
import type { Session } from "./driver.ts";

/** Runs all statements of the files. */
export async function runSetup(session: Session, files: readonly string[], world: Pick<World, "files">): Promise<void> {
  for (const path of files) {
    for (const [at, sql] of statementsOf(await readSetupFile(path, world.files)).entries()) {
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
