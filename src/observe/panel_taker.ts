/**
 * Takes a panel's cells out of batches. Invariant: what it costs is bounded by PANEL_ROWS_MAX rows at each gathering, whatever
 * comes by: beyond that, evenly one row in so many is looked at and stands for all of them.
 */
import type { Batch, Column } from "../data/batch.ts";
import type { Field } from "../data/types.ts";
import { isNumeric } from "../data/types.ts";
import { LABELS_KNOWN_MAX, PANEL_CELLS_MAX, PANEL_ROWS_MAX, SHOWN_ITEMS_MAX } from "./limits.ts";
import { addCell, bandNames, bandOf, type Cell, emptyCell, type Panel, type PanelGain, type PanelRow } from "./panel.ts";
import { shownCell, shownRow, shownValue } from "./shown.ts";

/** Where the panel's fields are in batches of one type. */
interface Places {
  readonly type: Batch["type"];
  readonly x: number;
  readonly y: number;
  readonly by: number;
  /** Where `by` is a list: one of its items. */
  readonly item: Field | null;
  readonly key: number;
  readonly columns: readonly number[];
  readonly yUnit: number;
  readonly xUnit: number;
}

export class PanelTaker {
  #places: Places | null = null;
  /** By lane: of the open epoch. */
  readonly #pending = new Map<number, Pending>();
  #gain: PanelGain = { cells: [], rows: [], passed: 0, seen: 0 };
  #cells = new Map<string, Cell>();
  #passedBefore = 0;
  readonly #labels = new Map<string, string>();

  constructor(readonly panel: Panel) {}

  /** A batch of the lane's open epoch. */
  take(lane: number, batch: Batch): void {
    const places = this.#placesIn(batch);
    let pending = this.#pending.get(lane);
    if (!pending) this.#pending.set(lane, pending = new Pending());
    const stride = Math.max(1, Math.ceil(Math.max(this.#passedBefore, this.#gain.passed + pending.passed + batch.rows) / PANEL_ROWS_MAX));
    const first = stride === 1 ? 0 : pending.passed % stride;
    const taken = first >= batch.rows ? 0 : Math.ceil((batch.rows - first) / stride);
    pending.passed += batch.rows;
    pending.seen += taken;
    for (let row = first; row < batch.rows; row += stride) this.#takeRow(pending, places, batch, row, stride);
  }

  #takeRow(pending: Pending, places: Places, batch: Batch, row: number, weight: number): void {
    const { panel } = this;
    const y = places.y < 0 ? 1 : numberAt(batch.columns[places.y], row);
    if (y === null) return;
    const value = y / places.yUnit;
    if (panel.kind === "table" || panel.key !== null) {
      const key = places.key < 0 ? "" : this.#labelAt(batch, places.key, row);
      const label = places.by < 0 ? "" : this.#labelAt(batch, places.by, row);
      pending.rows.push({ key, label, y: value, values: shownRow(batch, places.columns, row) });
      if (pending.rows.length > PANEL_CELLS_MAX) pending.rows.shift();
      return;
    }
    // The time of the epoch is told when it is complete.
    const at = panel.x === null ? 0 : numberAt(batch.columns[places.x], row);
    if (at === null) return;
    const x = at / places.xUnit;
    if (places.by < 0) return this.#count(pending, x, "", value, weight);
    if (places.item === null) return this.#count(pending, x, this.#labelAt(batch, places.by, row), value, weight);
    // Each item by itself: the row is counted under every one of them.
    const items = listAt(batch.columns[places.by], row);
    for (let i = 0; i < Math.min(items.length, SHOWN_ITEMS_MAX); i++) {
      this.#count(pending, x, shownValue(places.item, items[i]), value, weight);
    }
  }

  #count(pending: Pending, at: number, label: string, value: number, weight: number): void {
    const { panel } = this;
    // Of different values, each has one cell, that knows when it was last seen.
    const isDistinct = panel.measure === "distinct";
    const cell = pending.cell(isDistinct ? 0 : widened(at, panel.every), label);
    if (cell === null) return;
    if (isDistinct) {
      if (at > cell.max) cell.max = at;
      cell.count += weight;
      return;
    }
    cell.count += weight;
    cell.sum += value * weight;
    if (value < cell.min) cell.min = value;
    if (value > cell.max) cell.max = value;
    cell.last = value;
  }

  /** The lane's open epoch, recorded at `timeMicros`, is complete: what it gave counts. */
  complete(lane: number, timeMicros: number): void {
    const pending = this.#pending.get(lane);
    if (!pending) return;
    this.#pending.delete(lane);
    for (const pendingCell of pending.cells.values()) {
      const cell = this.panel.x === null ? this.#placed(pendingCell, timeMicros) : pendingCell;
      const name = nameOf(cell.x, cell.label);
      const known = this.#cells.get(name);
      if (known) addCell(known, cell);
      else this.#cells.set(name, cell);
    }
    const gain = this.#gain;
    gain.rows.push(...pending.rows);
    if (gain.rows.length > PANEL_CELLS_MAX) gain.rows.splice(0, gain.rows.length - PANEL_CELLS_MAX);
    gain.passed += pending.passed;
    gain.seen += pending.seen;
  }

  #placed(cell: Cell, timeMicros: number): Cell {
    return this.panel.measure === "distinct" ? { ...cell, max: timeMicros } : { ...cell, x: widened(timeMicros, this.panel.every) };
  }

