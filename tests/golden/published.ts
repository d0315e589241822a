/**
 * The published case cards-22, which lies beside the checkout and is not part of the project, and the comparison that C-28
 * asks for: money as integers after rounding the published text to cents, everything else as text.
 */
import assert from "node:assert/strict";

/** Names of the four published files. */
export const FILE_NAMES = ["stream_transactions", "batch_transactions", "cards_updated", "customers_updated"] as const;
/** One of them. */
export type FileName = typeof FILE_NAMES[number];

/** The case's texts by name. */
export interface PublishedCase {
  readonly folder: string;
  readonly input: Readonly<Record<"customers" | "cards" | "transactions", string>>;
  readonly expected: Readonly<Record<FileName, string>>;
}

const MONEY = new Set(["amount", "pending_balance", "credit_limit", "current_balance"]);

/** The case, or null where its folder is missing; under CI that is an error, for a gate must not pass by omission. */
export async function publishedCase(): Promise<PublishedCase | null> {
  const folder = new URL("../../../shared/golden/cards-22/", import.meta.url);
  const read = (path: string) => Deno.readTextFile(new URL(path, folder));
  try {
    const [customers, cards, transactions] = await Promise.all(
      ["input/customers.csv", "input/cards.csv", "input/transactions.csv"].map(read),
    );
    const expected = await Promise.all(FILE_NAMES.map(async (name) => [name, await read(`expected/${name}.csv`)] as const));
    return {
      folder: decodeURIComponent(folder.pathname),
      input: { customers, cards, transactions },
      expected: Object.fromEntries(expected) as Record<FileName, string>,
    };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    if (Deno.env.get("CI") === "true") throw new Error("the published case shared/golden/cards-22 is missing beside the checkout");
    console.log("skipped: cards-22 (no folder shared/golden beside the checkout)");
    return null;
  }
}

/** Compares every row, the header included; returns the number of rows without it. */
export function assertSameAsPublished(
  name: string,
  actual: readonly (readonly string[])[],
  expected: readonly (readonly string[])[],
): number {
  assert.deepEqual(actual[0], expected[0], `${name}: header`);
  assert.equal(actual.length, expected.length, `${name}: number of rows`);
  for (const [index, wished] of expected.entries()) {
    if (index === 0) continue;
    for (const [column, header] of expected[0].entries()) {
      const given = actual[index][column];
      const same = MONEY.has(header)
        ? /^-?\d+\.\d\d$/.test(given) && given !== "-0.00" &&
          BigInt(given.replace(".", "")) === BigInt(Math.round(Number(wished[column]) * 100))
        : given === wished[column];
      assert.ok(same, `${name}, row ${index}, ${header}: ${given} instead of ${wished[column]}`);
    }
  }
  return actual.length - 1;
}
