/** Words that are read without the command line's library mean what the library reads in them. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { readAllWords } from "../../src/cli/all_words.ts";
import { readPlainWords } from "../../src/cli/plain_words.ts";
import type { Terminal } from "../../src/ports/mod.ts";

/** What the library reads; null where it prints something instead. */
function readByLibrary(args: readonly string[]): unknown {
  const terminal: Terminal = { out() {}, err() {}, isTerminal: false, colors: false, width: 80 };
  class Printed extends Error {}
  try {
    return readAllWords(args, "1.0.0", terminal, () => {
      throw new Printed();
    });
  } catch (error) {
    if (error instanceof Printed) return null;
    throw error;
  }
}

const COMMANDS = ["run", "load", "produce", "stream", "batch"];
const FLAGS = ["--rerun", "-q", "--quiet", "--stay", "--json"];
const VALUED: Readonly<Record<string, string>> = {
  "--set": "params.x=1",
  "--env-file": ".env",
  "--for": "30s",
  "--count": "12",
  "--stop-within": "5s",
  "--dashboard": "127.0.0.1:0",
  "--dashboard-token-file": "token",
  "--log": "json",
  "--log-level": "debug",
};
const ODD = [
  "--help",
  "--version",
  "-h",
  "-x",
  "--",
  "-",
  "",
  "--count=3",
  "--quiet=1",
  "-qc",
  "help",
  "version",
  "run",
  "/q",
  "+q",
  "@file",
];
const valued = (): string[][] => Object.entries({ ...VALUED, "-c": "folder", "--config": "folder" });
const values = ["0", "007", "1.5", "-1", "1e3", "9007199254740993", "text", "JSON", " json", "--json", "x y"];

Deno.test("each option of the commands that run pipelines is read as the library reads it", () => {
  for (const command of COMMANDS) {
    const own = command === "run" ? [] : [["-c", "folder"], ["--config", "folder"]];
    const options = [[], ...FLAGS.map((flag) => [flag]), ...Object.entries(VALUED), ...own];
    for (const words of [...options, options.slice(0, 4).flat(), ["--set", "a=1", "--set", "b=2"]]) {
      const args = [command, "one", ...words, "two"];
      // Two spellings of one option are one option twice.
      if (words.includes("-q") && words.includes("--quiet")) continue;
      assert.notEqual(readPlainWords(args), null, args.join(" "));
      assert.deepEqual(readPlainWords(args), readByLibrary(args), args.join(" "));
    }
  }
});

Deno.test("what is read as plain words is read alike by the library, whatever stands there", () => {
  const word = fc.constantFrom(...FLAGS, ...valued().map(([name]) => name), ...ODD, ...values, "one", "two");
  const phrase = fc.oneof(
    fc.constantFrom(...FLAGS.map((flag) => [flag])),
    fc.constantFrom(...valued()),
    fc.constantFrom(["one"], ["two"]),
    fc.array(word, { maxLength: 2 }),
  );
  let plain = 0;
  fc.assert(
    fc.property(fc.constantFrom(...COMMANDS, "serve", "top", "constructor"), fc.array(phrase, { maxLength: 5 }), (command, phrases) => {
      const args = [command, ...phrases.flat()];
      const read = readPlainWords(args);
      if (read === null) return;
      plain++;
      assert.deepEqual(read, readByLibrary(args), args.join(" "));
    }),
    { numRuns: 3_000 },
  );
  assert(plain > 300, `only ${plain} were plain`);
});

Deno.test("help, faults and other commands are left to the library", () => {
  const left = [[], ["run"], ["run", "p", "--help"], ["run", "p", "--count", "0"], ["run", "p", "-q", "-q"], ["run", "p", "--log", "xml"]];
  for (const args of [...left, ["stream", "--no-such"], ["run", "p", "--for"], ["check", "p"], ["help", "run"]]) {
    assert.equal(readPlainWords(args), null, args.join(" "));
  }
});
