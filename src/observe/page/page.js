/** The page: follows the stream of snapshots and puts what changed where it belongs. */
import { byId, make, say } from "./dom.js";
import { Lens } from "./lens.js";
import { OVERVIEW, Overview } from "./overview.js";
import { Scene } from "./scene.js";
import { bytes, duration, moment, whole } from "./text.js";
import { View } from "./view.js";

const view = new View();
const lens = new Lens();
/** What is drawn of the chosen pipeline. */
let scene = null;
let chosen = null;
const THEMES = { auto: ["◐", "Colours: as the system"], dark: ["☾", "Colours: dark"], light: ["☀", "Colours: light"] };

// ---- tabs, header ------------------------------------------------------------------------------------------------------------

const STATES = { waiting: "waiting", running: "running", draining: "stopping", done: "done", stopped: "stopped", failed: "failed" };

/** Several pipelines have an overview before them. */
const names = () => view.pipelines.size < 2 ? [...view.pipelines.keys()] : [OVERVIEW, ...view.pipelines.keys()];

function showTabs() {
  const tabs = byId("tabs");
  const wished = names();
  tabs.hidden = wished.length < 2;
  if (wished.some((name, i) => tabs.children[i]?.dataset.name !== name) || tabs.childElementCount !== wished.length) {
    tabs.replaceChildren(...wished.map(tab));
  }
  for (const one of tabs.children) {
    const { name } = one.dataset;
    const state = view.pipelines.get(name)?.now?.state ?? "waiting";
    one.setAttribute("aria-current", name === chosen ? "page" : "false");
    if (name === OVERVIEW) continue;
    one.dataset.state = state;
    say(one.lastElementChild, STATES[state]);
  }
}

function tab(name) {
  const attributes = { type: "button", "data-name": name, onclick: () => choose(name) };
  if (name === OVERVIEW) return make("button", attributes, make("span", {}, "Overview"));
  return make("button", attributes, make("i", { "aria-hidden": "true" }), make("span", {}, name), make("small"));
}

function choose(name) {
  const isOther = name !== chosen;
  const scrolled = scrollY;
  chosen = name;
  scene = name === OVERVIEW ? new Overview(view, lens, choose) : new Scene(view, view.pipelines.get(name), lens);
  byId("content").replaceChildren(scene.element);
  history.replaceState(null, "", `#${encodeURIComponent(name)}`);
  show();
  scrollTo(0, isOther ? 0 : scrolled);
  if (isOther) byId("tabs").querySelector("[aria-current=page]")?.scrollIntoView({ inline: "center", block: "nearest" });
}

/** The one that was asked for, else the first. */
function firstChoice() {
  const wished = decodeURIComponent(location.hash.slice(1));
  return names().includes(wished) ? wished : names()[0] ?? null;
}

function show() {
  if (!scene) return;
  byId("empty").hidden = true;
  byId("content").hidden = false;
  showTabs();
  scene.update();
  document.title = `${scene.name} · millrace`;
  say(byId("version"), view.version);
  const state = overallState();
  setLink(state === "failed" ? "bad" : "live", STATES[state]);
  say(
    byId("footer"),
    `${scene.pipeline ? footerOf(scene.pipeline) : `${view.pipelines.size} pipelines`} · up ${duration(view.atMs - view.startedMs)}`,
  );
}

/** Of the pipeline that is shown; of all, the one that matters most. */
function overallState() {
  if (scene.pipeline) return scene.pipeline.now?.state ?? "waiting";
  const states = new Set([...view.pipelines.values()].map(({ now }) => now?.state ?? "waiting"));
  return ["failed", "draining", "running", "waiting", "stopped", "done"].find((state) => states.has(state));
}

function footerOf({ shape, now }) {
  const lanes = `${now?.lanes ?? 0} lane${now?.lanes === 1 ? "" : "s"}`;
  return `${shape.kind} “${shape.name}” · ${lanes}${now?.resumed ? " · went on with an unfinished run" : ""}`;
}

function setLink(level, text) {
  byId("link").dataset.level = level;
  say(byId("link-text"), text);
}

lens.onChange(() => scene?.freshen());

// ---- search ------------------------------------------------------------------------------------------------------------------

