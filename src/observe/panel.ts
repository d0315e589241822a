/**
 * What one chart or table of the page shows of the rows at one place of a pipeline. Rows become cells in the thread that runs the
 * lane; cells are added up in the main thread. Plain data, so that it can be posted.
 */
import type { Edge } from "../engine/contracts.ts";

export const PANEL_KINDS = ["lines", "bars", "stack", "shares", "number", "table"] as const;
/**
 * lines, bars, stack: values over x. shares: one value per label. number: one value, of the newest minute, hour and day. table: the
 * newest rows.
 */
export type PanelKind = typeof PANEL_KINDS[number];
export const MEASURES = ["count", "sum", "avg", "min", "max", "last", "distinct"] as const;
export type Measure = typeof MEASURES[number];

/** A value of x that can be moved on the page: what lies above it is counted. */
export interface Slider {
  readonly at: number;
  readonly marks: readonly { readonly name: string; readonly at: number }[];
}
/** The same rows seen otherwise: by the clock in place of event time, or measured on a second axis. */
export interface Aside {
  /** The panel's id. */
  readonly of: string;
  readonly as: "clock" | "right";
}

export interface Panel {
  /** Unique in its pipeline. */
  readonly id: string;
  readonly title: string;
  /** Panels of one group stand together. */
  readonly group: string;
  readonly kind: PanelKind;
  readonly edge: Edge;
  /** Field of x, a time or a number; null: when the row's epoch was recorded. */
  readonly x: string | null;
  readonly xIsTime: boolean;
  /** Width of one x: µs for times, else the field's own unit. 0: every value by itself. */
  readonly every: number;
  readonly measure: Measure;
  /** Numbers that are measured; null where rows are counted. */
  readonly y: string | null;
  /** The field that makes lines, shares. */
  readonly by: string | null;
  /** Only the newest row of each value of this field counts. */
  readonly key: string | null;
  /** Shown columns of a table. */
  readonly columns: readonly string[];
  readonly unit: string;
  /** Where `by` is a number: it is told apart by the bands between these, ascending. */
  readonly bands: readonly number[];
  readonly slider: Slider | null;
  /** It stands on the overview of all pipelines too. */
  readonly isOverview: boolean;
  /** null: it is a panel of its own. */
  readonly aside: Aside | null;
}

/** How the bands of a panel are called, in their order. */
export function bandNames(bands: readonly number[]): readonly string[] {
  const between = bands.slice(1).map((to, i) => `${bands[i]} – ${to}`);
  return [`below ${bands[0]}`, ...between, `${bands[bands.length - 1]} and more`];
}
/** The band that a value lies in. */
export function bandOf(bands: readonly number[], value: number): number {
  let band = 0;
  while (band < bands.length && value >= bands[band]) band++;
  return band;
}

/** What some rows of one x and one label come to. */
export interface Cell {
  readonly x: number;
  readonly label: string;
  count: number;
  sum: number;
  min: number;
  max: number;
  last: number;
}
/** The newest row of a key, or simply a row where there is no key. */
export interface PanelRow {
  readonly key: string;
  readonly label: string;
  readonly y: number;
  readonly values: readonly string[];
}
/** What one panel gained. */
export interface PanelGain {
  readonly cells: Cell[];
  readonly rows: PanelRow[];
  /** Rows that passed, and those of them that were looked at. */
  passed: number;
  seen: number;
}

export const emptyCell = (x: number, label: string): Cell => ({ x, label, count: 0, sum: 0, min: Infinity, max: -Infinity, last: 0 });

/** Adds a later cell of the same x and label. */
export function addCell(into: Cell, more: Cell): void {
  into.count += more.count;
  into.sum += more.sum;
  if (more.min < into.min) into.min = more.min;
  if (more.max > into.max) into.max = more.max;
  into.last = more.last;
}

/** The cell's value under a measure; null where it has none. */
export function measured(cell: Cell, measure: Measure): number | null {
  switch (measure) {
    case "count":
      return cell.count;
    case "sum":
      return cell.sum;
    case "avg":
      return cell.count === 0 ? null : cell.sum / cell.count;
    case "min":
      return Number.isFinite(cell.min) ? cell.min : null;
    case "max":
      return Number.isFinite(cell.max) ? cell.max : null;
    case "last":
      return cell.last;
    case "distinct":
      return null;
  }
}
