/** The pipeline as a drawing: nodes in layers from the sources to the sinks, records per second on the edges. */
import { draw, make, say } from "./dom.js";
import { rate, short } from "./text.js";

const NODE = { width: 178, height: 58 };
const GAP = { along: 92, across: 22 };
const MARGIN = 14;
/** A narrow page draws from top to bottom. */
const NARROW_PX = 720;
const DOWN_GAP = { along: 54, across: 16 };
const DOWN_COLUMNS = 2;
const NAME_LENGTH_MAX = 18;
/** A drawing that is wider than the page is made smaller, as long as its words can be read; beyond that it scrolls. */
const SCALE_MIN = 0.7;

export class Graph {
  constructor() {
    this.element = make("div.graph", { tabindex: 0, role: "region", "aria-label": "The graph of the pipeline" });
    this.pipeline = null;
    this.isDown = null;
    new ResizeObserver(() => this.#settle()).observe(this.element);
  }

  show(pipeline) {
    const isOther = this.pipeline !== pipeline;
    this.pipeline = pipeline;
    if (isOther) this.isDown = null;
    this.#settle();
    this.#update();
  }

  /** Draws anew where the pipeline, the direction or the set of drawn edges has changed. */
  #settle() {
    const { pipeline } = this;
    if (!pipeline || this.element.clientWidth === 0) return;
    const isDown = this.element.clientWidth < NARROW_PX;
    const edges = pipeline.edges.filter(({ port, count }) => port !== "rejected" && port !== "late" || count > 0);
    const { clientWidth } = this.element;
    if (isDown === this.isDown && edges.length === this.drawnEdges?.length && clientWidth === this.drawnWidth) return;
    this.drawnWidth = clientWidth;
    this.isDown = isDown;
    this.drawnEdges = edges;
    this.#drawAll(pipeline.shape.nodes, edges, pipeline.edges);
    this.#update();
  }

  #drawAll(nodes, edges, all) {
    const places = layOut(nodes, all, this.isDown);
    const width = Math.max(...[...places.values()].map(({ x }) => x)) + NODE.width + MARGIN;
    const height = Math.max(...[...places.values()].map(({ y }) => y)) + NODE.height + MARGIN;
    const scale = Math.max(SCALE_MIN, Math.min(1, (this.element.clientWidth - 2 * MARGIN) / width));
    const size = { width: Math.floor(width * scale), height: Math.floor(height * scale) };
    const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, ...size, role: "img", "aria-label": "Nodes and edges" });
    this.edgeParts = edges.map((edge) => {
      const parts = drawEdge(edge, places.get(edge.from), places.get(edge.to), this.isDown);
      svg.append(parts.line, parts.flow);
      return { edge, ...parts };
    });
    this.nodeParts = nodes.map((node) => {
      const parts = drawNode(node, places.get(node.name));
      svg.append(parts.group);
      return { node, ...parts };
    });
    for (const { edge, label } of this.edgeParts) if (edge.port !== "lookup") svg.append(label);
    this.element.replaceChildren(svg);
  }

  #update() {
    const { pipeline } = this;
    if (!pipeline?.now || !this.nodeParts) return;
    const isLive = pipeline.now.state === "running" || pipeline.now.state === "draining";
    const most = Math.max(1, ...this.drawnEdges.map((edge) => edge.rate));
    for (const { edge, line, flow, label, text } of this.edgeParts) {
      say(text, edge.port === "lookup" ? "lookup" : isLive ? rate(edge.rate) : short(edge.count));
      label.classList.toggle("quiet", edge.port === "lookup" || (isLive && edge.rate < 0.05));
      flow.classList.toggle("moving", isLive && edge.rate >= 0.05);
      const thickness = isLive && edge.rate > 0 ? 1.5 + 2.5 * Math.sqrt(edge.rate / most) : 1.5;
      line.style.strokeWidth = flow.style.strokeWidth = `${thickness.toFixed(1)}px`;
    }
    for (const { node, type, badge, badgeText, title } of this.nodeParts) {
      const counts = pipeline.now.nodes[node.name];
      const nodeRate = pipeline.nodeRates.get(node.name) ?? 0;
      say(type, `${node.type} · ${isLive ? rate(nodeRate) : short(counts.in)}`);
      badge.classList.toggle("shown", counts.rejected > 0);
      say(badgeText, short(counts.rejected));
      say(title, nodeWords(node, counts));
    }
  }
}

function nodeWords(node, counts) {
  const parts = [`${node.role} ${labelOf(node)}: ${short(counts.in)} in`];
  if (node.role !== "sink") parts.push(`${short(counts.out)} out`);
  for (const what of ["rejected", "late", "duplicates", "filtered", "folded"]) {
    if (counts[what] > 0) parts.push(`${short(counts[what])} ${what}`);
  }
  if (counts.stateRows > 0) parts.push(`${short(counts.stateRows)} rows of state`);
  return parts.join(", ");
}

