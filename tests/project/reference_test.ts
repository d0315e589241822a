/** The generated pages tell every setting of every component. */
import assert from "node:assert/strict";
import { registry as shipped } from "../../src/app/full_registry.ts";
import { referencePages } from "../../src/project/mod.ts";
import { registry } from "./components.ts";

Deno.test("a page has the summary, every setting with its default, and the examples", () => {
  const pages = referencePages(registry);
  assert.deepEqual([...pages.keys()].sort(), [
    "README.md",
    "connection_log.md",
    "connection_store.md",
    "sink_console.md",
    "sink_csv.md",
    "sink_log.md",
    "sink_ndjson.md",
    "source_csv.md",
    "source_log.md",
    "source_ndjson.md",
    "transform_aggregate.md",
    "transform_join.md",
    "transform_map.md",
  ]);
  const page = pages.get("sink_csv.md")!;
  assert.ok(
    page.startsWith('# csv (sink)\n\nWrites csv files.\n\nWritten as `[sinks.NAME]` with `type = "csv"` and `inputs = ["..."]`.\n'),
  );
  assert.ok(page.includes("| `path` | text | required | The file or folder. |"));
  assert.ok(page.includes('| `publish` | one of | `"parts"` | When rows are seen. |\n| | `"one_file"` | | one file |'));
  assert.ok(page.includes('| `roll.size` | size ("64KiB") | `"64MiB"` | By size. |'));
  assert.ok(page.includes("| `lanes` | whole number of lanes, 1 to 16 | `1` | Lanes. |"));
  assert.ok(pages.get("source_csv.md")!.includes('```toml\n[sources.a]\ntype = "csv"'));
  assert.ok(pages.get("README.md")!.includes("- [csv](sink_csv.md): Writes csv files."));
});

Deno.test("every shipped component has a page", () => {
  const pages = referencePages(shipped);
  for (const role of ["sources", "transforms", "sinks", "connections"] as const) {
    for (const type of shipped[role].keys()) assert.ok(pages.has(`${role.slice(0, -1)}_${type}.md`), `${role} ${type}`);
  }
});
