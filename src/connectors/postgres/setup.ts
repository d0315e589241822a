/**
 * The connection's files of statements, run at every start before a table is looked for. Invariant: all of them or none, and by one
 * process at a time.
 */
import type { World } from "../../ports/mod.ts";
import { inTransaction } from "../sql/session.ts";
import { readSetupFile, setupFault } from "../sql/setup_file.ts";
import type { Session } from "./driver.ts";
import { MAKING_LOCK } from "./limits.ts";

/** Does nothing without files. Throws what a statement threw, with the file's name. */
export async function runSetup(session: Session, paths: readonly string[], { files }: Pick<World, "files">): Promise<void> {
  if (paths.length === 0) return;
  const texts = await Promise.all(paths.map((path) => readSetupFile(path, files)));
  await inTransaction(session, async () => {
    await session.select("SELECT pg_advisory_xact_lock($1)", [MAKING_LOCK]);
    for (const [i, text] of texts.entries()) {
      try {
        await session.run(text);
      } catch (error) {
        throw setupFault(paths[i], error);
      }
    }
  });
}
