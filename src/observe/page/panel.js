/** The charts and tables that the configuration asks for, or that could be told from the pipeline's nodes. */
import { Chart } from "./chart.js";
import { make, renew, say, table } from "./dom.js";
import { listed, short, whole } from "./text.js";
import { Threshold } from "./threshold.js";

const TABLE_ROWS = 25;
const ALL = "";

export class Panel {
  /** `lens` is how whoever looks wants to see all panels: see lens.js. */
  constructor(pipeline, known, lens) {
    const { panel } = known;
    this.known = known;
    this.lens = lens;
    this.sides = sidesOf(pipeline.panels, panel.id);
    this.note = make("span.note");
    this.body = make("div.panel-body");
    this.element = make(
      `article.tile.panel.${panel.kind}`,
      { "aria-label": panel.title },
      make("h3", {}, panel.title, this.note),
      this.body,
    );
    if (isChart(panel)) this.#makeChart(panel);
    if (panel.slider) this.threshold = new Threshold(known, lens);
    if (this.threshold) this.body.append(this.threshold.element);
  }

  get hasClock() {
    return this.sides.clock !== null;
  }

  update() {
    const { left, right } = this.#side();
    if (!left.data) return;
    const { panel } = this.known;
    const notes = [];
    if (left.data.seen < left.data.passed) notes.push(`from ${short(left.data.seen)} of ${short(left.data.passed)} records`);
    if (left.data.isPartial) notes.push(panel.measure === "distinct" ? "at least" : "the rest as “other”");
    const limit = panel.kind === "table" ? this.lens.limitOf(panel) : null;
    if (limit) notes.push(`above ${short(limit.at)}`);
    say(this.note, notes.join(" · "));
    if (this.chart) return this.#chart(left, right);
    if (panel.kind === "number") return this.#number(left.data.numbers);
    if (panel.kind === "shares") return renew(this.body, shares(left.data.shares, panel));
    return renew(this.body, this.#table(limit ? left.data.rows.filter((row) => Number(row[limit.column]) > limit.at) : left.data.rows));
  }

  redraw() {
    this.chart?.redraw();
  }

  /** By event time or by the clock. */
  #side() {
    return this.lens.time === "clock" && this.sides.clock ? this.sides.clock : this.sides.event;
  }

  #makeChart(panel) {
    const { right } = this.sides.event;
    this.chart = new Chart({
      kind: panel.kind,
      isTime: panel.xIsTime,
      format: (value) => withUnit(value, panel.unit),
      mark: short,
      right: right ? (value) => withUnit(value, right.panel.unit) : null,
      label: panel.title,
    });
    this.body.append(this.chart.element);
  }

  #chart(left, right) {
    const { panel } = this.known;
    const sorted = [...new Set([...left.xs.keys(), ...right?.xs.keys() ?? []])].sort((a, b) => a - b);
    const series = this.threshold ? this.threshold.split(sorted, left.xs) : seriesOf(left, sorted);
    if (right) series.push(...seriesOf(right, sorted).map((one) => ({ ...one, axis: "right" })));
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
    if (rows.length === 0) return make("p.empty", {}, "no rows yet");
    return table(
      title,
      columns,
      rows.slice(0, TABLE_ROWS).map((row) => row.map(listed)),
      columns.map((_, i) => isNumeric(rows, i) ? "number" : ""),
    );
  }
}

const isChart = ({ kind }) => kind === "lines" || kind === "bars" || kind === "stack";

/** What the panel shows by event time and by the clock; each with what stands on its second axis. */
function sidesOf(panels, id) {
  const aside = (of, as) => [...panels.values()].find(({ panel }) => panel.aside?.of === of && panel.aside.as === as) ?? null;
  const side = (of) => {
    const right = aside(of, "right");
    return { left: panels.get(of), right };
  };
  const event = side(id);
  const clock = aside(id, "clock");
  const right = event.right ? aside(event.right.panel.id, "clock") : null;
  return { event, clock: clock ? { left: clock, right } : null };
}

function seriesOf({ xs, panel }, sorted) {
  const labels = new Set();
  for (const ofX of xs.values()) for (const label of ofX.keys()) labels.add(label);
  const none = panel.kind === "lines" ? null : 0;
  return [...labels].sort().map((label) => (
    { label: label === ALL ? nameOf(panel) : label, values: sorted.map((x) => xs.get(x)?.get(label) ?? none) }
  ));
}

const nameOf = ({ y, unit }) => y ?? (unit === "" ? "records" : unit);
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
      make("span.label", { title: label }, label === "" ? "(none)" : label),
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
