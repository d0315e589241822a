/**
 * Writes the files that are made from others: the editors' JSON Schema and the reference pages from the components' own definitions, and the
 * one pipeline of the fintech processors from their four.
 *   deno task gen           writes them
 *   deno task gen --check   says which are stale, and fails
 */
import { registry } from "../src/app/full_registry.ts";
import { jsonSchema, referencePages } from "../src/project/mod.ts";
import { togetherFile } from "./together.ts";

const PROCESSORS = ["lifecycle", "merchants", "metrics", "fraud"];

/** Path from the root to content. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const files = new Map([["config/millrace.schema.json", JSON.stringify(jsonSchema(registry), null, 2) + "\n"]]);
  for (const [name, text] of referencePages(registry)) files.set(`docs/reference/${name}`, text);
  const processors = PROCESSORS.map((name) =>
    [name, Deno.readTextFileSync(new URL(`../config/fintech/${name}.toml`, import.meta.url))] as const
  );
  return files.set("config/fintech/together.toml", togetherFile(new Map(processors)));
}

if (import.meta.main) {
  const stale: string[] = [];
  for (const [path, text] of generatedFiles()) {
    const now = await Deno.readTextFile(path).catch(() => "");
    if (now === text) continue;
    stale.push(path);
    if (Deno.args.includes("--check")) continue;
    await Deno.mkdir(path.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(path, text);
  }
  const verb = Deno.args.includes("--check") ? "stale" : "written";
  for (const path of stale) console.log(`${verb}: ${path}`);
  if (stale.length > 0 && Deno.args.includes("--check")) Deno.exit(1);
}
