/** An endless stream into files of parts, as a process: a planned stop shows what is open, the next start goes on behind it. */
import assert from "node:assert/strict";
import { eventually } from "../../services/instance.ts";
import { inTemporaryFolder, projectRoot } from "../../golden/command_line.ts";

const orders = (more: string) =>
  `[sources.orders]
type   = "generate"
what   = "trades"
seed   = 7
start  = "2025-09-04T23:11:55Z"
rate   = "5000/s"
${more}
fields = { transaction_id = "string", symbol = "string" }
`;
const ENDLESS = `${orders("")}
[sinks.lake]
type    = "ndjson"
inputs  = ["orders"]
publish = "parts"
path    = "lake"
roll    = { every = "1h" }
`;
const bounded = (count: number) =>
  `${orders(`count = ${count}`)}
[sinks.all]
type   = "ndjson"
inputs = ["orders"]
path   = "all.ndjson"
`;

function start(folder: string, file: string) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${projectRoot()}/src/main.ts`, "run", file, "--quiet"],
    cwd: folder,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}
async function ended(child: Deno.ChildProcess): Promise<void> {
  const { code, stderr } = await child.output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
}

/** The newest journal; its name tells which start it belongs to. */
function newestJournal(folder: string): { readonly name: string; readonly bytes: number } {
  let newest = { name: "", bytes: 0 };
  const walk = (path: string): void => {
    for (const { name, isDirectory } of Deno.readDirSync(path)) {
      if (isDirectory) walk(`${path}/${name}`);
      else if (name.endsWith(".journal") && name > newest.name) newest = { name, bytes: Deno.statSync(`${path}/${name}`).size };
    }
  };
  try {
    walk(`${folder}/.millrace`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return newest;
}
function shownLines(folder: string): string[] {
  const names = [...Deno.readDirSync(`${folder}/lake`)].map(({ name }) => name).filter((name) => name.endsWith(".ndjson")).sort();
  return names.flatMap((name) => Deno.readTextFileSync(`${folder}/lake/${name}`).trimEnd().split("\n"));
}

Deno.test("each stop of an endless stream shows what is open, and the next start goes on with the next row", () =>
  inTemporaryFolder(async (folder) => {
    Deno.writeTextFileSync(`${folder}/stream.toml`, ENDLESS);
    let shown = 0;
    for (let round = 0; round < 2; round++) {
      const before = newestJournal(folder).name;
      const child = start(folder, "stream.toml");
      const hasRows = () =>
        eventually(() => {
          const { name, bytes } = newestJournal(folder);
          return Promise.resolve(name !== before && bytes > 30_000);
        }, 30_000);
      assert.ok(await hasRows(), "the stream began");
      child.kill("SIGTERM");
      await ended(child);
      const lines = shownLines(folder);
      assert.ok(lines.length > shown + 200, `${shown}, then ${lines.length} rows`);
      shown = lines.length;
    }
    Deno.writeTextFileSync(`${folder}/all.toml`, bounded(shown));
    await ended(start(folder, "all.toml"));
    assert.deepEqual(shownLines(folder), Deno.readTextFileSync(`${folder}/all.ndjson`).trimEnd().split("\n"));
  }));
