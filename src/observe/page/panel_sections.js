/** Panels under the titles of their groups; beside the first title, by which time they are seen. */
import { make, section, sectionWith } from "./dom.js";

/** Sections in the order in which their panels come. */
export function panelSections(panels, groupOf, lens) {
  const groups = new Map();
  for (const panel of panels) {
    const group = groupOf(panel);
    groups.set(group, [...groups.get(group) ?? [], panel]);
  }
  let tools = panels.some(({ hasClock }) => hasClock) ? timeSwitch(lens) : null;
  return [...groups].map(([group, members]) => {
    const made = tools ? sectionWith(group, tools, ...grids(members)) : section(group, ...grids(members));
    tools = null;
    return made;
  });
}

/** Numbers stand together before what needs more room, and tables behind it. */
function grids(panels) {
  const grid = (name, fits) => {
    const members = panels.filter(({ known }) => fits(known.panel.kind));
    return members.length === 0 ? [] : [make(name, {}, ...members.map(({ element }) => element))];
  };
  return [
    ...grid("div.grid.small", (kind) => kind === "number"),
    ...grid("div.grid", (kind) => kind !== "number" && kind !== "table"),
    ...grid("div.grid", (kind) => kind === "table"),
  ];
}

const TIMES = { event: "Event time", clock: "Clock" };

function timeSwitch(lens) {
  const buttons = Object.entries(TIMES).map(([time, label]) => ({
    time,
    button: make("button", { type: "button", onclick: () => mark(lens.chooseTime(time)) }, label),
  }));
  const mark = () => buttons.forEach(({ time, button }) => button.setAttribute("aria-pressed", String(time === lens.time)));
  mark();
  return make("div.choice", { role: "group", "aria-label": "Time of the charts" }, ...buttons.map(({ button }) => button));
}
