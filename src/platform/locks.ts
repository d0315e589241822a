/**
 * Exclusive ownership between processes: an open exclusive transaction on a small SQLite file. The kernel drops the lock when
 * the process dies, also by SIGKILL. The file itself stays: removing it would let two processes lock two files of one name.
 */
import { DatabaseSync } from "node:sqlite";
import type { Lock, Locks } from "../ports/locks.ts";

export const fileLocks: Locks = {
  async acquire(path): Promise<Lock | null> {
    const slash = path.lastIndexOf("/");
    if (slash > 0) await Deno.mkdir(path.slice(0, slash), { recursive: true });
    const database = new DatabaseSync(path);
    try {
      database.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
    } catch (error) {
      database.close();
      if (error instanceof Error && /locked|busy/.test(error.message)) return null;
      throw error;
    }
    let held = true;
    return {
      release() {
        if (held) database.close();
        held = false;
      },
    };
  },
};