  /** The lane was dropped: its open epoch will be told again. */
  drop(lane: number): void {
    this.#pending.delete(lane);
  }

  /** What complete epochs gave since the last call. */
  gained(): PanelGain {
    const gain = { ...this.#gain, cells: [...this.#cells.values()] };
    this.#passedBefore = gain.passed;
    this.#cells = new Map();
    this.#gain = { cells: [], rows: [], passed: 0, seen: 0 };
    return gain;
  }

  /** Few labels come again and again: what each is shown as is found once. */
  #labelAt(batch: Batch, place: number, row: number): string {
    const column = batch.columns[place];
    const field = batch.type.fields[place];
    if (!column) return "";
    const { bands } = this.panel;
    if (bands.length > 0 && place === this.#places?.by) {
      const value = numberAt(column, row);
      return value === null ? "" : bandNames(bands)[bandOf(bands, value / unit(field))];
    }
    if (column.kind !== "text" || field.tag !== undefined) return shownCell(field, column, row);
    const text = column.at(row);
    if (text === null) return "";
    let label = this.#labels.get(text);
    if (label === undefined) {
      if (this.#labels.size >= LABELS_KNOWN_MAX) this.#labels.clear();
      this.#labels.set(text, label = shownCell(field, column, row));
    }
    return label;
  }

  #placesIn({ type }: Batch): Places {
    if (this.#places?.type === type) return this.#places;
    const { panel } = this;
    const place = (name: string | null): number => name === null ? -1 : type.fields.findIndex((field) => field.name === name);
    const [x, y] = [place(panel.x), place(panel.y)];
    const columns = panel.columns.map(place).filter((i) => i >= 0);
    const unitOf = (at: number): number => at < 0 ? 1 : unit(type.fields[at]);
    const [by, key] = [place(panel.by), place(panel.key)];
    const field = by < 0 ? null : type.fields[by];
    const item = field?.type.kind === "list" ? { ...field, type: field.type.item } : null;
    return this.#places = { type, x, y, by, item, key, columns, xUnit: xUnit(x < 0 ? null : type.fields[x]), yUnit: unitOf(y) };
  }
}

const nameOf = (x: number, label: string): string => `${x}\n${label}`;
const widened = (x: number, every: number): number => every > 0 ? Math.floor(x / every) * every : x;

class Pending {
  readonly cells = new Map<string, Cell>();
  readonly rows: PanelRow[] = [];
  passed = 0;
  seen = 0;

  /** null where the epoch has touched too many. */
  cell(x: number, label: string): Cell | null {
    const name = nameOf(x, label);
    let cell = this.cells.get(name);
    if (!cell) {
      if (this.cells.size >= PANEL_CELLS_MAX) return null;
      this.cells.set(name, cell = emptyCell(x, label));
    }
    return cell;
  }
}

/** Minor units in one whole: of decimals for charts, which need no exact numbers. */
function unit({ type }: Field): number {
  return type.kind === "decimal" ? 10 ** type.scale : type.kind === "duration" ? 1e6 : 1;
}

/** Dates are days, and stand among times. */
const xUnit = (field: Field | null): number => field === null ? 1 : field.type.kind === "date" ? 1 / DAY_MICROS : unit(field);
const DAY_MICROS = 86_400e6;

function numberAt(column: Column | null | undefined, row: number): number | null {
  if (!column) return null;
  if (column.kind === "number") return column.valid !== null && column.valid[row] === 0 ? null : column.values[row];
  const value = column.kind === "value" ? column.values[row] : null;
  return typeof value === "number" ? value : null;
}

/** The items of a list; none where there is no list. */
function listAt(column: Column | null | undefined, row: number): readonly unknown[] {
  const value = column?.kind === "value" ? column.values[row] : null;
  return Array.isArray(value) ? value : [];
}

/** Whether a field can be measured, or stand at x. */
export const isMeasurable = ({ type }: Field): boolean => isNumeric(type) && type.kind !== "bool";
