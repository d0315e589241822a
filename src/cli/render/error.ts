/** Faults and errors as people read them. Never a stack, unless the fault is ours. */
import { ConfigurationError, MillraceError } from "../../data/fault.ts";
import { renderFaults } from "../../project/mod.ts";

/** Ends with a line end. */
export function renderError(error: unknown): string {
  if (error instanceof ConfigurationError) {
    const count = error.faults.length;
    return `${renderFaults(error.faults)}\n${count} fault${count === 1 ? "" : "s"} in the configuration\n`;
  }
  if (error instanceof MillraceError) {
    return `error[${error.code}]: ${error.message}\n` + (error.hint ? `  hint: ${error.hint}\n` : "");
  }
  const ours = error instanceof Error ? error.stack ?? error.message : String(error);
  return `error[internal]: a fault in millrace itself; nothing that was committed is lost\n${ours}\n`;
}
