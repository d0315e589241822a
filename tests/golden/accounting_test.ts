/** What a run says and keeps besides its four files: counts that add up, refused records as they came, tables as exact as the files. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { oracle } from "../oracle/cards.ts";
import { readInputs } from "../oracle/expected_files.ts";
import { PROFILES } from "../oracle/switches.ts";
import { inTemporaryFolder, millrace, projectRoot } from "./command_line.ts";
import { tableRows } from "./tables.ts";

interface Counters {
  readonly in: number;
  readonly out: number;
  readonly filtered: number;
  readonly duplicates: number;
  readonly folded: number;
  readonly late: number;
  readonly rejected: number;
}
interface Outcome {
  readonly pipeline: string;
  readonly counters: Readonly<Record<string, Counters>>;
  readonly checks: readonly { readonly name: string; readonly passed: boolean }[];
}

Deno.test("datasets/cards: counts, rejects and tables are those the oracle gives", async () => {
  const input = `${projectRoot()}/datasets/cards`;
  const expected = oracle(readInputs(input), PROFILES["strict-zip"]);
  await inTemporaryFolder(async (output) => {
    const ended = await millrace("run", { input, output, partitions: 3, set: ["epoch.records_max=100"] });
    assert.equal(ended.code, 0, ended.stderr);
    const outcomes = JSON.parse(ended.stdout) as readonly Outcome[];
    const counters = (pipeline: string, node: string) => outcomes.find((outcome) => outcome.pipeline === pipeline)!.counters[node];
    const { read, rejected, duplicates, accepted } = expected.counts;
    const declined = expected.reasons.filter((reason) => reason !== "").length;
    const none = { filtered: 0, duplicates: 0, folded: 0, late: 0, rejected: 0, deletes: 0 };
    assert.deepEqual(counters("order", "payments"), { ...none, in: read, out: read - rejected, rejected });
    assert.deepEqual(counters("produce", "once"), { ...none, in: read - rejected, out: accepted, duplicates });
    assert.deepEqual(counters("produce", "sink:topic"), { ...none, in: accepted, out: 0 });
    assert.deepEqual(counters("validate", "validate"), { ...none, in: accepted, out: accepted });
    assert.deepEqual(counters("settle", "settled"), { ...none, in: accepted, out: accepted });
    assert.deepEqual(counters("settle", "posted"), {
      ...none,
      in: accepted,
      out: new Set(expected.stream.map((row) => row[1])).size,
      folded: accepted,
    });
    assert.ok(declined > 0);

    assertRejects(input, output, expected.rejects);
    const database = new DatabaseSync(`${output}/cards.sqlite`, { readOnly: true });
    try {
      const decisions = expected.stream.map((row, index) => ({ id: row[0], reason: expected.reasons[index], pending: row[9] }));
      assert.deepEqual(
        tableRows(database, "decisions", ["transaction_id", "decline_reason", "pending_balance"]),
        decisions.map(({ id, reason, pending }) => [id, reason, pending]).toSorted(byId),
      );
      assert.deepEqual(tableRows(database, "stream_transactions", null), expected.stream.toSorted(byId));
      assert.deepEqual(tableRows(database, "batch_transactions", null), expected.batch.toSorted(byId));
      assert.deepEqual(tableRows(database, "cards_updated", null), expected.cards.toSorted(byId));
      assert.deepEqual(tableRows(database, "customers_updated", null), expected.customers.toSorted(byId));
    } finally {
      database.close();
    }
  });
});

function assertRejects(input: string, output: string, expected: readonly { readonly row: number; readonly code: string }[]): void {
  const lines = Deno.readTextFileSync(`${input}/transactions.csv`).split("\r\n").slice(1);
  const kept = Deno.readTextFileSync(`${output}/rejects/order.ndjson`).trimEnd().split("\n").map((line) => {
    const { source, position, step, reason, raw } = JSON.parse(line);
    return { source, position, step, reason, raw };
  });
  const wished = expected.map(({ row, code }) => ({
    source: "payments",
    position: row,
    step: "payments",
    reason: code,
    raw: lines[row - 1],
  }));
  assert.deepEqual(kept.toSorted((a, b) => a.position - b.position), wished);
}

function byId(a: readonly string[], b: readonly string[]): number {
  return Number(a[0]) - Number(b[0]);
}
