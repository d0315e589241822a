/** All that one panel has gained, ready to be drawn. Invariant: bounded by PANEL_POINTS_MAX, PANEL_LABELS_MAX and PANEL_KEYS_MAX. */
import { PANEL_KEYS_MAX, PANEL_LABELS_MAX, PANEL_POINTS_MAX, PANEL_TABLE_ROWS_MAX } from "./limits.ts";
import { addCell, bandNames, type Cell, emptyCell, measured, type Panel, type PanelGain, type PanelRow } from "./panel.ts";

const OTHER = "other";
const MINUTE_MICROS = 60e6;
const SECOND_MICROS = 1e6;
/** Minutes that a panel of one number looks back, and seconds. */
const MINUTES_KEPT = 1440;
const SECONDS_KEPT = 60;

/** x, label and value. */
export type Point = readonly [number, string, number];
/** What the page draws; of a change, only what changed. */
export interface PanelData {
  readonly points?: readonly Point[];
  /** lines, bars, stack: x before this are gone. */
  readonly from?: number;
  readonly shares?: readonly (readonly [string, number])[];
  readonly numbers?: { readonly minute: number | null; readonly hour: number | null; readonly day: number | null };
  readonly rows?: readonly (readonly string[])[];
  /** Rows looked at, of all that passed; equal where the chart is exact. */
  readonly seen: number;
  readonly passed: number;
  /** Labels, or keys, were too many for all to be kept. */
  readonly isPartial: boolean;
}

export class PanelSeries {
  readonly #byX = new Map<number, Map<string, Cell>>();
  readonly #labels = new Set<string>();
  /** The newest row of each key; where there is none, the newest rows by number. */
  readonly #rows = new Map<string, PanelRow>();
  #rowNumber = 0;
  readonly #totals = new Map<string, Cell>();
  /** Of panels of one number, by minute; the newest minute by second. */
  readonly #minutes = new Map<number, Cell>();
  readonly #seconds = new Map<number, Cell>();
  /** Of panels that count different values: when each was last seen, the one longest not seen first. */
  readonly #lastSeen = new Map<string, number>();
  /** The newest event time, µs. */
  #newestMicros = -Infinity;
  #seen = 0;
  #passed = 0;
  #isPartial = false;
  #changed = new Set<number>();

  constructor(readonly panel: Panel) {}

  /** Whether it gained anything since `change` was called. */
  isChanged = false;

