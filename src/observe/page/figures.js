/** Key figures and charts of a run: what every pipeline has, whatever it does. */
import { Chart, sparkline } from "./chart.js";
import { draw, make, say, tile } from "./dom.js";
import { bytes, duration, rate, short, whole } from "./text.js";
import { rates } from "./view.js";

/** The figures at the top: how fast, how far behind, how often. */
export function makeTiles(view) {
  const last = (list) => list.at(-1) ?? null;
  return [
    keyFigure(
      "Records read",
      (p) => rate(last(rates(p.history, (m) => m.read))),
      (p) => `${short(p.now.moment.read)} in all`,
      (p) => rates(p.history, (m) => m.read),
    ),
    keyFigure(
      "Records written",
      (p) => rate(last(rates(p.history, (m) => m.written))),
      (p) => `${short(p.now.moment.written)} in all`,
      (p) => rates(p.history, (m) => m.written),
    ),
    keyFigure(
      "Rejected",
      (p) => short(p.now.moment.rejected),
      (p) => shareText(p.now.moment.rejected, p.now.moment.read),
      (p) => rates(p.history, (m) => m.rejected),
      (p) => p.now.moment.rejected > 0 ? "warn" : "",
    ),
    keyFigure(
      "Lag",
      (p) => p.now.moment.behind === null ? "–" : short(p.now.moment.behind),
      lagText,
      (p) => p.history.map((m) => m.behind),
    ),
    keyFigure(
      "Watermark",
      (p) => p.now.moment.watermarkDelayMs === null ? "–" : duration(p.now.moment.watermarkDelayMs),
      (p) => p.now.moment.watermarkDelayMs === null ? "no event time" : "behind the clock",
      (p) => p.history.map((m) => m.watermarkDelayMs),
    ),
    keyFigure(
      "Epoch",
      (p) => duration(p.now.moment.epochMs),
      (p) => `${short(p.now.moment.epochRecords)} records each`,
      (p) => p.history.map((m) => m.epochMs),
      (p) => p.now.openAgeMs > 30_000 ? "bad" : "",
    ),
    keyFigure(
      "Checkpoint",
      (p) => duration(p.now.moment.checkpointMs),
      (p) => `${whole(p.now.epochs)} epoch${p.now.epochs === 1 ? "" : "s"}`,
      (p) => p.history.map((m) => m.checkpointMs),
    ),
    keyFigure("Memory", () => bytes(last(view.processHistory)?.residentBytes), () => {
      const now = last(view.processHistory);
      return now ? `CPU ${Math.round(now.cpuShare * 100)} % · loop ${Math.round(now.loopDelayMs)} ms` : "";
    }, () => view.processHistory.map((m) => m.residentBytes)),
  ];
}

function keyFigure(title, value, hint, history, level = () => "") {
  const number = make("b");
  const below = make("small");
  const spark = draw(
    "svg.spark",
    { viewBox: "0 0 120 30", preserveAspectRatio: "none", "aria-hidden": "true" },
    draw("path.area"),
    draw("path.line"),
  );
  const element = make("article.figure", {}, make("h3", {}, title), number, below, spark);
  return {
    element,
    update(pipeline) {
      say(number, value(pipeline));
      say(below, hint(pipeline));
      element.dataset.level = level(pipeline);
      sparkline(spark, history(pipeline).slice(-90));
    },
  };
}

const shareText = (part, all) => all === 0 ? "nothing read yet" : `${whole(part / all * 100)} % of what was read`;

function lagText(pipeline) {
  if (pipeline.now.state === "done") return "all was read";
  if (pipeline.now.moment.behind === null) return "not told by the source";
  const perSecond = rates(pipeline.history, (m) => m.read).at(-1) ?? 0;
  const { behind } = pipeline.now.moment;
  if (behind === 0) return "caught up";
  return perSecond > 0 ? `about ${duration(behind / perSecond * 1000)}` : "records unread";
}

/** Charts of the run itself. */
export function makeCharts(view) {
  return [
    runChart("Records per second", (value) => short(value), (p) => [
      { label: "read", values: rates(p.history, (m) => m.read) },
      { label: "written", values: rates(p.history, (m) => m.written) },
    ]),
    runChart("Epoch and checkpoint", (value) => duration(value), (p) => [
      { label: "epoch", values: p.history.map((m) => m.epochMs) },
      { label: "checkpoint", values: p.history.map((m) => m.checkpointMs) },
    ]),
    runChart("Memory", (value) => bytes(value), () => [
      { label: "resident", values: view.processHistory.map((m) => m.residentBytes) },
      { label: "heap", values: view.processHistory.map((m) => m.heapUsedBytes) },
    ], { moments: () => view.processHistory, steps: MEMORY_STEPS }),
  ];
}

/** Powers of two, as bytes are told. */
const MEMORY_STEPS = Array.from({ length: 24 }, (_, i) => 2 ** (16 + i));

function runChart(title, format, series, { moments = (pipeline) => pipeline.history, steps = null } = {}) {
  const chart = new Chart({ kind: "lines", isTime: true, format, mark: format, label: title, right: null, steps });
  return {
    element: tile(title, chart.element),
    update: (pipeline) => chart.show(moments(pipeline).map(({ atMs }) => atMs / 1000), series(pipeline)),
    redraw: () => chart.redraw(),
  };
}
