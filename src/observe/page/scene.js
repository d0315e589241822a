/** What is drawn of one pipeline, from its key figures down to its log. */
import { make, renew, section, tile } from "./dom.js";
import { makeCharts, makeTiles } from "./figures.js";
import { Graph } from "./graph.js";
import { Panel } from "./panel.js";
import { panelSections } from "./panel_sections.js";
import { eventList, nodeTable, rejectBars, rowTable, sampleTable, sourceTable } from "./tables.js";

/** All that is shown of one pipeline. */
export class Scene {
  constructor(view, pipeline, lens) {
    this.view = view;
    this.pipeline = pipeline;
    this.name = pipeline.shape.name;
    this.tiles = makeTiles(view);
    this.graph = new Graph();
    this.charts = makeCharts(view);
    this.panels = [...pipeline.panels.values()].filter(({ panel }) => panel.aside === null).map((known) =>
      new Panel(pipeline, known, lens)
    );
    this.nodes = make("div");
    this.rejects = make("div");
    this.samples = make("div");
    this.sources = make("div");
    this.rows = new RowsCard(pipeline);
    this.events = make("div");
    this.element = make(
      "div",
      {},
      make("section.tiles", { "aria-label": "Key figures" }, ...this.tiles.map(({ element }) => element)),
      section("Graph", make("div.tile.flush", {}, this.graph.element)),
      ...panelSections(this.panels, ({ known }) => known.panel.group || "Results", lens),
      section("Throughput and time", make("div.grid", {}, ...this.charts.map(({ element }) => element))),
      ...pipeline.shape.rows.length === 0 ? [] : [section("Newest rows", this.rows.element)],
      section(
        "Rejects",
        make("div.grid.two", {}, tile("By reason", this.rejects), tile("Newest, with what is tagged left out", this.samples)),
      ),
      section("Nodes", make("div.tile", {}, this.nodes)),
      section("Sources", make("div.tile", {}, this.sources)),
      section("Log", make("div.tile", {}, this.events)),
    );
  }

  update() {
    const { pipeline } = this;
    if (!pipeline.now) return;
    for (const one of this.tiles) one.update(pipeline);
    this.graph.show(pipeline);
    for (const one of this.charts) one.update(pipeline);
    renew(this.rejects, rejectBars(pipeline));
    this.freshen();
    renew(this.nodes, nodeTable([pipeline]));
    renew(this.sources, sourceTable(pipeline));
    renew(this.events, eventList(this.view));
  }

  /** What may change more often than the rest. */
  freshen() {
    for (const panel of this.panels) panel.update();
    this.rows.update();
    const newest = this.pipeline.samples.at(-1) ?? null;
    if (newest === this.newestSample && this.samples.firstElementChild) return;
    this.newestSample = newest;
    renew(this.samples, sampleTable(this.pipeline));
  }

  redraw() {
    for (const one of [...this.charts, ...this.panels]) one.redraw();
  }
}

/** The newest rows of one sink at a time. */
class RowsCard {
  constructor(pipeline) {
    this.pipeline = pipeline;
    this.shapes = pipeline.shape.rows;
    this.chosen = this.shapes[0] ?? null;
    this.shown = undefined;
    this.place = make("div");
    this.buttons = this.shapes.map((shape) =>
      make("button", { type: "button", onclick: () => this.#choose(shape) }, shape.sink.replace(/^sink:/, ""))
    );
    this.element = make("div.tile", {}, make("div.choice", { role: "group", "aria-label": "Sink" }, ...this.buttons), this.place);
    this.#mark();
  }

  update() {
    if (!this.chosen) return;
    const kept = this.pipeline.rows.get(this.chosen.sink);
    const newest = kept.at(-1) ?? null;
    if (newest === this.shown) return;
    this.shown = newest;
    renew(this.place, rowTable(this.chosen, kept));
  }

  #choose(shape) {
    this.chosen = shape;
    this.shown = undefined;
    this.#mark();
    this.update();
  }

  #mark() {
    this.buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(this.shapes[i] === this.chosen)));
  }
}