  add(gain: PanelGain): void {
    if (gain.passed > 0) this.isChanged = true;
    this.#seen += gain.seen;
    this.#passed += gain.passed;
    for (const row of gain.rows) this.#addRow(row);
    for (const cell of gain.cells) this.#addCell(cell);
    const excess = this.#byX.size - PANEL_POINTS_MAX;
    if (excess > 0) { for (const x of [...this.#byX.keys()].sort((a, b) => a - b).slice(0, excess)) this.#byX.delete(x); }
  }

  /** All of it. */
  whole(nowMicros: number): PanelData {
    return this.#data([...this.#byX.keys()], nowMicros);
  }

  /** What changed since the last call. */
  change(nowMicros: number): PanelData {
    this.isChanged = false;
    const changed = this.#changed;
    this.#changed = new Set();
    return this.#data([...changed].filter((x) => this.#byX.has(x)), nowMicros);
  }

  #addRow(row: PanelRow): void {
    const { panel } = this;
    const key = panel.key === null ? String(this.#rowNumber++) : row.key;
    this.#rows.delete(key); // Behind the others again.
    this.#rows.set(key, row);
    const kept = panel.key === null ? PANEL_TABLE_ROWS_MAX : PANEL_KEYS_MAX;
    if (this.#rows.size <= kept) return;
    this.#rows.delete(this.#rows.keys().next().value!);
    if (panel.key !== null) this.#isPartial = true;
  }

  #addCell(cell: Cell): void {
    const { panel } = this;
    if (panel.measure === "distinct") return this.#see(cell.label, cell.max);
    const label = this.#labelOf(cell.label);
    if (panel.kind === "shares") return addTo(this.#totals, label, { ...cell, label });
    if (panel.kind === "number") {
      if (cell.x > this.#newestMicros) this.#newestMicros = cell.x;
      addTo(this.#minutes, Math.floor(cell.x / MINUTE_MICROS), cell);
      if (this.#minutes.size > MINUTES_KEPT) this.#minutes.delete(Math.min(...this.#minutes.keys()));
      addTo(this.#seconds, Math.floor(cell.x / SECOND_MICROS), cell);
      if (this.#seconds.size > SECONDS_KEPT) this.#seconds.delete(Math.min(...this.#seconds.keys()));
      return;
    }
    let ofX = this.#byX.get(cell.x);
    if (!ofX) this.#byX.set(cell.x, ofX = new Map());
    addTo(ofX, label, { ...cell, label });
    this.#changed.add(cell.x);
  }

  #see(value: string, atMicros: number): void {
    const seen = this.#lastSeen;
    const before = seen.get(value) ?? -Infinity;
    seen.delete(value); // Behind the others again.
    seen.set(value, Math.max(before, atMicros));
    if (atMicros > this.#newestMicros) this.#newestMicros = atMicros;
    if (seen.size <= PANEL_KEYS_MAX) return;
    seen.delete(seen.keys().next().value!);
    this.#isPartial = true;
  }

  /** The labels of shares are ordered when they are shown, so that more of them are kept than are shown. */
  #labelOf(label: string): string {
    if (this.#labels.has(label)) return label;
    if (this.#labels.size < (this.panel.kind === "shares" ? PANEL_KEYS_MAX : PANEL_LABELS_MAX)) {
      this.#labels.add(label);
      return label;
    }
    this.#isPartial = true;
    return OTHER;
  }

  #data(xs: readonly number[], nowMicros: number): PanelData {
    const base = { seen: this.#seen, passed: this.#passed, isPartial: this.#isPartial };
    switch (this.panel.kind) {
      case "table":
        return { ...base, rows: this.#tableRows() };
      case "shares":
        return { ...base, shares: this.#shares() };
      case "number":
        return { ...base, numbers: this.#numbers(nowMicros) };
      default:
        return { ...base, points: this.#points(xs), from: this.#byX.size === 0 ? 0 : Math.min(...this.#byX.keys()) };
    }
  }

  #points(xs: readonly number[]): Point[] {
    const points: Point[] = [];
    for (const x of [...xs].sort((a, b) => a - b)) {
      for (const [label, cell] of this.#byX.get(x)!) {
        const value = measured(cell, this.panel.measure);
        if (value !== null) points.push([x, label, value]);
      }
    }
    return points;
  }

  /** By value, the greatest first. With a key, every key counts once, by its newest row. */
  #shares(): [string, number][] {
    let cells: ReadonlyMap<string, Cell> = this.#totals;
    if (this.panel.key !== null) {
      const byLabel = new Map<string, Cell>();
      for (const { label, y } of this.#rows.values()) addTo(byLabel, label, { x: 0, label, count: 1, sum: y, min: y, max: y, last: y });
      cells = byLabel;
    }
    const shares = [...cells].map(([label, cell]): [string, number] => [label, measured(cell, this.panel.measure) ?? 0]);
    if (this.panel.bands.length > 0) return inOrder(shares, bandNames(this.panel.bands));
    shares.sort((a, b) => b[1] - a[1]);
    if (shares.length <= PANEL_LABELS_MAX) return shares;
    const rest = shares.slice(PANEL_LABELS_MAX - 1).reduce((sum, [, value]) => sum + value, 0);
    return [...shares.slice(0, PANEL_LABELS_MAX - 1), [OTHER, rest]];
  }

  /** The newest first; with a key, those of the greatest values. */
  #tableRows(): (readonly string[])[] {
    const rows = [...this.#rows.values()].reverse();
    if (this.panel.key !== null && this.panel.y !== null) rows.sort((a, b) => b.y - a.y);
    return rows.slice(0, PANEL_TABLE_ROWS_MAX).map(({ values }) => values);
  }

  #numbers(nowMicros: number): NonNullable<PanelData["numbers"]> {
    if (this.panel.key !== null) {
      const value = this.#keyed();
      return { minute: value, hour: value, day: value };
    }
    // By event time, the newest is now: it may be another day than today.
    const now = this.panel.x === null ? nowMicros : this.#newestMicros;
    if (this.panel.measure === "distinct") return this.#distinct(now);
    const over = (cells: ReadonlyMap<number, Cell>, newest: number, length: number): number | null => {
      const sum = emptyCell(0, "");
      for (const [at, cell] of cells) if (at > newest - length && at <= newest) addCell(sum, cell);
      return sum.count === 0 && this.panel.measure !== "count" ? null : measured(sum, this.panel.measure);
    };
    const minute = Math.floor(now / MINUTE_MICROS);
    return {
      minute: over(this.#seconds, Math.floor(now / SECOND_MICROS), SECONDS_KEPT),
      hour: over(this.#minutes, minute, 60),
      day: over(this.#minutes, minute, MINUTES_KEPT),
    };
  }

  #distinct(nowMicros: number): NonNullable<PanelData["numbers"]> {
    const within = { minute: 0, hour: 0, day: 0 };
    for (const atMicros of this.#lastSeen.values()) {
      const minutes = (nowMicros - atMicros) / MINUTE_MICROS;
      if (minutes < 1) within.minute++;
      if (minutes < 60) within.hour++;
      if (minutes < MINUTES_KEPT) within.day++;
    }
    return within;
  }

  #keyed(): number | null {
    const sum = emptyCell(0, "");
    for (const { y } of this.#rows.values()) addCell(sum, { x: 0, label: "", count: 1, sum: y, min: y, max: y, last: y });
    return measured(sum, this.panel.measure);
  }
}

/** By their names' order. */
function inOrder(shares: readonly (readonly [string, number])[], names: readonly string[]): [string, number][] {
  const values = new Map(shares);
  return [...names, ""].flatMap((name): [string, number][] => values.has(name) ? [[name, values.get(name)!]] : []);
}

function addTo<K>(cells: Map<K, Cell>, key: K, cell: Cell): void {
  const known = cells.get(key);
  if (known) addCell(known, cell);
  else cells.set(key, { ...cell });
}
