/** Rules about the tree as a whole. */
import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);

async function* filesUnder(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(new URL(folder, root))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* filesUnder(path);
    else yield path;
  }
}

Deno.test("no word of a workload stands under src outside the generators", async () => {
  const words = /\b(cards?|merchants?|frauds?|credit_limit|credit_score|tiers?|zips?)\b/i;
  const found: string[] = [];
  for await (const path of filesUnder("src")) {
    if (path.startsWith("src/connectors/generate/")) continue;
    const lines = (await Deno.readTextFile(new URL(path, root))).split("\n");
    lines.forEach((line, i) => {
      if (words.test(line)) found.push(`${path}:${i + 1}: ${line.trim()}`);
    });
  }
  assert.deepEqual(found, []);
});

Deno.test("no file under src is longer than 400 lines", async () => {
  const long: string[] = [];
  for await (const path of filesUnder("src")) {
    const lines = (await Deno.readTextFile(new URL(path, root))).split("\n").length;
    if (lines > 401) long.push(`${path}: ${lines}`);
  }
  assert.deepEqual(long, []);
});

Deno.test("every package that is imported has its reason in docs/decisions", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  let pages = "";
  for await (const path of filesUnder("docs/decisions")) pages += await Deno.readTextFile(new URL(path, root));
  for (const name of Object.keys(imports)) assert.ok(pages.includes(name.replace(/\/$/, "")), `${name} is not mentioned in docs/decisions`);
});

Deno.test("the map of the rooms lists the table that the lint plugin keeps", async () => {
  const { MAY_IMPORT } = await import("../../scripts/lint_plugin.ts");
  const map = await Deno.readTextFile(new URL("docs/ARCHITECTURE.md", root));
  for (const [room, allowed] of Object.entries(MAY_IMPORT)) {
    const row = map.split("\n").find((line) => line.startsWith(`| \`src/${room}\` `));
    assert.ok(row, `docs/ARCHITECTURE.md has no row for src/${room}`);
    const last = row.split("|")[3];
    if (last.includes("all of the above")) continue;
    for (const name of allowed) assert.ok(last.includes(`\`${name.split(":")[0]}\``), `the row of ${room} does not name ${name}`);
  }
});
