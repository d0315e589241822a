/** The terminal that a person reads: standard output and standard error. */
import type { Screen, Terminal } from "../ports/terminal.ts";

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
    openScreen: () => Deno.stdin.isTerminal() && Deno.stdout.isTerminal() ? openScreen() : null,
  };
}

const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const KEY_BYTES = 64;

/** The alternate screen without a cursor; keys come one by one, Ctrl+C stays the signal that it is. */
function openScreen(): Screen {
  const decoder = new TextDecoder();
  const handlers: (() => void)[] = [];
  const resize = (): void => handlers.forEach((handler) => handler());
  let isOpen = true;
  Deno.stdin.setRaw(true, { cbreak: Deno.build.os !== "windows" });
  writeWhole(Deno.stdout, ENTER);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGWINCH", resize);
  return {
    size: () => Deno.consoleSize(),
    resized: (handler) => void handlers.push(handler),
    draw: (text) => isOpen && writeWhole(Deno.stdout, text),
    async *keys() {
      const bytes = new Uint8Array(KEY_BYTES);
      while (isOpen) {
        const count = await Deno.stdin.read(bytes);
        if (count === null || !isOpen) return;
        yield decoder.decode(bytes.subarray(0, count));
      }
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      if (Deno.build.os !== "windows") Deno.removeSignalListener("SIGWINCH", resize);
      writeWhole(Deno.stdout, LEAVE);
      Deno.stdin.setRaw(false);
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
