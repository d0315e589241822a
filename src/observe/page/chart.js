/** Charts over time or numbers, drawn by uPlot in the page's colours. A chart keeps its place and is given new data every second. */
import { make, say } from "./dom.js";
import { axisTimes, clockOrMoment, moment, short } from "./text.js";

/** Loaded before, as a script of its own. */
const { uPlot } = globalThis;

const HEIGHT = 200;
const SERIES_COLOURS = 8;
/** What a single x stands in the middle of. */
const LONE_WIDTH = 20;

/** Distances of the grid lines of a time axis, in seconds: whole seconds, minutes, hours and days. */
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200]
  .concat([1, 2, 7, 14, 30, 90, 365].map((days) => days * 86400));

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const seriesColour = (i) => colour(`--series-${i % SERIES_COLOURS + 1}`);

export class Chart {
  /** `how`: { kind: lines | bars | stack, isTime, format, label, mark: the format on the axes, right: that of values on a second axis, steps: distances of grid lines } */
  constructor(how) {
    this.how = how;
    this.place = make("div.plot", { role: "img" });
    this.legend = make("ul.legend");
    this.element = make("div.chart", {}, this.place, this.legend);
    this.labels = [];
    this.data = null;
    this.plot = null;
    new ResizeObserver(() => this.#resize()).observe(this.place);
  }

  /** x ascending; values by label, null where there is none. */
  show(xs, series) {
    const labels = series.map(({ label }) => label);
    this.xs = xs;
    this.series = series;
    const isSame = this.plot && labels.length === this.labels.length && labels.every((label, i) => label === this.labels[i]);
    if (!isSame) {
      this.labels = labels;
      this.redraw();
    } else this.plot.setData(this.#stacked());
    this.#tell(xs.length - 1);
    this.place.setAttribute("aria-label", this.#words());
  }

  /** Anew, as after a change of colours. */
  redraw() {
    this.plot?.destroy();
    this.plot = null;
    if (!this.series || this.place.clientWidth === 0) return;
    this.plot = new uPlot(this.#options(), this.#stacked(), this.place);
    this.legend.replaceChildren(...this.labels.map((label, i) => {
      const swatch = make("i", { "aria-hidden": "true" });
      swatch.style.background = this.#colour(i);
      return make("li", {}, swatch, make("span", {}, label), make("b"));
    }));
  }

  #colour(i) {
    return this.series[i].isFaint ? colour("--series-8") : seriesColour(i);
  }

  #resize() {
    const width = this.place.clientWidth;
    if (width === 0) return;
    if (!this.plot) return this.redraw();
    if (Math.abs(this.plot.width - width) > 1) this.plot.setSize({ width, height: HEIGHT });
  }

  /** Bars on one another: each is drawn from the ground, behind those below it. */
  #stacked() {
    const { xs, series } = this;
    if (this.how.kind !== "stack") return [xs, ...series.map(({ values }) => values)];
    const sums = new Array(xs.length).fill(0);
    return [xs, ...series.map(({ values }) => values.map((value, i) => sums[i] += value ?? 0)).reverse()];
  }

  #options() {
    const { kind, isTime } = this.how;
    const text = colour("--faint-text");
    const { right, steps, mark } = this.how;
    const axis = { stroke: text, grid: { stroke: colour("--grid"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    const bars = uPlot.paths.bars({ size: [0.82, 36], radius: 0.12 });
    const series = this.labels.map((_, i) => {
      const stroke = this.#colour(i);
      if (kind === "lines") {
        const isAlone = this.labels.length === 1;
        return {
          stroke,
          scale: this.series[i].axis === "right" ? "right" : "y",
          width: 1.8,
          fill: isAlone ? `color-mix(in srgb, ${stroke} 14%, transparent)` : undefined,
          points: { show: this.xs.length < 3 },
        };
      }
      return {
        stroke,
        fill: kind === "stack" ? stroke : `color-mix(in srgb, ${stroke} 70%, transparent)`,
        width: 0,
        paths: bars,
        points: { show: false },
      };
    });
    // The highest first, so that those below stand before it.
    if (kind === "stack") series.reverse();
    return {
      width: this.place.clientWidth,
      height: HEIGHT,
      padding: [10, 26, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
      scales: {
        x: { time: false, range: () => this.#spanOf() },
        y: { range: (_plot, min, max) => rangeOf(min, max) },
        ...right ? { right: { range: (_plot, min, max) => rangeOf(min, max) } } : {},
      },
      axes: [
        {
          ...axis,
          size: 30,
          space: 76,
          ...isTime ? { incrs: TIME_STEPS } : {},
          values: (_plot, splits) => isTime ? axisTimes(splits) : splits.map(short),
        },
        { ...axis, size: 58, space: 34, ...steps ? { incrs: steps } : {}, values: (_plot, splits) => splits.map(mark) },
        ...right
          ? [{ ...axis, scale: "right", side: 1, size: 62, space: 34, grid: { show: false }, values: (_plot, splits) => splits.map(mark) }]
          : [],
      ],
      series: [{}, ...series],
      drawOrder: ["axes", "series"],
      hooks: { setCursor: [(plot) => this.#tell(plot.cursor.idx ?? this.xs.length - 1)] },
    };
  }

  /** Bars need half their width beside the first and the last; a single moment needs some width at all. */
  #spanOf() {
    const { xs, how } = this;
    if (xs.length === 0) return [0, 1];
    const [first, last] = [xs[0], xs.at(-1)];
    const apart = xs.length > 1 ? (last - first) / (xs.length - 1) : LONE_WIDTH;
    if (how.kind === "lines" && xs.length > 1) return [first, last];
    return [first - apart * 0.6, last + apart * 0.6];
  }

  #format(value, axis) {
    if (value === null || value === undefined) return "–";
    return axis === "right" ? this.how.right(value) : this.how.format(value);
  }

  /** The values at one x, beside the names. */
  #tell(i) {
    const items = this.legend.children;
    this.series.forEach(({ values, axis }, s) => {
      const item = items[s];
      if (item) say(item.lastElementChild, this.#format(values[i], axis));
    });
    const x = this.xs[i];
    if (x !== undefined) this.legend.dataset.at = this.how.isTime ? clockOrMoment(x * 1000) : short(x);
  }

  #words() {
    const last = this.xs.length - 1;
    if (last < 0) return `${this.how.label}: nothing yet`;
    const values = this.series.map(({ label, values, axis }) => `${label || "value"} ${this.#format(values[last], axis)}`);
    const at = this.how.isTime ? moment(this.xs[last] * 1000) : short(this.xs[last]);
    return `${this.how.label}, at ${at}: ${values.join(", ")}`;
  }
}

function rangeOf(min, max) {
  if (min === null || max === null || min === undefined || max === undefined) return [0, 1];
  const low = Math.min(0, min);
  const high = Math.max(0, max);
  return low === high ? [0, 1] : [low * 1.08, high * 1.12];
}

/** A small line without axes. */
export function sparkline(svg, values) {
  const width = 120;
  const height = 30;
  const known = values.filter((value) => value !== null);
  const most = Math.max(...known, 1e-9);
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  let path = "";
  let isDown = false;
  values.forEach((value, i) => {
    if (value === null) return;
    path += `${isDown ? "L" : "M"}${(i * step).toFixed(1)} ${(height - 2 - value / most * (height - 5)).toFixed(1)}`;
    isDown = true;
  });
  svg.firstElementChild.setAttribute("d", path === "" ? "" : `${path}L${width} ${height}L${firstX(values, step)} ${height}Z`);
  svg.lastElementChild.setAttribute("d", path);
}

const firstX = (values, step) => (Math.max(0, values.findIndex((value) => value !== null)) * step).toFixed(1);
