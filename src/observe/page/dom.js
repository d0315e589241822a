/** Making and renewing elements. Text goes in as text: nothing that was read is ever taken for markup. */

const SVG = "http://www.w3.org/2000/svg";

/** make("p.hint", { id: "x" }, "text", child) */
export function make(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  return fill(document.createElement(tag), classes, attributes, children);
}

export function draw(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  return fill(document.createElementNS(SVG, tag), classes, attributes, children);
}

function fill(element, classes, attributes, children) {
  if (classes.length > 0) element.classList.add(...classes);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Changes the text only where it is another: nothing flickers, and readers are not told the same twice. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const byId = (id) => document.getElementById(id);

/** A table that can be scrolled by keyboard. `rows` are arrays of texts or elements; `kinds` of columns: "number", "code" or "". */
export function table(caption, columns, rows, kinds = []) {
  const head = make("tr", {}, ...columns.map((column, i) => make("th", { scope: "col", class: kinds[i] ?? null }, column)));
  const body = rows.map((row) => make("tr", {}, ...row.map((value, i) => make("td", { class: kinds[i] ?? null }, value))));
  const made = make("table", {}, make("caption.hidden", {}, caption), make("thead", {}, head), make("tbody", {}, ...body));
  return make("div.scroll", { tabindex: 0, role: "region", "aria-label": caption }, made);
}

/** Puts new content in without losing where somebody has scrolled to, or what has the focus. */
export function renew(parent, content) {
  const before = parent.firstElementChild;
  const left = before?.scrollLeft ?? 0;
  const top = before?.scrollTop ?? 0;
  const focused = before !== null && before === document.activeElement;
  const button = before === null ? -1 : [...before.querySelectorAll("button")].indexOf(document.activeElement);
  parent.replaceChildren(content);
  content.scrollLeft = left;
  content.scrollTop = top;
  if (focused) content.focus({ preventScroll: true });
  if (button >= 0) content.querySelectorAll("button")[button]?.focus({ preventScroll: true });
}

/** A part of the page under its title. */
export function section(title, ...content) {
  return sectionWith(title, null, ...content);
}
/** With something to choose beside the title. */
export function sectionWith(title, tools, ...content) {
  return make("section", { "aria-label": title }, make("div.section-head", {}, make("h2", {}, title), tools), ...content);
}
/** A box with a title. */
export const tile = (title, ...content) => make("article.tile", { "aria-label": title }, make("h3", {}, title), ...content);