async function search(wished) {
  if (wished.trim() === "") return;
  const body = byId("found-body");
  say(byId("found-title"), `Records with “${wished.trim()}”`);
  body.replaceChildren(make("p.empty", {}, "looking …"));
  if (!byId("found").open) byId("found").showModal();
  try {
    const response = await fetch(`/api/search?q=${encodeURIComponent(wished)}`);
    const { found, searched, files } = await response.json();
    const note = make("p.note", {}, reach(searched, files));
    if (found.length === 0) return body.replaceChildren(make("p.empty", {}, "None of these rows has it."), note);
    body.replaceChildren(...found.map(foundRow), note);
  } catch {
    body.replaceChildren(make("p.empty", {}, "The pipeline does not answer."));
  }
}

/** How far back the search has looked. */
function reach(searched, files) {
  const newest = `${whole(searched)} newest rows were looked through`;
  if (!files) return `${newest}.`;
  const many = `${whole(files.files)} CSV and NDJSON file${files.files === 1 ? "" : "s"}`;
  return `${newest}, and ${files.isWhole ? `all ${many}` : `the newest ${many}`} that sinks have shown, ${bytes(files.bytes)}.`;
}

function foundRow({ pipeline, sink, columns, values, epoch, timeMicros }) {
  const fields = columns.flatMap((column, i) =>
    values[i] === "" ? [] : [make("div", {}, make("dt", {}, column), make("dd", {}, values[i]))]
  );
  const title = `${pipeline} → ${sink.replace(/^sink:/, "")}`;
  return make(
    "article.tile",
    { "aria-label": title },
    make("h3", {}, title, make("span.note", {}, `${epoch === null ? "file of" : `epoch ${epoch} ·`} ${moment(timeMicros / 1000)}`)),
    make("dl.fields", {}, ...fields),
  );
}

byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  search(byId("wished").value);
});
byId("found-close").addEventListener("click", () => byId("found").close());
byId("found").addEventListener("click", (event) => event.target === byId("found") && byId("found").close());
document.addEventListener("keydown", (event) => {
  const isTyping = event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey;
  if (event.key !== "/" || isTyping) return;
  event.preventDefault();
  byId("wished").focus();
});

// ---- colours -----------------------------------------------------------------------------------------------------------------

const systemDark = matchMedia("(prefers-color-scheme: dark)");

function setTheme(theme) {
  document.documentElement.dataset.theme = theme === "auto" ? (systemDark.matches ? "dark" : "light") : theme;
  const [sign, label] = THEMES[theme];
  const button = byId("theme");
  button.dataset.theme = theme;
  say(button, sign);
  button.setAttribute("aria-label", label);
  scene?.redraw();
}
function storedTheme() {
  try {
    return Object.keys(THEMES).find((theme) => theme === localStorage.getItem("millrace-theme")) ?? "auto";
  } catch {
    return "auto"; // Storage is switched off: the choice lasts as long as the page.
  }
}
byId("theme").addEventListener("click", () => {
  const names = Object.keys(THEMES);
  const next = names[(names.indexOf(byId("theme").dataset.theme) + 1) % names.length];
  try {
    localStorage.setItem("millrace-theme", next);
  } catch {
    // As above.
  }
  setTheme(next);
});
systemDark.addEventListener("change", () => setTheme(byId("theme").dataset.theme));
setTheme(storedTheme());

// ---- the stream --------------------------------------------------------------------------------------------------------------

const RETRY_MS = 2_000;

/** A browser connects again by itself after a broken connection, but not after an answer that was no stream. */
function follow() {
  const stream = new EventSource("/events");
  stream.addEventListener("whole", ({ data }) => {
    view.begin(JSON.parse(data));
    const name = names().includes(chosen) ? chosen : firstChoice();
    if (name !== null) choose(name);
  });
  stream.addEventListener("snapshot", ({ data }) => {
    view.advance(JSON.parse(data));
    show();
  });
  stream.addEventListener("fresh", ({ data }) => {
    view.freshen(JSON.parse(data));
    scene?.freshen();
  });
  stream.addEventListener("error", () => {
    setLink("bad", "the pipeline does not answer");
    if (stream.readyState === EventSource.CLOSED) AbortSignal.timeout(RETRY_MS).addEventListener("abort", follow);
  });
}
follow();
