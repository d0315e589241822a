/** A value that can be moved along a chart's x: how many of the counted rows lie above it. */
import { make, say } from "./dom.js";
import { short, whole } from "./text.js";

export class Threshold {
  constructor({ panel }, lens) {
    this.panel = panel;
    this.lens = lens;
    this.counts = make("output.threshold-counts");
    this.slider = make("input", { type: "range", step: 1, "aria-label": `${panel.title}: what lies above`, oninput: () => this.#moved() });
    const marks = panel.slider.marks.map((mark) => {
      const button = make("button", { type: "button", onclick: () => lens.setLimit(panel, mark.at) }, `${mark.name} ${mark.at}`);
      return { mark, button };
    });
    this.marks = marks;
    this.element = make(
      "div.threshold",
      {},
      this.slider,
      make(
        "div.threshold-line",
        {},
        this.counts,
        make("div.choice", { role: "group", "aria-label": "Named values" }, ...marks.map(({ button }) => button)),
      ),
    );
  }

  /** What lies above the limit, and what does not, as two series; says how many there are of each. */
  split(sorted, xs) {
    const limit = this.lens.limitAt(this.panel);
    const count = (x) => [...xs.get(x)?.values() ?? []].reduce((sum, value) => sum + value, 0);
    const values = sorted.map(count);
    const all = values.reduce((sum, value) => sum + value, 0);
    const above = values.reduce((sum, value, i) => sorted[i] > limit ? sum + value : sum, 0);
    this.#place(sorted, limit);
    say(this.counts, `above ${short(limit)}: ${whole(above)} of ${whole(all)}${all === 0 ? "" : ` · ${whole(above / all * 100)} %`}`);
    return [
      { label: "above", values: values.map((value, i) => sorted[i] > limit ? value : 0) },
      { label: "not above", values: values.map((value, i) => sorted[i] > limit ? 0 : value), isFaint: true },
    ];
  }

  #place(sorted, limit) {
    const { marks } = this.panel.slider;
    const ends = [limit, ...marks.map(({ at }) => at), ...sorted.length === 0 ? [] : [sorted[0], sorted.at(-1)]];
    const [min, max] = [Math.floor(Math.min(...ends)), Math.ceil(Math.max(...ends))];
    if (this.slider.min !== String(min)) this.slider.min = min;
    if (this.slider.max !== String(max)) this.slider.max = max;
    if (this.slider.value !== String(limit)) this.slider.value = limit;
    for (const { mark, button } of this.marks) button.setAttribute("aria-pressed", String(mark.at === limit));
  }

  #moved() {
    this.lens.setLimit(this.panel, Number(this.slider.value));
  }
}
