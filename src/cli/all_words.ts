/** All words of the command line, by its library: also what is asked for help and version, and what is wrong. */
import { runParser } from "@optique/core/facade";
import { message } from "@optique/core/message";
import type { Terminal } from "../ports/mod.ts";
import { EXIT } from "./context.ts";
import { type Command, grammar } from "./grammar.ts";

/** The command; or, where something was printed instead, what `exit` throws. */
export function readAllWords(args: readonly string[], version: string, terminal: Terminal, exit: (code: number) => never): Command {
  return runParser(grammar, "millrace", args.length === 0 ? ["--help"] : args, {
    help: { command: true, option: true, onShow: exit },
    version: { value: version, option: true, onShow: () => exit(EXIT.done) },
    completion: { command: true, onShow: () => exit(EXIT.done) },
    aboveError: "none",
    onError: () => {
      terminal.err("  hint: millrace --help lists the commands, millrace COMMAND --help the options of one\n");
      return exit(EXIT.usage);
    },
    brief: message`Exactly-once payment streams from TOML, in one binary.`,
    footer: message`Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 another owner, 130 interrupted.`,
    stdout: (text) => terminal.out(text + "\n"),
    stderr: (text) => terminal.err(text + "\n"),
    colors: terminal.colors,
    maxWidth: Math.max(60, terminal.width),
    showDefault: false,
  });
}
