/** Whatever is done to a configuration: it loads, or its faults have places. It never breaks the loader. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { registry } from "../../src/app/full_registry.ts";
import { ConfigurationError } from "../../src/data/fault.ts";
import { planIntake } from "../../src/transforms/intake.ts";
import { load } from "./support.ts";

const SEED = 42;
const folder = new URL("../../config/cards/", import.meta.url);

async function shippedFiles(): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".toml")) files[`p/${name}`] = await Deno.readTextFile(new URL(name, folder));
  }
  return files;
}

const VALUES = ["1", '"x"', "true", "[]", "{}", "1.5", "2025-01-01", '"${X}"', '["a"]', "{ a = 1 }", "[{}]", '""', "[[]]"];

/** One change of one file: a line away, a line twice, two lines exchanged, another value, a word cut short. */
type Mutation = readonly [kind: number, file: number, line: number, other: number];

function mutate(files: Record<string, string>, [kind, file, line, other]: Mutation): void {
  const names = Object.keys(files).sort();
  const name = names[file % names.length];
  const lines = files[name].split("\n");
  const at = line % lines.length;
  if (kind === 0) lines.splice(at, 1);
  else if (kind === 1) lines.splice(at, 0, lines[other % lines.length]);
  else if (kind === 2) [lines[at], lines[other % lines.length]] = [lines[other % lines.length], lines[at]];
  else if (kind === 3) lines[at] = lines[at].replace(/=.*/, `= ${VALUES[other % VALUES.length]}`);
  else lines[at] = lines[at].replace(/(\w)\w*"/, '$1"');
  files[name] = lines.join("\n");
}

Deno.test("mutated configurations give projects or placed faults", async () => {
  const shipped = await shippedFiles();
  const mutation = fc.tuple(fc.nat(4), fc.nat(100), fc.nat(1000), fc.nat(1000));
  let refused = 0;
  const property = fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
    const files = { ...shipped };
    for (const one of mutations) mutate(files, one);
    try {
      await load(files, { options: { registry, intake: planIntake } });
    } catch (error) {
      assert.ok(error instanceof ConfigurationError, String(error instanceof Error ? error.stack : error));
      assert.ok(error.faults.length > 0);
      for (const { span, message } of error.faults) {
        assert.ok(span && message !== "", message);
        const lines = files[span.file]?.split("\n").length ?? 0;
        assert.ok(span.line >= 1 && span.line <= lines && span.column >= 1, `${span.file}:${span.line}:${span.column}: ${message}`);
      }
      refused++;
    }
  });
  await fc.assert(property, { seed: SEED, numRuns: 60 });
  assert.ok(refused > 30, `${refused} refused`);
});
