/** All that one panel has gained, ready to be drawn. Invariant: bounded by PANEL_POINTS_MAX, PANEL_LABELS_MAX and PANEL_KEYS_MAX. */
import { PANEL_KEYS_MAX, PANEL_LABELS_MAX, PANEL_POINTS_MAX, PANEL_TABLE_ROWS_MAX } from "./limits.ts";
import { addCell, type Cell, emptyCell, measured, type Panel, type PanelGain, type PanelRow } from "./panel.ts";

const OTHER = "other";
const MINUTE_MICROS = 60e6;
/** Minutes that a panel of one number looks back. */
const MINUTES_KEPT = 1440;

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
  /** Of panels of one number, by minute. */
  readonly #minutes = new Map<number, Cell>();
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
    const label = this.#labelOf(cell.label);
    if (panel.kind === "shares") return addTo(this.#totals, label, { ...cell, label });
    if (panel.kind === "number") {
      addTo(this.#minutes, Math.floor(cell.x / MINUTE_MICROS), cell);
      if (this.#minutes.size > MINUTES_KEPT) this.#minutes.delete(Math.min(...this.#minutes.keys()));
      return;
    }
    let ofX = this.#byX.get(cell.x);
    if (!ofX) this.#byX.set(cell.x, ofX = new Map());
    addTo(ofX, label, { ...cell, label });
    this.#changed.add(cell.x);
  }

  #labelOf(label: string): string {
    if (this.#labels.has(label)) return label;
    if (this.#labels.size < PANEL_LABELS_MAX) {
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
    const minute = Math.floor(nowMicros / MINUTE_MICROS);
    const over = (minutes: number): number | null => {
      const sum = emptyCell(0, "");
      for (const [at, cell] of this.#minutes) if (at > minute - minutes && at <= minute) addCell(sum, cell);
      return sum.count === 0 && this.panel.measure !== "count" ? null : measured(sum, this.panel.measure);
    };
    return { minute: over(2), hour: over(60), day: over(MINUTES_KEPT) };
  }

  #keyed(): number | null {
    const sum = emptyCell(0, "");
    for (const { y } of this.#rows.values()) addCell(sum, { x: 0, label: "", count: 1, sum: y, min: y, max: y, last: y });
    return measured(sum, this.panel.measure);
  }
}

function addTo<K>(cells: Map<K, Cell>, key: K, cell: Cell): void {
  const known = cells.get(key);
  if (known) addCell(known, cell);
  else cells.set(key, { ...cell });
}
