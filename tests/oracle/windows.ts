/**
 * Windows as they are defined, one row at a time, with nothing clever: the slow reference. It imports nothing from src/.
 *
 * A partition's watermark is the greatest time seen less the lateness; the lane's is the least over the partitions that are neither idle
 * nor ended, it never goes back, and is at the end of time when all have ended. Every row is judged by the watermark before it.
 */
export type WindowShape =
  | { readonly kind: "tumbling"; readonly size: number }
  | { readonly kind: "sliding"; readonly size: number; readonly every: number }
  | { readonly kind: "session"; readonly gap: number; readonly most: number };

export interface WindowSetting {
  readonly window: WindowShape;
  readonly lateness: number;
  readonly late: "window" | "record";
  /** Whether rows are grouped by key and partition too. */
  readonly keyed: boolean;
  /** Of windows that end together: by this total first. */
  readonly byTotal: boolean;
  /** Ids are remembered for so long; null: no dedupe. */
  readonly horizon: number | null;
}
export interface Row {
  readonly id: number;
  readonly partition: number;
  readonly at: number;
  readonly key: string;
  readonly n: number;
}
export type Happening =
  | { readonly what: "row"; readonly row: Row }
  | { readonly what: "idle" | "end"; readonly partition: number }
  | { readonly what: "stop" };
export interface Expected {
  /** In the order in which they leave. */
  readonly results: readonly string[];
  readonly late: readonly number[];
  readonly repeats: readonly number[];
}

interface Open {
  start: number;
  end: number;
  readonly key: string;
  readonly partition: number;
  rows: Row[];
}

/** What leaves, given everything that happens in one lane in order. */
export function expected(setting: WindowSetting, partitions: readonly number[], happenings: readonly Happening[]): Expected {
  const greatest = new Map(partitions.map((partition) => [partition, -Infinity]));
  const standing = new Map(partitions.map((partition) => [partition, "active"]));
  let watermark = -Infinity;
  const advance = (): void => {
    const active = partitions.filter((partition) => standing.get(partition) === "active");
    const least = Math.min(...active.map((partition) => greatest.get(partition)! - setting.lateness));
    if (active.length > 0) watermark = Math.max(watermark, least);
    else if (partitions.every((partition) => standing.get(partition) === "ended")) watermark = Infinity;
  };
  const known = new Map<number, number>();
  let open: Open[] = [];
  let closed: Open[] = [];
  const results: string[] = [];
  const leave = (windows: Open[], partial: string): void => {
    results.push(...windows.sort((a, b) => compare(setting, a, b)).map((one) => text(one, setting, partial)));
  };
  const close = (): void => {
    closed.push(...open.filter(({ end }) => end <= watermark));
    open = open.filter(({ end }) => end > watermark);
  };
  const late: number[] = [];
  const repeats: number[] = [];
  for (const happening of happenings) {
    if (happening.what === "stop") {
      close();
      leave(closed, "false");
      leave(open, "true");
      closed = [];
      open = [];
    } else if (happening.what !== "row") {
      if (standing.get(happening.partition) === "active" || happening.what === "end") {
        standing.set(happening.partition, happening.what === "end" ? "ended" : "idle");
      }
      advance();
    } else {
      const { row } = happening;
      close();
      const own = greatest.get(row.partition)! - setting.lateness;
      const isLate = setting.late === "record" && (row.at < own || row.at < watermark);
      if (isLate) late.push(row.id);
      else if (setting.horizon !== null && (known.get(row.id) ?? -Infinity) > watermark) repeats.push(row.id);
      else {
        if (setting.horizon !== null) known.set(row.id, row.at + setting.horizon);
        if (!place(setting, open, row, watermark)) late.push(row.id);
      }
      standing.set(row.partition, "active");
      if (!isLate) greatest.set(row.partition, Math.max(greatest.get(row.partition)!, row.at));
      advance();
    }
  }
  close();
  leave(closed, "false");
  return { results, late, repeats };
}

/** Puts the row into its windows; false when all of them have closed. */
function place(setting: WindowSetting, open: Open[], row: Row, watermark: number): boolean {
  const { window } = setting;
  const key = setting.keyed ? row.key : "";
  const partition = setting.keyed ? row.partition : 0;
  if (window.kind === "session") return placeInSession(open, row, key, partition, watermark, window.gap, window.most);
  const every = window.kind === "sliding" ? window.every : window.size;
  let counted = false;
  for (let start = Math.floor(row.at / every) * every; start + window.size > row.at; start -= every) {
    const end = start + window.size;
    if (end <= watermark) continue;
    counted = true;
    const there = open.find((one) => one.start === start && one.key === key && one.partition === partition);
    if (there) there.rows.push(row);
    else open.push({ start, end, key, partition, rows: [row] });
  }
  return counted;
}

function placeInSession(
  open: Open[],
  row: Row,
  key: string,
  partition: number,
  watermark: number,
  gap: number,
  most: number,
): boolean {
  const fits = (one: Open, from: number, to: number): boolean => {
    if (one.key !== key || one.partition !== partition || one.end <= watermark) return false;
    const touches = from < one.end && to + gap > one.start;
    return touches && Math.max(to, one.end - gap) - Math.min(from, one.start) <= most;
  };
  const earliest = (from: number, to: number, but: Open | null): Open | undefined =>
    open.filter((one) => one !== but && fits(one, from, to)).sort((a, b) => a.start - b.start)[0];
  const joined = earliest(row.at, row.at, null);
  if (!joined) {
    if (row.at + gap <= watermark) return false;
    open.push({ start: row.at, end: row.at + gap, key, partition, rows: [row] });
    return true;
  }
  joined.start = Math.min(joined.start, row.at);
  joined.end = Math.max(joined.end, row.at + gap);
  joined.rows.push(row);
  for (let other = earliest(joined.start, joined.end - gap, joined); other; other = earliest(joined.start, joined.end - gap, joined)) {
    joined.end = Math.max(joined.end, other.end);
    joined.rows.push(...other.rows);
    open.splice(open.indexOf(other), 1);
  }
  return true;
}

const totalOf = ({ rows }: Open): number => rows.reduce((sum, row) => sum + row.n, 0);

function compare(setting: WindowSetting, a: Open, b: Open): number {
  return a.end - b.end || (setting.byTotal ? totalOf(a) - totalOf(b) : 0) || a.start - b.start || compareText(a.key, b.key) ||
    a.partition - b.partition;
}
const compareText = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0;

function text(one: Open, setting: WindowSetting, partial: string): string {
  const numbers = one.rows.map(({ n }) => n);
  const keys = setting.keyed ? `${one.key} ${one.partition}` : "";
  return [
    one.start,
    one.end,
    keys,
    numbers.length,
    totalOf(one),
    Math.min(...numbers),
    Math.max(...numbers),
    new Set(numbers).size,
    partial,
  ]
    .filter((part) => part !== "").join(" ");
}
