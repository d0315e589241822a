/** Faults and errors as people read them. Never a stack, unless the fault is ours. */
import { ConfigurationError, MillraceError } from "../../data/fault.ts";
import { renderFaults } from "../../project/mod.ts";

/** What helps against errors of the operating system; nothing that was committed is lost by any of them. */
const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full: make room and start again, the run goes on where it was",
  EDQUOT: "the disk quota is used up: make room and start again, the run goes on where it was",
  EACCES: "give this user the right to write there, or choose another place",
  EPERM: "give this user the right to write there, or choose another place",
  EROFS: "the file system is read-only: choose another place",
  ENOTDIR: "a part of the path is a file: remove it, or choose another place",
  EISDIR: "there is a folder where a file should be: remove it, or choose another place",
  EMFILE: "too many open files: raise the limit (ulimit -n)",
};
const OTHER_HINT = "the run goes on where it was when it is started again";

/** "ENOSPC" and the like, of errors that the operating system gave. */
function systemCode(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return null;
  return /^E[A-Z0-9]+$/.test(error.code) ? error.code : null;
}

/** Ends with a line end. */
export function renderError(error: unknown): string {
  if (error instanceof ConfigurationError) {
    const count = error.faults.length;
    return `${renderFaults(error.faults)}\n${count} fault${count === 1 ? "" : "s"} in the configuration\n`;
  }
  if (error instanceof MillraceError) {
    return `error[${error.code}]: ${error.message}\n` + (error.hint ? `  hint: ${error.hint}\n` : "");
  }
  const system = systemCode(error);
  if (system) return `error[${system.toLowerCase()}]: ${(error as Error).message}\n  hint: ${HINTS[system] ?? OTHER_HINT}\n`;
  const ours = error instanceof Error ? error.stack ?? error.message : String(error);
  return `error[internal]: a fault in millrace itself; nothing that was committed is lost\n${ours}\n`;
}
