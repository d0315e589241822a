/** The page: follows the stream of snapshots and puts what changed where it belongs. */
import { byId, make, say } from "./dom.js";
import { Scene } from "./scene.js";
import { duration, moment, whole } from "./text.js";
import { View } from "./view.js";

const view = new View();
/** What is drawn of the chosen pipeline. */
let scene = null;
let chosen = null;
const THEMES = { auto: ["◐", "Colours: as the system"], dark: ["☾", "Colours: dark"], light: ["☀", "Colours: light"] };

// ---- tabs, header ------------------------------------------------------------------------------------------------------------

const STATES = { waiting: "waiting", running: "running", draining: "stopping", done: "done", stopped: "stopped", failed: "failed" };

function showTabs() {
  const tabs = byId("tabs");
  tabs.hidden = view.pipelines.size < 2;
  if (tabs.childElementCount !== view.pipelines.size) {
    tabs.replaceChildren(
      ...[...view.pipelines.keys()].map((name) =>
        make(
          "button",
          {
            type: "button",
            "data-name": name,
            onclick: () => choose(name),
          },
          make("i", { "aria-hidden": "true" }),
          make("span", {}, name),
          make("small"),
        )
      ),
    );
  }
  for (const tab of tabs.children) {
    const state = view.pipelines.get(tab.dataset.name).now?.state ?? "waiting";
    tab.dataset.state = state;
    tab.setAttribute("aria-current", tab.dataset.name === chosen ? "page" : "false");
    say(tab.lastElementChild, STATES[state]);
  }
}

function choose(name) {
  chosen = name;
  const pipeline = view.pipelines.get(name);
  scene = new Scene(view, pipeline);
  byId("content").replaceChildren(scene.element);
  history.replaceState(null, "", `#${encodeURIComponent(name)}`);
  show();
}

/** The one that was asked for, else the first that runs. */
function firstChoice() {
  const wished = decodeURIComponent(location.hash.slice(1));
  if (view.pipelines.has(wished)) return wished;
  const all = [...view.pipelines];
  const running = all.find(([, { now }]) => now?.state === "running");
  return (running ?? all.findLast(([, { now }]) => now?.state === "done") ?? all[0])?.[0] ?? null;
}

function show() {
  if (!scene) return;
  const { now, shape } = scene.pipeline;
  byId("empty").hidden = true;
  byId("content").hidden = false;
  showTabs();
  scene.update();
  document.title = `${shape.name} · millrace`;
  say(byId("version"), view.version);
  setLink(now?.state === "failed" ? "bad" : "live", STATES[now?.state ?? "waiting"]);
  const resumed = now?.resumed ? " · went on with an unfinished run" : "";
  say(
    byId("footer"),
    `${shape.kind} “${shape.name}” · ${now?.lanes ?? 0} lane${now?.lanes === 1 ? "" : "s"} · up ${
      duration(view.atMs - view.startedMs)
    }${resumed}`,
  );
}

function setLink(level, text) {
  byId("link").dataset.level = level;
  say(byId("link-text"), text);
}

// ---- search ------------------------------------------------------------------------------------------------------------------

async function search(wished) {
  if (wished.trim() === "") return;
  const body = byId("found-body");
  say(byId("found-title"), `Records with “${wished.trim()}”`);
  body.replaceChildren(make("p.empty", {}, "looking …"));
  if (!byId("found").open) byId("found").showModal();
  try {
    const response = await fetch(`/api/search?q=${encodeURIComponent(wished)}`);
    const { found, searched } = await response.json();
    const note = make("p.note", {}, `${whole(searched)} newest rows were looked through.`);
    if (found.length === 0) return body.replaceChildren(make("p.empty", {}, "None of the newest rows has it."), note);
    body.replaceChildren(...found.map(foundRow), note);
  } catch {
    body.replaceChildren(make("p.empty", {}, "The pipeline does not answer."));
  }
}

function foundRow({ pipeline, sink, columns, values, epoch, timeMicros }) {
  const fields = columns.flatMap((column, i) =>
    values[i] === "" ? [] : [make("div", {}, make("dt", {}, column), make("dd", {}, values[i]))]
  );
  const title = `${pipeline} → ${sink.replace(/^sink:/, "")}`;
  return make(
    "article.tile",
    { "aria-label": title },
    make("h3", {}, title, make("span.note", {}, `epoch ${epoch} · ${moment(timeMicros / 1000)}`)),
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
    const name = view.pipelines.has(chosen) ? chosen : firstChoice();
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
    if (stream.readyState === EventSource.CLOSED) setTimeout(follow, RETRY_MS);
  });
}
follow();
