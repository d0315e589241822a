/** Components are loaded when a project names them, and faults are told with all of them at hand. */
import assert from "node:assert/strict";
import { openProject } from "../../src/app/open_project.ts";
import { loadRegistry } from "../../src/app/registry.ts";
import { rooms } from "../../src/connectors/mod.ts";
import { ConfigurationError } from "../../src/data/fault.ts";
import { Machine, Process } from "../connectors/support/memory_world.ts";

Deno.test("a room of connectors holds what it says, so that whoever names a type gets it", async () => {
  for (const { types, load } of rooms) {
    const { sources = [], sinks = [], connections = [] } = await load();
    assert.deepEqual([...new Set([...sources, ...sinks, ...connections].map(({ type }) => type))].sort(), [...types].sort());
  }
});

Deno.test("of the connectors, those of the named types are loaded and the files that every project needs", async () => {
  const { sources, sinks, transforms } = await loadRegistry(new Set(["console"]));
  assert.deepEqual([...sources.keys()], ["csv", "ndjson", "files"]);
  assert.deepEqual([...sinks.keys()], ["csv", "ndjson", "console"]);
  assert.deepEqual([...transforms.keys()], [...(await loadRegistry("all")).transforms.keys()]);
});

Deno.test("a misspelt type is told the nearest of all, loaded or not", async () => {
  const { files, ...world } = new Process(new Machine()).world();
  const toml = '[sources.a]\ntype = "csv"\npath = "a.csv"\nfields = { id = "int" }\n\n[sinks.b]\ntype = "kafkaa"\ninputs = ["a"]\n';
  await files.makeFolder("p");
  const handle = await files.open("p/one.toml", "write");
  await handle.write(new TextEncoder().encode(toml));
  handle.close();
  const opening = openProject({ ...world, files }, { path: "p/one.toml", overrides: new Map() });
  await assert.rejects(opening, (error) => {
    assert(error instanceof ConfigurationError);
    assert.match(error.faults.map(({ message, hint }) => `${message} ${hint}`).join("\n"), /there is no sink of type "kafkaa".*"kafka"/);
    return true;
  });
});
