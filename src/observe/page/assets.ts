/** The files of the page, inside the program: read as text when the module is loaded, so a compiled binary holds them too. */
import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import uplotScript from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import chartScript from "./chart.js" with { type: "text" };
import domScript from "./dom.js" with { type: "text" };
import figuresScript from "./figures.js" with { type: "text" };
import frameStyle from "./frame.css" with { type: "text" };
import graphScript from "./graph.js" with { type: "text" };
import icon from "./icon.svg" with { type: "text" };
import index from "./index.html" with { type: "text" };
import login from "./login.html" with { type: "text" };
import lensScript from "./lens.js" with { type: "text" };
import overviewScript from "./overview.js" with { type: "text" };
import panelSectionsScript from "./panel_sections.js" with { type: "text" };
import thresholdScript from "./threshold.js" with { type: "text" };
import pageScript from "./page.js" with { type: "text" };
import partsStyle from "./parts.css" with { type: "text" };
import panelScript from "./panel.js" with { type: "text" };
import sceneScript from "./scene.js" with { type: "text" };
import style from "./style.css" with { type: "text" };
import tablesScript from "./tables.js" with { type: "text" };
import textScript from "./text.js" with { type: "text" };
import viewScript from "./view.js" with { type: "text" };

export interface Asset {
  readonly type: string;
  readonly body: string;
}

const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";
const text = (module: unknown): string => module as string;

const ASSETS: ReadonlyMap<string, Asset> = new Map([
  ["/", { type: "text/html; charset=utf-8", body: text(index) }],
  ["/icon.svg", { type: "image/svg+xml", body: text(icon) }],
  ["/style.css", { type: STYLE, body: text(style) }],
  ["/frame.css", { type: STYLE, body: text(frameStyle) }],
  ["/parts.css", { type: STYLE, body: text(partsStyle) }],
  ["/uplot.css", { type: STYLE, body: text(uplotStyle) }],
  ["/uplot.js", { type: SCRIPT, body: text(uplotScript) }],
  ["/page.js", { type: SCRIPT, body: text(pageScript) }],
  ["/view.js", { type: SCRIPT, body: text(viewScript) }],
  ["/scene.js", { type: SCRIPT, body: text(sceneScript) }],
  ["/figures.js", { type: SCRIPT, body: text(figuresScript) }],
  ["/tables.js", { type: SCRIPT, body: text(tablesScript) }],
  ["/graph.js", { type: SCRIPT, body: text(graphScript) }],
  ["/chart.js", { type: SCRIPT, body: text(chartScript) }],
  ["/panel.js", { type: SCRIPT, body: text(panelScript) }],
  ["/lens.js", { type: SCRIPT, body: text(lensScript) }],
  ["/overview.js", { type: SCRIPT, body: text(overviewScript) }],
  ["/panel_sections.js", { type: SCRIPT, body: text(panelSectionsScript) }],
  ["/threshold.js", { type: SCRIPT, body: text(thresholdScript) }],
  ["/dom.js", { type: SCRIPT, body: text(domScript) }],
  ["/text.js", { type: SCRIPT, body: text(textScript) }],
]);

/** null where there is none of that path. */
export const asset = (path: string): Asset | null => ASSETS.get(path) ?? null;
/** Asks for the token. */
export const loginPage: string = text(login);
