/**
 * What the simulated pipeline must have produced, computed the slow and obvious way. Imports nothing from src/, so that a mistake there
 * cannot hide itself here.
 *
 * The pipeline: records that come too late go aside; accounts with a ceiling. `once` drops a repeated id of an account, `ledger` skips amounts of zero, rejects what cannot be
 * shared out, declines what passes the ceiling, and adds the rest to the account's balance; `totals` sums the accepted per account.
 */
export const CEILING_CENTS = 50_000;
/** The reason with which a share among nobody is rejected. */
export const SHARE_REASON = "divisor_zero";
const SECOND_MICROS = 1_000_000;
/** 2026-01-01T00:00Z. */
const FIRST_MICROS = 1_767_225_600 * SECOND_MICROS;

export interface ModelRecord {
  readonly partition: number;
  readonly position: number;
  readonly id: number;
  readonly account: number;
  readonly amountCents: number;
  readonly parts: number;
  readonly note: string;
  /** Its event time. */
  readonly madeAtMicros: number;
  /** The source refuses it with this reason. */
  readonly flaw: string | null;
}

export interface LedgerRow {
  readonly partition: number;
  readonly position: number;
  readonly id: number;
  readonly account: number;
  readonly amountCents: number;
  readonly note: string;
  readonly status: "accepted" | "declined";
  readonly balanceCents: number;
  readonly share: number;
}
export interface RejectRow {
  readonly partition: number;
  readonly position: number;
  readonly step: string;
  readonly reason: string;
  readonly raw: string;
}
/** What came too late. */
export interface LateRow {
  readonly position: number;
  readonly id: number;
  readonly account: number;
}
export interface TotalRow {
  readonly account: number;
  readonly count: number;
  readonly sumCents: number;
}
export interface Expected {
  /** By partition, in order. */
  readonly ledger: readonly (readonly LedgerRow[])[];
  readonly rejects: readonly (readonly RejectRow[])[];
  readonly late: readonly (readonly LateRow[])[];
  /** Ascending accounts. */
  readonly totals: readonly TotalRow[];
  readonly counts: {
    readonly read: number;
    readonly flawed: number;
    readonly late: number;
    readonly duplicates: number;
    readonly skipped: number;
    readonly unshared: number;
  };
}

/** A record's text, which must come back in its reject. */
export function textOf(record: Omit<ModelRecord, "partition" | "position" | "madeAtMicros" | "flaw">): string {
  const { id, account, amountCents, parts, note } = record;
  return JSON.stringify({ id, account, amount_cents: amountCents, parts, note });
}

/** `count` records spread over partitions by account, a tenth of them trouble. `below(n)` gives uniform integers in [0, n). */
export function makeRecords(below: (bound: number) => number, partitions: number, count: number): ModelRecord[][] {
  const byPartition: ModelRecord[][] = Array.from({ length: partitions }, () => []);
  const accounts = 1 + below(8);
  let clockMicros = FIRST_MICROS;
  for (let id = 0; id < count; id++) {
    const account = below(accounts);
    const partition = account % partitions;
    const before = byPartition[partition]!;
    clockMicros += below(3) * SECOND_MICROS;
    const repeated = before.length > 0 && below(12) === 0 ? before[below(before.length)]! : null;
    before.push({
      partition,
      position: before.length,
      id: repeated?.id ?? id,
      account: repeated?.account ?? account,
      amountCents: below(15) === 0 ? 0 : below(20_000) - 2_000,
      parts: below(9) === 0 ? 0 : 1 + below(7),
      madeAtMicros: clockMicros - (below(4) === 0 ? below(8) * SECOND_MICROS : 0),
      note: ["", "plain", 'quote " comma , end', "schön", "two\nlines"][below(5)]!,
      flaw: below(14) === 0 ? "type:amount" : null,
    });
  }
  return byPartition;
}

/**
 * Folds the records in order. Where a lateness is given, a record that is further than that behind the newest before it, in its own
 * partition, goes aside.
 */
export function expectedOf(byPartition: readonly (readonly ModelRecord[])[], latenessMicros = Infinity): Expected {
  const counts = { read: 0, flawed: 0, late: 0, duplicates: 0, skipped: 0, unshared: 0 };
  const totals = new Map<number, { count: number; sumCents: number }>();
  const ledger: LedgerRow[][] = [];
  const rejects: RejectRow[][] = [];
  const late: LateRow[][] = [];
  for (const records of byPartition) {
    const rows: LedgerRow[] = [];
    const refused: RejectRow[] = [];
    const aside: LateRow[] = [];
    let newestMicros = -Infinity;
    const seen = new Set<string>();
    const balances = new Map<number, number>();
    for (const record of records) {
      const { partition, position, id, account, amountCents, parts, note } = record;
      const refuse = (step: string, reason: string) => refused.push({ partition, position, step, reason, raw: textOf(record) });
      counts.read++;
      if (record.flaw !== null) {
        counts.flawed++;
        refuse("records", record.flaw);
        continue;
      }
      if (record.madeAtMicros < newestMicros - latenessMicros) {
        counts.late++;
        aside.push({ position, id, account });
        continue;
      }
      newestMicros = Math.max(newestMicros, record.madeAtMicros);
      const key = `${account}/${id}`;
      if (seen.has(key)) {
        counts.duplicates++;
        continue;
      }
      seen.add(key);
      if (amountCents === 0) {
        counts.skipped++;
        continue;
      }
      if (parts === 0) {
        counts.unshared++;
        refuse("ledger", SHARE_REASON);
        continue;
      }
      const wished = (balances.get(account) ?? 0) + amountCents;
      const isAccepted = wished <= CEILING_CENTS;
      if (isAccepted) balances.set(account, wished);
      const total = totals.get(account) ?? { count: 0, sumCents: 0 };
      totals.set(account, { count: total.count + 1, sumCents: total.sumCents + (isAccepted ? amountCents : 0) });
      rows.push({
        partition,
        position,
        id,
        account,
        amountCents,
        note,
        status: isAccepted ? "accepted" : "declined",
        balanceCents: balances.get(account) ?? 0,
        share: Math.trunc(1000 / parts),
      });
    }
    ledger.push(rows);
    rejects.push(refused);
    late.push(aside);
  }
  const sorted = [...totals].sort(([a], [b]) => a - b).map(([account, { count, sumCents }]) => ({ account, count, sumCents }));
  return { ledger, rejects, late, totals: sorted, counts };
}