const labelOf = ({ name }) => name.replace(/^(?:sink|table):/, "");

function drawNode(node, { x, y }) {
  const label = labelOf(node);
  const name = label.length > NAME_LENGTH_MAX ? `${label.slice(0, NAME_LENGTH_MAX - 1)}…` : label;
  const title = draw("title");
  const type = draw("text.type", { x: 16, y: 42 });
  const badgeText = draw("text", { x: NODE.width - 22, y: 4, "text-anchor": "middle" });
  const badge = draw("g.badge", {}, draw("rect", { x: NODE.width - 44, y: -9, width: 44, height: 18, rx: 9 }), badgeText);
  const group = draw(
    `g.node.${node.role}`,
    { transform: `translate(${x} ${y})` },
    title,
    draw("rect.box", { width: NODE.width, height: NODE.height, rx: 10 }),
    draw("rect.mark", { x: 0, y: 12, width: 4, height: NODE.height - 24, rx: 2 }),
    draw("text.name", { x: 16, y: 24 }, name),
    type,
    badge,
  );
  return { group, type, badge, badgeText, title };
}

function drawEdge(edge, from, to, isDown) {
  const [x1, y1] = isDown ? [from.x + NODE.width / 2, from.y + NODE.height] : [from.x + NODE.width, from.y + NODE.height / 2];
  const [x2, y2] = isDown ? [to.x + NODE.width / 2, to.y] : [to.x, to.y + NODE.height / 2];
  const bend = isDown ? Math.max(24, (y2 - y1) / 2) : Math.max(36, (x2 - x1) / 2);
  const curve = isDown
    ? `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`
    : `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
  const kind = edge.port === "out" ? "plain" : edge.port;
  // Near its end: there the edges of one node have parted.
  const t = 0.62;
  const along = (a, b, c, d) => (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t ** 2 * c + t ** 3 * d;
  const x = isDown ? along(x1, x1, x2, x2) : along(x1, x1 + bend, x2 - bend, x2);
  const y = isDown ? along(y1, y1 + bend, y2 - bend, y2) : along(y1, y1, y2, y2);
  const text = draw("text", { x, y: y + 4, "text-anchor": "middle" });
  const name = edge.port === "out" ? [] : [draw("title", {}, edge.port)];
  const label = draw(`g.rate.${kind}`, {}, ...name, draw("rect", { x: x - 31, y: y - 10, width: 62, height: 20, rx: 10 }), text);
  return { line: draw(`path.edge.${kind}`, { d: curve }), flow: draw(`path.flow.${kind}`, { d: curve }), label, text };
}

/** Every node in the layer behind the last of those it reads; within a layer, beside what it reads. */
function layOut(nodes, edges, isDown) {
  const layer = new Map(nodes.map(({ name }) => [name, 0]));
  for (let round = 0; round < nodes.length; round++) {
    for (const { from, to } of edges) layer.set(to, Math.max(layer.get(to), layer.get(from) + 1));
  }
  const layers = [];
  for (const { name } of nodes) (layers[layer.get(name)] ??= []).push(name);
  const order = new Map();
  layers.forEach((names, depth) => {
    const wish = (name) => {
      const read = edges.filter(({ to }) => to === name).map(({ from }) => order.get(from) ?? 0);
      return read.length === 0 ? names.indexOf(name) : read.reduce((sum, one) => sum + one, 0) / read.length;
    };
    if (depth > 0) names.sort((a, b) => wish(a) - wish(b));
    names.forEach((name, i) => order.set(name, i - (names.length - 1) / 2));
  });
  const gap = isDown ? DOWN_GAP : GAP;
  // On a narrow page a wide layer takes several rows.
  const rows = isDown ? layers.flatMap((names) => inRows(names, order)) : layers;
  const most = Math.max(...rows.map((names) => names.length));
  const across = isDown ? NODE.width + gap.across : NODE.height + gap.across;
  const along = isDown ? NODE.height + gap.along : NODE.width + gap.along;
  const middle = (most - 1) / 2 * across;
  const places = new Map();
  rows.forEach((names, depth) => {
    for (const name of names) {
      const side = MARGIN + middle + order.get(name) * across;
      const deep = MARGIN + depth * along;
      places.set(name, isDown ? { x: side, y: deep } : { x: deep, y: side });
    }
  });
  return places;
}

function inRows(names, order) {
  const rows = [];
  for (let i = 0; i < names.length; i += DOWN_COLUMNS) rows.push(names.slice(i, i + DOWN_COLUMNS));
  for (const row of rows) row.forEach((name, i) => order.set(name, i - (row.length - 1) / 2));
  return rows;
}
