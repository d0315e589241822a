/** The charts and tables that the configuration asks for, or that could be told from the pipeline's nodes. */
import { Chart } from "./chart.js";
import { make, renew, say, table } from "./dom.js";
import { short, whole } from "./text.js";

const TABLE_ROWS = 25;
const ALL = "";

export class Panel {
  constructor(known) {
    const { panel } = known;
    this.known = known;
    this.note = make("span.note");
    this.body = make("div.panel-body");
    this.element = make(
      `article.tile.panel.${panel.kind}`,
      { "aria-label": panel.title },
      make("h3", {}, panel.title, this.note),
      this.body,
    );
    const isChart = panel.kind === "lines" || panel.kind === "bars" || panel.kind === "stack";
    if (isChart) {
      this.chart = new Chart({
        kind: panel.kind,
        isTime: panel.xIsTime,
        format: (value) => withUnit(value, panel.unit),
        label: panel.title,
      });
      this.body.append(this.chart.element);
    }
  }

  update() {
    const { data, panel } = this.known;
    if (!data) return;
    const notes = [];
    if (data.seen < data.passed) notes.push(`from ${short(data.seen)} of ${short(data.passed)} records`);
    if (data.isPartial) notes.push("the rest as “other”");
    say(this.note, notes.join(" · "));
    if (this.chart) return this.#chart();
    if (panel.kind === "number") return this.#number(data.numbers);
    if (panel.kind === "shares") return renew(this.body, shares(data.shares, panel));
    return renew(this.body, this.#table(data.rows));
  }

  redraw() {
    this.chart?.redraw();
  }

  #chart() {
    const { xs, panel } = this.known;
    const sorted = [...xs.keys()].sort((a, b) => a - b);
    const labels = new Set();
    for (const ofX of xs.values()) for (const label of ofX.keys()) labels.add(label);
    const isStacked = panel.kind !== "lines";
    const series = [...labels].sort().map((label) => (
      { label: label === ALL ? panel.y ?? "records" : label, values: sorted.map((x) => xs.get(x).get(label) ?? (isStacked ? 0 : null)) }
    ));
    this.chart.show(panel.xIsTime ? sorted.map((x) => x / 1e6) : sorted, series);
  }

  #number(numbers) {
    const { unit, key } = this.known.panel;
    if (!this.parts) {
      const [minute, hour, day] = [make("b"), make("b"), make("b")];
      this.parts = { minute, hour, day };
      const part = (text, value) => make("div", {}, make("dt", {}, text), make("dd", {}, value));
      const list = key === null ? [part("last minute", minute), part("last hour", hour), part("last day", day)] : [part("now", minute)];
      this.body.replaceChildren(make("dl.numbers", {}, ...list));
    }
    for (const [name, part] of Object.entries(this.parts)) say(part, withUnit(numbers[name], unit));
  }

  #table(rows) {
    const { columns, title } = this.known.panel;
    return table(title, columns, rows.slice(0, TABLE_ROWS), columns.map((_, i) => isNumeric(rows, i) ? "number" : ""));
  }
}

const withUnit = (value, unit) => value === null || value === undefined ? "–" : unit === "" ? short(value) : `${short(value)} ${unit}`;

/** Bars of one length scale, each with its part of all. */
function shares(values, panel) {
  const sum = values.reduce((total, [, value]) => total + Math.max(0, value), 0);
  const most = Math.max(...values.map(([, value]) => value), 1e-9);
  const rows = values.map(([label, value]) => {
    const bar = make("i", { "aria-hidden": "true" });
    bar.style.width = `${Math.max(0, value / most * 100).toFixed(1)}%`;
    const share = panel.measure === "count" || panel.measure === "sum" ? ` · ${whole(sum === 0 ? 0 : value / sum * 100)} %` : "";
    return make(
      "li",
      {},
      make("span.label", {}, label === "" ? "(none)" : label),
      make("span.bar", {}, bar),
      make("span.value", {}, `${withUnit(value, panel.unit)}${share}`),
    );
  });
  return rows.length === 0 ? make("p.empty", {}, "nothing yet") : make("ul.shares", {}, ...rows);
}

/** Whether all values of a column read as numbers. */
export function isNumeric(rows, i) {
  let any = false;
  for (const row of rows) {
    const value = row[i];
    if (value === "" || value === undefined) continue;
    if (!/^-?\d+(?:\.\d+)?$/.test(value)) return false;
    any = true;
  }
  return any;
}
