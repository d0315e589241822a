/**
 * What must come out of a decide that looks into two kept tables, computed slowly from the sentences of the documentation; imports
 * nothing of the program. What is due goes when `settle` says so. Records have a key; the row of their `shop` is waited for, that of their `other` lets them come out again.
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
  }

  changes(changes: readonly ModelChange[]): void {
    for (const { table, id, name } of changes) {
      if (name === null) this.#tables[table].delete(id);
      else this.#tables[table].set(id, name);
    }
  }

  records(records: readonly ModelRecord[]): void {
    const passed: ModelRecord[] = [];
    for (const record of records) {
      const isBehind = this.#waiting.some((one) => one.record.key === record.key);
      if (isBehind || this.#misses("shops", record.shop)) this.#waiting.push({ record, arrivedMs: this.#nowMs });
      else passed.push(record);
    }
    for (const record of passed) this.#decide(record);
  }

  end(): void {
    this.#hasEnded = true;
  }

  #misses(table: "shops" | "others", id: string | null): boolean {
    return id !== null && !this.#tables[table].has(id);
  }

  /** Lets at most so many records go that are due: those that waited first, then those that come out again. Says how many. */
  settle(recordsMax = Infinity): number {
    let gone = 0;
    for (; gone < recordsMax; gone++) {
      const next = this.#nextToGo();
      const again = next ? undefined : this.#again.find(({ other }) => !this.#misses("others", other));
      if (next) {
        this.#waiting = this.#waiting.filter((one) => one !== next);
        this.#decide(next.record);
      } else if (again) {
        this.#again = this.#again.filter((one) => one !== again);
        this.#emit(again);
      } else break;
    }
    return gone;
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

/** The pipeline that it models. */
export const modelled = (wait: string): string => `
[connections.bus]
type = "log"
path = "log"

[sources.payments]
connection = "bus"
topic      = "payments"
fields     = { id = "int", key = "string", shop = "string?", other = "string?" }

[tables.shops]
connection = "bus"
topic      = "shops"
key        = "id"
missing    = "wait ${wait}"
fields     = { id = "string", name = "string" }

[tables.others]
connection = "bus"
topic      = "others"
key        = "id"
missing    = "emit_again"
fields     = { id = "string", name = "string" }

[transforms.seen]
type   = "decide"
inputs = ["payments"]
key    = "key"
lookup = { row = "shops[shop]", second = "others[other]" }
before = { count = "count + 1" }

[transforms.seen.state.count]
as      = "int"
initial = "0"

[transforms.seen.emit]
id         = "id"
key        = "key"
count      = "count"
shop_name  = "coalesce(row.name, '?')"
other_name = "coalesce(second.name, '?')"

[sinks.out]
type   = "ndjson"
inputs = ["seen"]
path   = "out"
`;
