/**
 * What a key remembers, slow and obvious: plain arrays, searched from end to end for every record, money in big integers. It imports nothing
 * of the product, so that a mistake cannot be in both.
 */

/** One record. Times in µs, amounts in hundredths. */
export interface Act {
  readonly id: number;
  readonly key: string;
  readonly at: number;
  readonly amount: bigint;
  readonly tag: string | null;
  /** A divisor: the record fails where it is zero. */
  readonly n: number;
}
export interface Bounds {
  /** Kept by arrival. */
  readonly newest: number;
  /** Kept by time: so long behind the key's greatest time. */
  readonly spanMicros: number;
  /** And so many of those that are older. */
  readonly older: number;
  /** What "today" is, in µs. */
  readonly todayMicros: number;
  /** Different tags that are counted, at most. */
  readonly tagsMax: number;
}
interface Memory {
  recent: readonly Act[];
  /** In order of time, equal ones as they came. */
  day: readonly Act[];
  tags: readonly string[];
}

/** All keys' memories; `judge` gives the columns of a record's result as text, or null where the record fails. */
export class Histories {
  readonly #bounds: Bounds;
  readonly #memories = new Map<string, Memory>();

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  judge(act: Act): string | null {
    const { newest, todayMicros, tagsMax } = this.#bounds;
    const old = this.#memories.get(act.key) ?? { recent: [], day: [], tags: [] };
    const recent = [...old.recent, act].slice(-newest);
    const { seen, kept } = this.#byTime(old.day, act);
    const isNewTag = act.tag !== null && !old.tags.includes(act.tag);
    const tags = isNewTag && old.tags.length < tagsMax ? [...old.tags, act.tag!] : old.tags;
    if (act.n === 0) return null;
    this.#memories.set(act.key, { recent, day: kept, tags });
    const today = seen.filter(({ at }) => at >= act.at - todayMicros && at <= act.at);
    const before = old.day.filter(({ at }) => at <= act.at).map(({ at }) => at);
    return [
      act.id,
      recent.length,
      old.recent.length,
      seen.length,
      money(total(today)),
      money(meanOf(recent)),
      new Set(today.flatMap(({ tag }) => tag ?? [])).size,
      recent.some(({ id, tag }) => id !== act.id && tag === act.tag),
      before.length === 0 ? null : Math.max(...before),
      seen[0].at,
      seen.at(-1)!.id,
      Math.min(...recent.map(({ at }) => at)),
      recent.filter(({ at, tag }) => at > act.at - 5000 && tag !== null).length,
      tags.length,
      act.tag !== null && old.tags.includes(act.tag),
      Math.trunc(100 / act.n),
    ].map(String).join(" | ");
  }

  /** What is seen beside the record, and what is kept behind it. */
  #byTime(before: readonly Act[], act: Act): { readonly seen: readonly Act[]; readonly kept: readonly Act[] } {
    const { spanMicros, older } = this.#bounds;
    const all = [...before.filter(({ at }) => at <= act.at), act, ...before.filter(({ at }) => at > act.at)];
    const horizon = Math.max(...all.map(({ at }) => at)) - spanMicros;
    const within = all.filter(({ at }) => at >= horizon);
    const beyond = all.filter(({ at }) => at < horizon);
    const kept = older === 0 ? within : [...beyond.slice(-older), ...within];
    // A record that comes too late to be kept is seen by itself, and so are those between it and the kept ones.
    const seen = act.at >= horizon ? kept : all.slice(Math.max(0, all.indexOf(act) - older));
    return { seen, kept };
  }
}

function total(acts: readonly Act[]): bigint {
  return acts.reduce((sum, { amount }) => sum + amount, 0n);
}
/** Half away from zero; amounts are not negative. */
function meanOf(acts: readonly Act[]): bigint {
  const count = BigInt(acts.length);
  return (2n * total(acts) + count) / (2n * count);
}
function money(hundredths: bigint): string {
  return `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, "0")}`;
}
