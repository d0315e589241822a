/** TOML files, damaged as bytes: the parser alone, and the whole loader. What is not taken has faults, each with its place. */
import assert from "node:assert/strict";
import { registry } from "../../../src/app/full_registry.ts";
import { ConfigurationError, type Fault } from "../../../src/data/fault.ts";
import { parseToml } from "../../../src/project/toml.ts";
import { planIntake } from "../../../src/transforms/intake.ts";
import type { Dice } from "../../data/json_fuzz.ts";
import { load } from "../../project/support.ts";
import type { Account, Target } from "../harness.ts";
import { bytesOf, type Material, mutated } from "../mutate.ts";

const FORMS = `# everything that TOML has
title = "a \\"text\\" \\u00e9"
raw = 'C:\\data'
long = """
two
lines"""
numbers = [1, -2, +3, 1_000, 0xff, 0o17, 0b11, 1.5, 6.02e23, inf, nan]
day = 2025-04-01
at = 2025-04-01T01:21:09.5Z
local = 2025-04-01 01:21:09
time = 01:21:09
point = { x = 1, y.z = [ { a = 1 }, { b = [] } ] }
a.b.c = true
[table."quoted key"]
yes = true
[[list]]
n = 1
[list.inner]
[[list]]
n = 2
`;
const WORDS = bytesOf([
  ..."= . [ ] [[ ]] { } , # \" ' \"\"\" ''' \\ \\u \\U0010ffff \n \r \t true inf nan - + _ é \ufeff \0 0x 2025-13-41 24:61:61".split(" "),
  "[a]\n",
  "[[a]]\n",
  "a.b",
  "a = ",
  "{a=",
  "[[",
  'x = "${X}"\n',
]);

/** A fault stands in its file; one of what is no text is the whole file's. */
function checkFault({ span, message }: Fault, lines: number | null): void {
  assert.ok(span !== null && message !== "", message);
  if (lines === null) return assert.deepEqual([span.line, span.column], [0, 0], message);
  assert.ok(span.line >= 1 && span.line <= lines && span.column >= 1, `${span.line}:${span.column} of ${lines} lines: ${message}`);
}
const linesIn = (text: string): number => text.split("\n").length;
/** null: not UTF-8. */
function linesInBytes(bytes: Uint8Array): number | null {
  try {
    return linesIn(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
}

export const toml: Target = {
  name: "toml",
  gateInputs: 8_000,
  open: () => {
    const material: Material = { corpus: bytesOf([FORMS, ...FORMS.split("\n").filter((line) => !line.startsWith('"'))]), words: WORDS };
    return Promise.resolve({
      run: (dice: Dice, account: Account) => {
        const text = new TextDecoder().decode(mutated(material, dice));
        const faults: Fault[] = [];
        const tree = parseToml("p.toml", text, (fault) => faults.push(fault));
        if (tree !== null) {
          assert.equal(faults.length, 0);
          return account("accepted");
        }
        assert.equal(faults.length, 1);
        checkFault(faults[0], linesIn(text));
        account(`refused ${faults[0].code}`);
      },
    });
  },
};

const SHIPPED = new URL("../../../config/cards/", import.meta.url);

export const project: Target = {
  name: "project",
  gateInputs: 40,
  open: async () => {
    const shipped: Record<string, string> = {};
    for await (const { name } of Deno.readDir(SHIPPED)) {
      if (name.endsWith(".toml")) shipped[`p/${name}`] = await Deno.readTextFile(new URL(name, SHIPPED));
    }
    const names = Object.keys(shipped).sort();
    const keys = Object.values(shipped).join("\n").match(/^[a-z_]+ = .*$/gm) ?? [];
    const words = [...WORDS, ...bytesOf(keys.map((key) => `\n${key}\n`))];
    return {
      run: async (dice: Dice, account: Account) => {
        const name = dice.pick(names);
        const bytes = mutated({ corpus: bytesOf([shipped[name]]), words }, dice);
        try {
          await load({ ...shipped, [name]: bytes } as Record<string, string | Uint8Array>, { options: { registry, intake: planIntake } });
          account("accepted");
        } catch (error) {
          if (!(error instanceof ConfigurationError)) throw error;
          assert.ok(error.faults.length > 0);
          for (const fault of error.faults) {
            const file = fault.span?.file ?? "";
            checkFault(fault, file === name ? linesInBytes(bytes) : linesIn(shipped[file] ?? ""));
          }
          account(`refused ${error.faults[0].code}`);
        }
      },
    };
  },
};
