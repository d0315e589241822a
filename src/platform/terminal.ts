/** The terminal that a person reads: standard output and standard error. */
import type { Terminal } from "../ports/terminal.ts";

const COLUMNS_UNKNOWN = 80;

/** Colours follow standard error, where people's messages go, and the NO_COLOR convention. */
export function denoTerminal(): Terminal {
  const isTerminal = Deno.stderr.isTerminal();
  return {
    out: (text) => writeWhole(Deno.stdout, text),
    err: (text) => writeWhole(Deno.stderr, text),
    isTerminal,
    colors: isTerminal && !Deno.noColor,
    get width() {
      try {
        return Deno.consoleSize().columns || COLUMNS_UNKNOWN;
      } catch {
        return COLUMNS_UNKNOWN; // Not a terminal.
      }
    },
  };
}

/** A system call may take a part only. */
export function writeWhole(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let done = 0; done < bytes.length;) done += stream.writeSync(bytes.subarray(done));
  } catch (error) {
    // The reader has gone, as in `millrace test | head -1`: the work goes on, nobody listens.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
