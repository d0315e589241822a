/** The connection's files of statements. Invariant: every statement is run at every start, in order, or the start stops at it. */
import type { World } from "../../ports/mod.ts";
import { readSetupFile, setupFault } from "../sql/setup_file.ts";
import type { Session } from "./driver.ts";

/** Runs all statements of the files. */
export async function runSetup(session: Session, paths: readonly string[], { files }: Pick<World, "files">): Promise<void> {
  for (const path of paths) {
    for (const [at, sql] of statementsOf(await readSetupFile(path, files)).entries()) {
      try {
        await session.run(sql);
      } catch (error) {
        throw setupFault(`statement ${at + 1} of ${path}`, error);
      }
    }
  }
}

/** Statements end with a semicolon at the end of a line; lines that begin with "--" say nothing. */
export function statementsOf(text: string): string[] {
  const lines = text.split(/\r?\n/).filter((line) => !line.trimStart().startsWith("--"));
  return lines.join("\n").split(/;[ \t]*(?:\n|$)/).map((statement) => statement.trim()).filter((statement) => statement !== "");
}
