/**
 * What every sink is given, and what must stand in it: payments of accounts, each with its account's running balance and count. Made and
 * reckoned here by plain arithmetic; nothing of the product is asked. So a payment that is lost, doubled, or met by a stale state shows.
 */
export const PARTITIONS = 2;
const ACCOUNTS = 37;

/** A row as an independent reader gives it, its values as texts: id, account, amount, balance, count. */
export type Row = readonly [id: string, account: string, amount: string, balance: string, count: string];

interface Payment {
  readonly id: number;
  readonly account: number;
  readonly cents: number;
}
const paymentOf = (id: number): Payment => ({ id, account: (id * 7) % ACCOUNTS, cents: (id * 7919) % 100_000 + 1 });
const payments = (count: number): Payment[] => Array.from({ length: count }, (_, id) => paymentOf(id));
const money = (cents: number): string => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;

/** The payments as a file of CSV. */
export function csvOf(count: number): string {
  return ["id,account,amount", ...payments(count).map(({ id, account, cents }) => `${id},${account},${money(cents)}`)].join("\n") + "\n";
}
/** The payments as messages; all of an account go to one partition. */
export function messagesOf(from: number, to: number): { readonly partition: number; readonly key: string; readonly value: string }[] {
  return Array.from({ length: to - from }, (_, i) => paymentOf(from + i)).map(({ id, account, cents }) => ({
    partition: account % PARTITIONS,
    key: String(account),
    value: `{"id":${id},"account":${account},"amount":${money(cents)}}`,
  }));
}

/** A row of values as clients print them: numbers without or with their zeros. */
export function rowOf([id, account, amount, balance, count]: readonly unknown[]): Row {
  const decimal = (value: unknown) => Number(value).toFixed(2);
  return [String(id), String(account), decimal(amount), decimal(balance), String(count)];
}

/** "all": a row for each payment. "newest": the last one of each account. */
export type Content = "all" | "newest";

export function expectedRows(count: number, content: Content): readonly Row[] {
  const totals = new Map<number, { cents: number; count: number }>();
  const newest = new Map<number, Row>();
  const rows = payments(count).map(({ id, account, cents }): Row => {
    const before = totals.get(account) ?? { cents: 0, count: 0 };
    const after = { cents: before.cents + cents, count: before.count + 1 };
    totals.set(account, after);
    const row: Row = [String(id), String(account), money(cents), money(after.cents), String(after.count)];
    newest.set(account, row);
    return row;
  });
  return content === "all" ? rows : [...newest.values()];
}

/** Rows are told apart by their ids: `wrong` has an expected id and other values, or an id that nobody sent. */
export interface Verdict {
  readonly expected: number;
  readonly found: number;
  readonly lost: number;
  readonly doubled: number;
  readonly wrong: number;
  readonly examples: readonly string[];
}
export const NOTHING: Verdict = { expected: 0, found: 0, lost: 0, doubled: 0, wrong: 0, examples: [] };
const EXAMPLES_MAX = 3;

export function judge(expected: readonly Row[], found: readonly Row[]): Verdict {
  const wished = new Map(expected.map((row) => [row[0], row.join(" ")]));
  const seen = new Set<string>();
  const doubled: string[] = [];
  const wrong: string[] = [];
  for (const row of found) {
    const text = row.join(" ");
    if (wished.get(row[0]) !== text) wrong.push(text);
    if (seen.has(row[0])) doubled.push(text);
    seen.add(row[0]);
  }
  const lost = expected.filter(([id]) => !seen.has(id)).map((row) => row.join(" "));
  const some = (kind: string, rows: readonly string[]) => rows.slice(0, EXAMPLES_MAX).map((row) => `${kind}: ${row}`);
  return {
    expected: expected.length,
    found: found.length,
    lost: lost.length,
    doubled: doubled.length,
    wrong: wrong.length,
    examples: [...some("lost", lost), ...some("doubled", doubled), ...some("wrong", wrong)],
  };
}

export const isExact = ({ expected, found, lost, doubled, wrong }: Verdict): boolean =>
  lost + doubled + wrong === 0 && expected === found && expected > 0;

export function added(one: Verdict, other: Verdict): Verdict {
  return {
    expected: one.expected + other.expected,
    found: one.found + other.found,
    lost: one.lost + other.lost,
    doubled: one.doubled + other.doubled,
    wrong: one.wrong + other.wrong,
    examples: [...one.examples, ...other.examples],
  };
}
