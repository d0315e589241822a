/**
 * The processors of config/fintech as their users start them, from topics of change data capture to the warehouse: equal to the model in every
 * profile, in any number of lanes, straight and killed again and again.
 */
import assert from "node:assert/strict";
import { given, type Processor } from "../oracle/fintech/acceptance.ts";
import type { Message, Profile } from "../oracle/fintech/rows.ts";
import { makeInputs } from "./inputs.ts";
import { expected, PROCESSORS, PROFILES } from "./model.ts";
import { comparable } from "./shipped.ts";
import { inFolder, runProcessors, warehouseRows, writeTopics } from "./whole.ts";

const SEED = 20250116;
const COUNT = Number(Deno.env.get("FINTECH_WHOLE") ?? 2000);
const LIVES_MAX = 60;

/** References first: so are topics read that are known to their ends. */
const { references, transactions } = makeInputs(COUNT, SEED);
const messages = [...references, ...transactions];

/** Rows in an order that does not depend on lanes; those of one key stay in theirs. */
function inOrder(processor: Processor, rows: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const key = (row: Record<string, unknown>): string =>
    JSON.stringify([row.customerId ?? row.merchantId, processor === "metrics" ? row.eventTime : ""]);
  return rows.map((row) => comparable(processor, row)).sort((a, b) => key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);
}

function assertEqualsModel(output: string, profile: Profile, processors: readonly Processor[], arrived: readonly Message[]): void {
  for (const processor of processors) {
    const rows = inOrder(processor, warehouseRows(output, processor, profile));
    const wished = inOrder(processor, expected(processor, profile, arrived, "event").rows as Record<string, unknown>[]);
    wished.forEach((row, i) => assert.deepEqual(rows[i], row, `${processor} ${profile}: row ${i} of ${wished.length}`));
    assert.equal(rows.length, wished.length, `${processor} ${profile}`);
  }
}

for (const profile of PROFILES) {
  for (const lanes of profile === "FIXED" ? [1, 2, 4] : [2]) {
    Deno.test(`${COUNT} transactions (seed ${SEED}) the whole way in ${lanes} lanes, ${profile}: the warehouse holds the model's rows`, async () => {
      await inFolder(async (output) => {
        await writeTopics(output, messages);
        const ran = await runProcessors({ output, profile, processors: PROCESSORS, lanes });
        assert.equal(ran.code, 0, ran.output);
        assertEqualsModel(output, profile, PROCESSORS, messages);
      });
    });
  }
}

Deno.test("windows by the clock in 2 lanes, behind a repartition: every transaction is in one of its customer's", async () => {
  await inFolder(async (output) => {
    const some = transactions.slice(0, 1000);
    await writeTopics(output, some);
    const ran = await runProcessors({
      output,
      profile: "FIXED",
      processors: ["metrics"],
      lanes: 2,
      env: { FINTECH_WINDOW_CLOCK: "arrival" },
    });
    assert.equal(ran.code, 0, ran.output);
    const counts = (rows: readonly Readonly<Record<string, unknown>>[]) => {
      const counted = new Map<unknown, number>();
      for (const row of rows) counted.set(row.customerId, (counted.get(row.customerId) ?? 0) + Number(row.transactionCount));
      return [...counted].sort(([a], [b]) => String(a) < String(b) ? -1 : 1);
    };
    assert.deepEqual(counts(warehouseRows(output, "metrics", "FIXED")), counts(expected("metrics", "FIXED", some).rows));
  });
});

for (
  const { name, lanes, processors } of [
    { name: "in 1 lanes", lanes: 1, processors: PROCESSORS },
    { name: "in 2 lanes", lanes: 2, processors: PROCESSORS },
    { name: "as one pipeline", lanes: 1, processors: "together" },
  ] as const
) {
  Deno.test(`killed at random steps ${name} (seed ${SEED}): the same rows`, async (test) => {
    await inFolder(async (output) => {
      const some = [...references, ...transactions.slice(0, 1000)];
      await writeTopics(output, some);
      let kills = 0;
      for (;; kills++) {
        assert.ok(kills < LIVES_MAX, `not done after ${LIVES_MAX} lives`);
        const env = { MILLRACE_KILL_AFTER_STEPS: String(70 + 30 * kills) };
        const ran = await runProcessors({ output, profile: "FIXED", processors, lanes, set: ["epoch.records_max=100"], env });
        if (ran.signal !== "SIGKILL") {
          assert.equal(ran.code, 0, ran.output);
          break;
        }
      }
      assertEqualsModel(output, "FIXED", PROCESSORS, some);
      await test.step(`${kills} kills`, () => assert.ok(kills >= 3));
    });
  });
}

Deno.test("D1: the example and the same row in an envelope give the same row in the warehouse", async () => {
  const rows = await Promise.all((["D1", "D1 in an envelope"] as const).map((name) =>
    inFolder(async (output) => {
      await writeTopics(output, given(name));
      const ran = await runProcessors({ output, profile: "EXT", processors: ["lifecycle"] });
      assert.equal(ran.code, 0, ran.output);
      assertEqualsModel(output, "EXT", ["lifecycle"], given(name));
      return inOrder("lifecycle", warehouseRows(output, "lifecycle", "EXT"));
    })
  ));
  assert.deepEqual(rows[0], rows[1]);
});

Deno.test("D3, D4: repeated and deleted rows are counted, bad ones rejected with their reasons, and the next one counts", async () => {
  await inFolder(async (output) => {
    const rows = [
      ...given("D3"),
      ...given("D4").map((message) => ({ ...message, value: { ...message.value, id: `x-${message.value.id}` } })),
    ];
    await writeTopics(output, rows);
    const ran = await runProcessors({ output, profile: "FIXED", processors: ["lifecycle"] });
    assert.equal(ran.code, 0, ran.output);
    const [{ rejected, counters }] = JSON.parse(ran.stdout);
    assert.deepEqual([rejected, counters.once.duplicates, counters.transactions.deletes], [3, 1, 1]);
    assertEqualsModel(output, "FIXED", ["lifecycle"], rows);
    const reasons = await rejectReasons(`${output}/rejects/lifecycle`);
    assert.deepEqual(reasons, ["json:transaction_location", "type:amount", "type:created_at"]);
  });
  await inFolder(async (output) => {
    await writeTopics(output, given("D3"));
    const ran = await runProcessors({ output, profile: "AS-RUN", processors: ["lifecycle"] });
    assert.equal(ran.code, 0, ran.output);
    assertEqualsModel(output, "AS-RUN", ["lifecycle"], given("D3"));
  });
});

async function rejectReasons(path: string): Promise<string[]> {
  const stat = await Deno.stat(path);
  const files = stat.isDirectory ? [...Deno.readDirSync(path)].filter(({ isFile }) => isFile).map(({ name }) => `${path}/${name}`) : [path];
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(file)));
  return texts.join("").trim().split("\n").map((line) => JSON.parse(line).reason as string).sort();
}
