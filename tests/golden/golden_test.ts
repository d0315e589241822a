/** The card workload end to end, through the command line, against published and computed results. */
import assert from "node:assert/strict";
import { expectedFiles } from "../oracle/expected_files.ts";
import { PROFILES, type Switches } from "../oracle/switches.ts";
import { csvCells } from "../oracle/text.ts";
import { committedFiles, computedFiles, goldenCases, inputFolder } from "./cases.ts";
import { type CardsRun, inTemporaryFolder, millrace, projectRoot } from "./command_line.ts";
import { assertSameAsPublished, FILE_NAMES, publishedCase } from "./published.ts";

const published = await publishedCase();
const PROFILE_NAMES = ["strict-zip", "refund-aware"] as const;
const PARTITIONS = [1, 2, 4];

/** Runs the whole project, which must succeed; gives the four files and the refused payments. */
async function filesOf(run: Omit<CardsRun, "output">): Promise<ReadonlyMap<string, string>> {
  return await inTemporaryFolder(async (output) => {
    const ended = await millrace("run", { ...run, output });
    assert.equal(ended.code, 0, ended.stderr || ended.stdout);
    const files = new Map(FILE_NAMES.map((name) => [`${name}.csv`, Deno.readTextFileSync(`${output}/${name}.csv`)]));
    return files.set("rejects.txt", refusedPayments(output));
  });
}
function refusedPayments(output: string): string {
  const lines = Deno.readTextFileSync(`${output}/rejects/order.ndjson`).split("\n").filter((line) => line !== "");
  const rejects = lines.map((line) => JSON.parse(line) as { position: number; reason: string; raw: string });
  return rejects.toSorted((a, b) => a.position - b.position).map((reject) => `${reject.position} ${reject.reason}\n`).join("");
}
function assertFiles(actual: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>): void {
  for (const [name, text] of expected) assert.equal(actual.get(name), text, name);
}

for (const profile of PROFILE_NAMES) {
  for (const partitions of PARTITIONS) {
    Deno.test({
      name: `cards-22 ${profile}: all four published files in ${partitions} partitions`,
      ignore: published === null,
      fn: async () => {
        const files = await filesOf({ input: `${published!.folder}input`, profile, partitions });
        const rows = FILE_NAMES.map((name) =>
          assertSameAsPublished(name, csvCells(files.get(`${name}.csv`)!), csvCells(published!.expected[name]))
        );
        assert.deepEqual(rows, [400, 400, 54, 30]);
      },
    });
  }
}

for (const golden of goldenCases) {
  Deno.test(`case ${golden.name}: the committed files are what generator and oracle give`, () => {
    for (const [name, text] of golden.input()) assert.equal(Deno.readTextFileSync(`${inputFolder(golden)}/${name}`), text, name);
    for (const run of golden.runs) assert.deepEqual(committedFiles(golden, run), computedFiles(golden, run), run.name);
  });
  for (const run of golden.runs) {
    for (const partitions of golden.name === "edges" && run.name !== "twice" ? PARTITIONS : [2]) {
      Deno.test(`case ${golden.name}, ${run.name}: the same bytes in ${partitions} partitions`, async () => {
        const set = settingsOf(run.turned);
        const files = await filesOf({ input: inputFolder(golden), profile: run.profile, partitions, format: golden.format, set });
        assertFiles(files, committedFiles(golden, run));
      });
    }
  }
}

/** Switches as `--set` takes them. */
function settingsOf(turned: Partial<Switches>): string[] {
  return Object.entries(turned).map(([name, value]) => {
    if (name === "limit_min_cents") return `params.limit_min=${Number(value) / 100}`;
    return `params.${name}=${Array.isArray(value) ? JSON.stringify(value) : value}`;
  });
}

const SINGLE_SWITCHES: readonly (readonly [keyof typeof PROFILES, Partial<Switches>])[] = [
  ["strict-zip", { order: "given" }],
  ["refund-aware", { credit_types: ["refund"] }],
  ["strict-zip", { zip_extract: "last_five" }],
  ["strict-zip", { zip_extract: "first_five", zip_missing: "skip" }],
  ["strict-zip", { sign_rule: true, unknown_customer: "skip", zip_missing: "skip" }],
  ["strict-zip", { credits_bypass_limit: true, posting: "twice", negative_usage: "keep" }],
  ["strict-zip", { score_min: 300n, score_max: 850n, limit_min_cents: 50000n, row_order: "input", cardless_customers: "keep" }],
];
for (const [profile, turned] of SINGLE_SWITCHES) {
  const set = settingsOf(turned);
  Deno.test(`datasets/cards ${profile} with ${set.join(" ")}: the files the oracle gives`, async () => {
    const input = `${projectRoot()}/datasets/cards`;
    assertFiles(await filesOf({ input, profile, set }), expectedFiles(input, { ...PROFILES[profile], ...turned }));
  });
}

Deno.test("a second start finds everything done and changes nothing", async () => {
  await inTemporaryFolder(async (output) => {
    const run = { input: inputFolder(goldenCases[0]), output };
    assert.equal((await millrace("run", run)).code, 0);
    const before = FILE_NAMES.map((name) => Deno.statSync(`${output}/${name}.csv`).mtime);
    const again = await millrace("run", run);
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(FILE_NAMES.map((name) => Deno.statSync(`${output}/${name}.csv`).mtime), before);
  });
});

Deno.test("unknown_card = stop ends the run without publishing its file", async () => {
  await inTemporaryFolder(async (output) => {
    const ended = await millrace("run", { input: inputFolder(goldenCases[0]), output, set: ["params.unknown_card=stop"] });
    assert.equal(ended.code, 1, ended.stdout);
    assert.match(ended.stderr, /known_cards/);
    assert.throws(() => Deno.statSync(`${output}/stream_transactions.csv`), Deno.errors.NotFound);
  });
});

Deno.test("config/cards checks clean and its own tests pass under both profiles", async () => {
  await inTemporaryFolder(async (output) => {
    const run = { input: inputFolder(goldenCases[0]), output };
    const ended = await Promise.all([
      millrace("check", run),
      ...PROFILE_NAMES.map((profile) => millrace("test", { ...run, profile })),
    ]);
    for (const { code, stdout, stderr } of ended) assert.equal(code, 0, stderr || stdout);
  });
});
