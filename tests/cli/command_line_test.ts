/**
 * What people see: words in; standard output, standard error and exit code out, compared with the files in snapshots/ as a whole.
 * UPDATE_SNAPSHOTS=1 writes them; read the difference before committing it.
 */
import assert from "node:assert/strict";
import { freshClone, runMillrace } from "../support/clone.ts";

const SNAPSHOTS = new URL("./snapshots/", import.meta.url);

interface Case {
  readonly name: string;
  readonly words: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Commands run before, that must end with 0. */
  readonly before?: readonly (readonly string[])[];
}

const PAYMENTS = "id,account,amount\n1,ann,400.00\n2,bob,1.005\n3,ann,x\n4,,5.00\n";
const SMALL = `[sources.payments]
type   = "csv"
path   = "payments.csv"
fields = { id = "int", account = "string", amount = "decimal(2)" }

[transforms.large]
type   = "filter"
inputs = ["payments"]
where  = "amount >= 5.00"

[sinks.large]
type   = "csv"
inputs = ["large"]
path   = "out/large.csv"

[[tests]]
name           = "small ones go"
given.payments = [{ id = 1, amount = 4.99 }, { id = 2, amount = 5.00 }]
expect.large   = [{ id = 2 }]
`;
const small = { "small.toml": SMALL, "payments.csv": PAYMENTS };

const CASES: readonly Case[] = [
  { name: "help", words: ["--help"] },
  { name: "no words is help", words: [] },
  { name: "run help", words: ["run", "--help"] },
  { name: "load help", words: ["load", "--help"] },
  { name: "check help", words: ["check", "--help"] },
  { name: "plan help", words: ["plan", "--help"] },
  { name: "state help", words: ["state", "--help"] },
  { name: "rejects help", words: ["rejects", "--help"] },
  { name: "redrive help", words: ["redrive", "--help"] },
  { name: "test help", words: ["test", "--help"] },
  { name: "prove help", words: ["prove", "--help"] },
  { name: "generate help", words: ["generate", "--help"] },
  { name: "stream help", words: ["stream", "--help"] },
  { name: "serve help", words: ["serve", "--help"] },
  { name: "client help", words: ["client", "--help"] },
  { name: "nothing to serve", words: ["serve", "-c", "small.toml"], files: small },
  { name: "a client of nobody", words: ["client", "127.0.0.1:1"] },
  { name: "not a duration", words: ["run", "small.toml", "--for", "soon"], files: small },
  { name: "version", words: ["--version"] },
  { name: "unknown command", words: ["rum", "config"] },
  { name: "unknown option", words: ["run", "x", "--reron"] },
  { name: "missing path", words: ["run"] },
  { name: "set without a value", words: ["run", "small.toml", "--set", "params.x"], files: small },
  { name: "no such project", words: ["run", "nowhere"] },
  { name: "no such pipeline", words: ["run", "small.toml", "smal"], files: small },
  { name: "no pipeline of that kind", words: ["produce", "-c", "small.toml"], files: small },
  { name: "no such generator", words: ["generate", "cats"] },
  { name: "run", words: ["run", "small.toml", "-q"], files: small },
  { name: "run again", words: ["run", "small.toml", "-q"], files: small, before: [["run", "small.toml", "-q"]] },
  { name: "missing input", words: ["run", "small.toml"], files: { "small.toml": SMALL } },
  { name: "check", words: ["check", "small.toml"], files: small },
  { name: "check as JSON", words: ["check", "small.toml", "--json"], files: small },
  { name: "test", words: ["test", "small.toml"], files: small },
  { name: "failing test", words: ["test", "small.toml"], files: { "small.toml": SMALL.replace("{ id = 2 }]\n", "{ id = 3 }]\n") } },
  {
    name: "every fault at once",
    words: ["check", "wrong.toml"],
    files: {
      "wrong.toml": SMALL.replace('"filter"', '"filtre"').replace('"decimal(2)"', '"decimel(2)"').replace(
        'path   = "out/large.csv"',
        'paht   = "out/large.csv"',
      )
        .replace('inputs = ["payments"]', 'inputs = ["payment"]'),
    },
  },
  {
    name: "faulty expression",
    words: ["check", "wrong.toml"],
    files: { "wrong.toml": SMALL.replace("amount >= 5.00", "amuont >= 5.00 and id = 1") },
  },
  { name: "wrong types", words: ["check", "wrong.toml"], files: { "wrong.toml": SMALL.replace("amount >= 5.00", "amount >= 'five'") } },
  { name: "not TOML", words: ["check", "wrong.toml"], files: { "wrong.toml": "[sources.x\ntype = 1\n" } },
];

/** Times and run ids differ from run to run. */
function settled(text: string, folder: string): string {
  return text.replaceAll(folder, "FOLDER").replaceAll(/\b\d+(\.\d+)? (ms|s)\b/g, "N ms");
}

for (const { name, words, files, env, before } of CASES) {
  Deno.test(`command line: ${name}`, async () => {
    const clone = await freshClone();
    try {
      for (const [file, text] of Object.entries(files ?? {})) await Deno.writeTextFile(`${clone.folder}/${file}`, text);
      for (const earlier of before ?? []) assert.equal((await runMillrace(earlier, clone.folder, env)).code, 0);
      const { code, stdout, stderr } = await runMillrace(words, clone.folder, env);
      const seen = settled(`$ millrace ${words.join(" ")}\nexit ${code}\n--- stdout\n${stdout}--- stderr\n${stderr}`, clone.folder);
      const snapshot = new URL(`${name.replaceAll(" ", "_")}.txt`, SNAPSHOTS);
      if (Deno.env.get("UPDATE_SNAPSHOTS")) await Deno.writeTextFile(snapshot, seen);
      assert.equal(seen, await Deno.readTextFile(snapshot));
    } finally {
      await clone.remove();
    }
  });
}
