/**
 * What the page knows: the whole it began with, and every snapshot since. Holds no elements. Invariant: lists are as long as the
 * server keeps them, however long the page stays open.
 */
const HISTORY_LENGTH = 600;
const ROWS_KEPT = 100;
const SAMPLES_KEPT = 50;
const EVENTS_KEPT = 100;
/** How much of a new rate shows at once: the rest is what was before. */
const FRESHNESS = 0.6;
const RATE_SECONDS_MIN = 0.7;

export class View {
  pipelines = new Map();
  processHistory = [];
  events = [];
  atMs = 0;
  startedMs = 0;
  version = "";
  isDraining = false;

  begin(whole) {
    this.pipelines = new Map(whole.shapes.map((shape) => [shape.name, newPipeline(shape)]));
    this.processHistory = [...whole.processHistory];
    this.events = [...whole.events];
    this.startedMs = whole.startedMs;
    this.version = whole.version;
    for (const { pipeline, moments } of whole.history) this.pipelines.get(pipeline).history = [...moments];
    this.#take(whole);
  }

  advance(snapshot) {
    if (snapshot.process) push(this.processHistory, snapshot.process, HISTORY_LENGTH);
    for (const event of snapshot.events) push(this.events, event, EVENTS_KEPT);
    for (const { name, moment } of snapshot.pipelines) {
      const pipeline = this.pipelines.get(name);
      if (pipeline) push(pipeline.history, moment, HISTORY_LENGTH);
    }
    this.#take(snapshot);
  }

  freshen({ pipelines }) {
    for (const one of pipelines) {
      const pipeline = this.pipelines.get(one.name);
      if (pipeline) takeFresh(pipeline, one);
    }
  }

  /** All pipelines as one; null before the first snapshot. */
  total() {
    const all = [...this.pipelines.values()].filter(({ now }) => now !== null);
    if (all.length === 0) return null;
    const length = Math.min(...all.map(({ history }) => history.length));
    const histories = all.map(({ history }) => history.slice(history.length - length));
    const history = Array.from({ length }, (_, i) => added(histories.map((moments) => moments[i])));
    const sum = (of) => all.reduce((total, { now }) => total + of(now), 0);
    const isOver = all.every(({ now }) => now.state === "done");
    const now = {
      state: isOver ? "done" : "running",
      moment: history.at(-1) ?? added(all.map(({ now }) => now.moment)),
      openAgeMs: Math.max(...all.map(({ now }) => now.openAgeMs)),
      epochs: sum(({ epochs }) => epochs),
    };
    return { now, history };
  }

  #take(snapshot) {
    this.atMs = snapshot.atMs;
    this.isDraining = snapshot.isDraining;
    this.followers = snapshot.followers;
    for (const one of snapshot.pipelines) {
      const pipeline = this.pipelines.get(one.name);
      if (pipeline) takePipeline(pipeline, one, snapshot.atMs);
    }
  }
}

/** Several pipelines at one moment: counts together, times of the one that takes longest. */
function added(moments) {
  const known = (of) => moments.map(of).filter((value) => value !== null && value !== undefined);
  const sum = (of) => known(of).length === 0 ? null : known(of).reduce((total, value) => total + value, 0);
  const most = (of) => known(of).length === 0 ? null : Math.max(...known(of));
  return {
    atMs: moments[0].atMs,
    read: sum((m) => m.read),
    written: sum((m) => m.written),
    rejected: sum((m) => m.rejected),
    behind: sum((m) => m.behind),
    watermarkDelayMs: most((m) => m.watermarkDelayMs),
    epochMs: most((m) => m.epochMs),
    checkpointMs: most((m) => m.checkpointMs),
    epochRecords: most((m) => m.epochRecords),
  };
}

function newPipeline(shape) {
  return {
    shape,
    now: null,
    atMs: 0,
    history: [],
    rows: new Map(shape.rows.map(({ sink }) => [sink, []])),
    samples: [],
    edges: mergedEdges(shape.edges),
    nodeRates: new Map(),
    panels: new Map(shape.panels.map((panel) => [panel.id, { panel, xs: new Map(), data: null }])),
  };
}

/** Edges that are drawn as one: a source that checks what it read refuses in two places. */
function mergedEdges(edges) {
  const merged = new Map();
  edges.forEach(({ from, to, port }, i) => {
    const key = `${from} ${port} ${to}`;
    const known = merged.get(key);
    if (known) known.places.push(i);
    else merged.set(key, { from, to, port, places: [i], count: 0, rate: 0 });
  });
  return [...merged.values()];
}

function takePipeline(pipeline, one, atMs) {
  const before = pipeline.now;
  const seconds = (atMs - pipeline.atMs) / 1000;
  // Two looks that are close together tell nothing of a rate.
  const isLater = before !== null && seconds >= RATE_SECONDS_MIN;
  for (const edge of pipeline.edges) {
    const count = edge.places.reduce((sum, i) => sum + one.edges[i], 0);
    if (isLater) edge.rate = smoothed(edge.rate, (count - edge.count) / seconds);
    if (isLater || !before) edge.count = count;
  }
  for (const [name, node] of Object.entries(one.nodes)) {
    const earlier = before?.nodes[name];
    if (earlier && isLater) {
      pipeline.nodeRates.set(name, smoothed(pipeline.nodeRates.get(name) ?? 0, (node.in - earlier.in) / seconds));
    }
  }
  takeFresh(pipeline, one);
  if (before && !isLater) one = { ...one, nodes: before.nodes };
  else pipeline.atMs = atMs;
  pipeline.now = one;
}

/** What comes several times a second: rows, refused records, panels. */
function takeFresh(pipeline, { rows, samples, panels }) {
  for (const row of rows) {
    const kept = pipeline.rows.get(row.sink);
    if (kept) push(kept, row, ROWS_KEPT);
  }
  for (const sample of samples) push(pipeline.samples, sample, SAMPLES_KEPT);
  for (const [id, data] of Object.entries(panels)) takePanel(pipeline.panels.get(id), data);
}

function takePanel(known, data) {
  if (!known) return;
  known.data = data;
  for (const [x, label, value] of data.points ?? []) {
    let ofX = known.xs.get(x);
    if (!ofX) known.xs.set(x, ofX = new Map());
    ofX.set(label, value);
  }
  if (data.from !== undefined) { for (const x of known.xs.keys()) if (x < data.from) known.xs.delete(x); }
}

const smoothed = (before, now) => Math.abs(now - before) < 0.05 ? now : before + (Math.max(0, now) - before) * FRESHNESS;

function push(list, item, most) {
  list.push(item);
  if (list.length > most) list.splice(0, list.length - most);
}

/** Differences of two counters per second, moment by moment. */
export function rates(history, of) {
  return history.map((moment, i) => {
    if (i === 0) return null;
    const seconds = (moment.atMs - history[i - 1].atMs) / 1000;
    return seconds > 0 ? Math.max(0, of(moment) - of(history[i - 1])) / seconds : null;
  });
}
