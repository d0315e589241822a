/** All pipelines of a run together: how they do, and the panels that are meant for here. */
import { make, renew, section } from "./dom.js";
import { makeTiles } from "./figures.js";
import { Panel } from "./panel.js";
import { panelSections } from "./panel_sections.js";
import { healthTable, nodeTable } from "./tables.js";

/** What is said where a pipeline's name would be. */
export const OVERVIEW = "overview";

export class Overview {
  /** `choose` goes to a pipeline by its name. */
  constructor(view, lens, choose) {
    this.view = view;
    this.choose = choose;
    this.name = OVERVIEW;
    this.tiles = makeTiles(view);
    this.panels = [...view.pipelines.values()].flatMap((pipeline) =>
      [...pipeline.panels.values()].filter(({ panel }) => panel.isOverview && panel.aside === null).map((known) =>
        new Panel(pipeline, known, lens)
      )
    ).sort((a, b) => Number(b.known.panel.kind === "number") - Number(a.known.panel.kind === "number"));
    this.health = make("div");
    this.nodes = make("div");
    this.element = make(
      "div",
      {},
      make("section.tiles", { "aria-label": "Key figures" }, ...this.tiles.map(({ element }) => element)),
      ...panelSections(this.panels, ({ known: { panel } }) => panel.kind === "number" ? "At a glance" : panel.group || "Results", lens),
      section("Pipelines", make("div.tile", {}, this.health)),
      section("Nodes", make("div.tile", {}, this.nodes)),
    );
  }

  update() {
    const all = [...this.view.pipelines.values()];
    const total = this.view.total();
    if (total) { for (const one of this.tiles) one.update(total); }
    renew(this.health, healthTable(all, this.choose));
    this.freshen();
    renew(this.nodes, nodeTable(all));
  }

  freshen() {
    for (const panel of this.panels) panel.update();
  }

  redraw() {
    for (const one of this.panels) one.redraw();
  }
}
