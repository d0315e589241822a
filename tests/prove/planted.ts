/** A copy of the shipped files with a bug in them. */
import assert from "node:assert/strict";
import type { PlantedBug } from "../sim/planted/bugs.ts";
import { projectRoot } from "./project.ts";

/** Gives the copy's main module. */
export async function withBug(copy: string, { file, edits }: PlantedBug): Promise<string> {
  await copyFolder(`${projectRoot()}/src`, `${copy}/src`);
  for (const name of ["deno.json", "deno.lock"]) await Deno.copyFile(`${projectRoot()}/${name}`, `${copy}/${name}`);
  let text = await Deno.readTextFile(`${copy}/${file}`);
  for (const { find, replace } of edits) {
    assert.equal(text.split(find).length, 2, `${file} says it in other words now: ${find}`);
    text = text.replace(find, () => replace);
  }
  await Deno.writeTextFile(`${copy}/${file}`, text);
  return `${copy}/src/main.ts`;
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    if (entry.isDirectory) await copyFolder(`${from}/${entry.name}`, `${to}/${entry.name}`);
    else await Deno.copyFile(`${from}/${entry.name}`, `${to}/${entry.name}`);
  }
}
