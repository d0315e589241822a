/** A dedupe that remembers so many keys, against a list of them; what it holds and what a checkpoint of it writes stay the same for ever. */
import { equal, ok } from "node:assert/strict";
import { dedupe } from "../../src/transforms/dedupe.ts";
import { Disk } from "../engine/state/disk.ts";
import { randomFrom } from "../expr/oracle/generator.ts";
import { batchOf, Collected, planOf, run, table } from "./support.ts";

const { type } = table("id string | number int | there bool");

/** Which rows pass: those whose key is not among the newest `keep` keys that came before. */
function passing(ids: readonly (string | number)[], keep: number): boolean[] {
  const remembered: (string | number)[] = [];
  return ids.map((id) => {
    if (remembered.includes(id)) return false;
    remembered.push(id);
    if (remembered.length > keep) remembered.shift();
    return true;
  });
}

Deno.test("the newest keys by arrival are remembered, texts and numbers, however the rows are cut and recovered", () => {
  const random = randomFrom(20_261_123);
  const below = (limit: number) => Math.floor(random() * limit);
  for (let round = 0; round < 120; round++) {
    const keep = 1 + below(12);
    const kinds = 1 + below(2 * keep + 6);
    const texts = ["", "é", "日本", "a longer key than most of the others are"];
    const rows = Array.from({ length: below(120) }, () => {
      const number = below(kinds);
      return [texts[number] ?? `id ${number}`, number, below(10) > 0];
    });
    for (const key of ["id", "number"]) {
      const column = key === "id" ? 0 : 1;
      const seen = rows.filter((row) => row[2]);
      const passed = passing(seen.map((row) => row[column] as string | number), keep);
      const expected = seen.filter((_, i) => passed[i]).map(([id, number, there]) => `${id === "" ? "''" : id} | ${number} | ${there}`);
      const settings = { where: "there", key, keep: { count: keep } };
      const out = run(dedupe, { inputs: [{ type, rows }], settings }, { rowsMax: 1 + below(20), recovers: () => random() < 0.3 });
      equal((out.ports.get("out") ?? []).join("\n"), expected.join("\n"));
      equal(out.counts.duplicates, seen.length - expected.length);
      equal(out.ports.get("duplicates")?.length ?? 0, seen.length - expected.length);
      equal(out.counts.filtered, rows.length - seen.length);
    }
  }
});

Deno.test("what is held, stored and written does not grow with the keys that ever came", () => {
  const { plan } = planOf(dedupe, { inputs: [{ type, rows: [] }], settings: { key: "id", keep: { count: 2000 } } });
  const disk = new Disk();
  const state = disk.load();
  const operator = plan!.create({ lane: 0, state });
  state.restored();
  let next = 0;
  const epochs = (count: number): { readonly written: number; readonly stored: number; readonly held: number } => {
    let written = 0;
    for (let i = 0; i < count; i++) {
      const rows = Array.from({ length: 500 }, () => [`a key of some length ${next}`, next++, true]);
      operator.process(0, batchOf({ type, rows }, "rows", 0, rows.length), new Collected());
      const checkpoint = state.checkpoint(disk.epoch + 1);
      disk.write(checkpoint);
      disk.flip(disk.epoch + 1, checkpoint, state.layouts);
      written += checkpoint.sets.reduce((sum, { value }) => sum + value.length, 0);
    }
    return { written: written / count, stored: disk.bytes, held: state.sizes()[0].bytes };
  };
  epochs(20);
  const [early, late] = [epochs(20), (epochs(160), epochs(20))];
  equal(state.sizes()[0].rows, 2000);
  for (const what of ["written", "stored", "held"] as const) {
    ok(late[what] < 1.3 * early[what], `${what}: ${early[what]} bytes became ${late[what]}`);
  }
});
