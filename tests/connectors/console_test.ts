/** The console sink: lines, and groups of lines under a title, drawn in place on a terminal. */
import assert from "node:assert/strict";
import type { World } from "../../src/ports/mod.ts";
import { GroupedLines } from "../../src/connectors/console/grouped_lines.ts";
import { Machine, Process } from "./support/memory_world.ts";
import { faultsOf, plan } from "./support/project.ts";
import { batchOf } from "./support/rows.ts";

const pipeline = (settings: string): string =>
  `[sources.in]\ntype = "ndjson"\npath = "x"\nfields = { at = "timestamp", name = "string", n = "int" }\n` +
  `[sinks.screen]\ntype = "console"\ninputs = ["in"]\n${settings}\n`;

/** Delivers each list of rows as an epoch of its own. */
async function print(settings: string, isTerminal: boolean, ...epochs: (readonly unknown[])[][]): Promise<string> {
  const { plan: sinkPlan, input } = (await plan(pipeline(settings))).sinks.find(({ name }) => name === "screen")!;
  let printed = "";
  const console = { write: (text: string) => void (printed += text), isTerminal };
  const world: World = { ...new Process(new Machine()).world(), console };
  const lane = sinkPlan.create(world).lane(0);
  await lane.fence(1);
  for (const [i, rows] of epochs.entries()) {
    lane.write(batchOf(input, rows));
    assert.equal(lane.bytesHeld() > 0, rows.length > 0);
    await lane.deliver({ pipeline: "p", run: "r", lane: 0, epoch: i + 1, owner: 1, digest: "d", timeMicros: 0 });
  }
  return printed;
}
const A = 1_757_027_520_000_000;
const B = A + 5_000_000;
const GROUPED = 'title = "--- last 5s ---"\nline = "{name}: {n}"\ngroup = ["at"]';

Deno.test("console: a row is its template, or JSON; groups stand under their title, an empty line apart", async () => {
  assert.equal(await print('line = "{{{name}} {n} {at}"', false, [[A, "a", 1]]), "{a} 1 2025-09-04T23:12:00Z\n".replace("{a}", "{a}"));
  assert.equal(await print("", false, [[A, "a", 1]]), '{"at":"2025-09-04T23:12:00Z","name":"a","n":1}\n');
  const epochs = [[[A, "a", 1], [A, "b", 2]], [[A, "c", 3]], [], [[B, "a", 4], [B + 1, "a", 5]]];
  assert.equal(
    await print(GROUPED, false, ...epochs),
    "--- last 5s ---\na: 1\nb: 2\nc: 3\n\n--- last 5s ---\na: 4\n\n--- last 5s ---\na: 5\n",
  );
});

Deno.test("console: on a terminal the newest group takes the place of the one before, line for line", async () => {
  const up = (lines: number): string => `\x1b[${lines}A\x1b[J`;
  const epochs = [[[A, "a", 1], [A, "b", 2]], [[A, "c", 3]], [[B, "a", 4], [B + 1, "a", 5], [B + 1, "b", 6]], [[B + 2, "a", 7]]];
  assert.equal(
    await print(GROUPED, true, ...epochs),
    // Of two groups in one epoch only the last would be seen.
    `--- last 5s ---\na: 1\nb: 2\nc: 3\n${up(4)}--- last 5s ---\na: 5\nb: 6\n${up(3)}--- last 5s ---\na: 7\n`,
  );
});

Deno.test("console: without a title a group is only parted from the one before; without groups there is one title", () => {
  const parted = new GroupedLines({ title: "", inPlace: "append" });
  assert.equal(parted.render([{ group: "1", line: "a" }, { group: "2", line: "b" }]), "a\n\nb\n");
  const one = new GroupedLines({ title: "T", inPlace: "append" });
  assert.equal(one.render([{ group: "", line: "a" }]) + one.render([{ group: "", line: "b" }]) + one.render([]), "T\na\nb\n");
});

Deno.test("console: fields that are not there are told, with those that are", async () => {
  assert.match(await faultsOf(pipeline('line = "{nam}"')), /there is no field "nam" to print\n\s+hint: the rows have: at, name, n/);
  assert.match(await faultsOf(pipeline('group = ["window"]')), /there is no field "window" to group by/);
});
