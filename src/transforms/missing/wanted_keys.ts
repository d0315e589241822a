/** Who waits for which key of which look-up. Lives in memory alone. Invariant: after `forget` nobody is told of a key again. */
export class WantedKeys {
  readonly #byLookup: Map<number | string, Set<number>>[];

  constructor(lookups: number) {
    this.#byLookup = Array.from({ length: lookups }, () => new Map());
  }

  want(lookup: number, key: number | string, who: number): void {
    const keys = this.#byLookup[lookup];
    const waiting = keys.get(key);
    if (waiting) waiting.add(who);
    else keys.set(key, new Set([who]));
  }

  forget(lookup: number, key: number | string, who: number): void {
    const waiting = this.#byLookup[lookup].get(key);
    if (waiting?.delete(who) && waiting.size === 0) this.#byLookup[lookup].delete(key);
  }

  of(lookup: number, key: number | string): readonly number[] {
    return [...this.#byLookup[lookup].get(key) ?? []];
  }
}
