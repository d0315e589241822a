/**
 * What must come out of a decide that looks into two kept tables, computed slowly from the sentences of the documentation; imports
 * nothing of the program. Records have a key; the row of their `shop` is waited for, that of their `other` lets them come out again.
 */
export interface ModelRecord {
  readonly id: number;
  readonly key: string;
  readonly shop: string | null;
  readonly other: string | null;
}
export interface ModelChange {
  readonly table: "shops" | "others";
  readonly id: string;
  /** null: the key is no more. */
  readonly name: string | null;
}
export interface ModelRow {
  readonly id: number;
  readonly key: string;
  readonly count: number;
  readonly shop_name: string;
  readonly other_name: string;
}
interface Waiting {
  readonly record: ModelRecord;
  readonly arrivedMs: number;
}

export class Model {
  readonly rows: ModelRow[] = [];
  readonly #tables = { shops: new Map<string, string>(), others: new Map<string, string>() };
  #waiting: Waiting[] = [];
  /** Those that went on without the row of their `other`, in the order in which they last came out. */
  #again: ModelRecord[] = [];
  readonly #counts = new Map<string, number>();
  #nowMs = 0;
  #hasEnded = false;

  constructor(private readonly waitMs: number) {}

  clock(ms: number): void {
    this.#nowMs = ms;
    this.#settle();
  }

  changes(changes: readonly ModelChange[]): void {
    for (const { table, id, name } of changes) {
      if (name === null) this.#tables[table].delete(id);
      else this.#tables[table].set(id, name);
    }
    this.#settle();
  }

  records(records: readonly ModelRecord[]): void {
    const passed: ModelRecord[] = [];
    for (const record of records) {
      const isBehind = this.#waiting.some((one) => one.record.key === record.key);
      if (isBehind || this.#misses("shops", record.shop)) this.#waiting.push({ record, arrivedMs: this.#nowMs });
      else passed.push(record);
    }
    for (const record of passed) this.#decide(record);
    this.#settle();
  }

  end(): void {
    this.#hasEnded = true;
    this.#settle();
  }

  #misses(table: "shops" | "others", id: string | null): boolean {
    return id !== null && !this.#tables[table].has(id);
  }

  #settle(): void {
    for (let next = this.#nextToGo(); next !== undefined; next = this.#nextToGo()) {
      this.#waiting = this.#waiting.filter((one) => one !== next);
      this.#decide(next.record);
    }
    for (const record of this.#again.filter(({ other }) => !this.#misses("others", other))) {
      this.#again = this.#again.filter((one) => one !== record);
      this.#emit(record);
    }
  }

  /** The oldest that need not wait any longer, and that no older one of its key is in front of. */
  #nextToGo(): Waiting | undefined {
    return this.#waiting.find((one, i) => {
      if (this.#waiting.slice(0, i).some(({ record }) => record.key === one.record.key)) return false;
      return this.#hasEnded || !this.#misses("shops", one.record.shop) || this.#nowMs >= one.arrivedMs + this.waitMs;
    });
  }

  #decide(record: ModelRecord): void {
    this.#counts.set(record.key, (this.#counts.get(record.key) ?? 0) + 1);
    this.#again = this.#again.filter(({ key }) => key !== record.key);
    this.#emit(record);
    if (this.#misses("others", record.other)) this.#again.push(record);
  }

  #emit({ id, key, shop, other }: ModelRecord): void {
    const [shop_name, other_name] = [this.#tables.shops.get(shop ?? "") ?? "?", this.#tables.others.get(other ?? "") ?? "?"];
    this.rows.push({ id, key, count: this.#counts.get(key)!, shop_name, other_name });
  }
}
