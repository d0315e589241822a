/** The pages in docs/statements name tests that exist and carry the statement's number, and leave no number out. */
import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url);
const NUMBERED: Readonly<Record<string, readonly string[]>> = {
  "banking.md": [
    ...Array.from({ length: 20 }, (_, i) => `B-${i + 1}`),
    ...Array.from({ length: 10 }, (_, i) => `D${i + 1}`),
    ...Array.from({ length: 2 }, (_, i) => `P${i + 1}`),
  ],
  "fintech.md": [
    ...Object.entries({ D: 4, L: 8, M: 6, T: 6, F: 15, C: 5, G: 4, B: 23 }).flatMap(([letter, most]) =>
      Array.from({ length: most }, (_, i) => `${letter}${i + 1}`)
    ),
  ],
  "trades.md": [
    ...Array.from({ length: 27 }, (_, i) => `T-${i + 1}`),
    ...Array.from({ length: 10 }, (_, i) => `D${i + 1}`),
    ...Array.from({ length: 4 }, (_, i) => `W${i + 1}`),
  ],
};

/** "T-18 to T-21" in a test's name names those between, too. */
function numbersIn(text: string): Set<string> {
  const named = new Set([...text.matchAll(/\b([TDWBPLMFCG])(-?)(\d+)\b/g)].map(([whole]) => whole));
  for (const [, letter, from, to] of text.matchAll(/\b([TBP])-(\d+) to [TBP]-(\d+)\b/g)) {
    for (let n = Number(from); n <= Number(to); n++) named.add(`${letter}-${n}`);
  }
  return named;
}

for (const [page, wanted] of Object.entries(NUMBERED)) {
  Deno.test(`docs/statements/${page} is complete and names tests that say so`, async () => {
    const text = await Deno.readTextFile(new URL(`docs/statements/${page}`, ROOT));
    const rows = [...text.matchAll(/^\| ([TDWBPLMFCG]-?\d+)\s*\|([^|]*)\|([^|]*)\|$/gm)];
    assert.deepEqual(rows.map(([, id]) => id), wanted);
    for (const [, id, , proof] of rows) {
      const files = [...proof.matchAll(/tests\/\S+_test\.ts/g)].map(([path]) => path);
      if (files.length === 0) {
        assert.match(proof.trim(), /^(Not here: |Covered by )./, `${id} has neither a test nor a reason`);
        continue;
      }
      for (const file of files) {
        const source = await Deno.readTextFile(new URL(file, ROOT));
        const names = [...source.matchAll(/(?:Deno\.test|withServers)\(\s*[`"]([^`"]*)[`"]/g)].map(([, name]) => name).join("\n");
        if (!proof.trim().startsWith("Not here")) assert.ok(numbersIn(names).has(id), `no test in ${file} carries ${id} in its name`);
      }
    }
  });
}
