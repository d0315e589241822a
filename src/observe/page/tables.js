/** The tables of a pipeline: what was refused, what is read, what came out, what was logged. */
import { make, table } from "./dom.js";
import { isNumeric } from "./panel.js";
import { bytes, clock, duration, listed, moment, rate, short, whole } from "./text.js";
import { rates } from "./view.js";

const ROWS_SHOWN = 25;

export function rejectBars({ now }) {
  if (now.reasons.length === 0) {
    return make("p.empty", {}, now.moment.rejected > 0 ? "refused before this process began" : "nothing was refused");
  }
  const most = now.reasons[0].count;
  return make(
    "ul.shares",
    {},
    ...now.reasons.map(({ node, reason, count }) => {
      const bar = make("i.bad", { "aria-hidden": "true" });
      bar.style.width = `${(count / most * 100).toFixed(1)}%`;
      return make(
        "li",
        {},
        make("span.label", {}, make("code", {}, reason), ` at ${node.replace(/^sink:/, "")}`),
        make("span.bar", {}, bar),
        make("span.value", {}, whole(count)),
      );
    }),
  );
}

export function sampleTable({ samples }) {
  if (samples.length === 0) return make("p.empty", {}, "none yet");
  const rows = samples.slice(-12).reverse().map((
    { timeMicros, node, reason, text },
  ) => [clock(timeMicros / 1000), node, make("code", {}, reason), make("code", {}, text)]);
  return table("Refused records", ["time", "node", "reason", "record"], rows);
}

export function sourceTable({ now }) {
  if (now.sources.length === 0) return make("p.empty", {}, now.state === "waiting" ? "not connected yet" : "nothing is read now");
  const rows = now.sources.map(({ source, partition, position, behind, eventMicros, ended, idle }) => [
    source,
    String(partition),
    make("code", {}, position.length > 60 ? `${position.slice(0, 59)}…` : position),
    behind === null ? "–" : whole(behind),
    eventMicros === null ? "–" : moment(eventMicros / 1000),
    ended ? "at its end" : idle ? "idle" : behind === 0 ? "caught up" : "reading",
  ]);
  return table("Partitions that are read", ["source", "partition", "position", "behind", "newest event time", "state"], rows, [
    "",
    "number",
    "",
    "number",
    "",
    "",
  ]);
}

/** What each node does; of several pipelines, each under its name. */
export function nodeTable(pipelines) {
  const rows = pipelines.filter(({ now }) => now).flatMap(({ shape, now, nodeRates, atMs }) =>
    shape.nodes.map(({ name, role, type }) => {
      const node = now.nodes[name];
      const told = (value) => value === 0 ? "–" : short(value);
      return [
        ...pipelines.length > 1 ? [shape.name] : [],
        name.replace(/^(?:sink|table):/, ""),
        `${role} · ${type}`,
        rate(nodeRates.get(name) ?? 0),
        short(node.in),
        role === "sink" ? "–" : short(node.out),
        told(node.filtered + node.folded),
        told(node.duplicates),
        told(node.late),
        told(node.rejected),
        node.stateRows === 0 ? "–" : `${short(node.stateRows)} · ${bytes(node.stateBytes)}`,
        node.watermarkMs === null ? "–" : `${duration(atMs - node.watermarkMs)} behind`,
      ];
    })
  );
  const columns = ["node", "kind", "rate", "in", "out", "filtered, folded", "duplicates", "late", "rejected", "state", "watermark"];
  const kinds = ["", "", ...columns.slice(2).map(() => "number")];
  if (pipelines.length === 1) return table("Nodes", columns, rows, kinds);
  return table("Nodes of all pipelines", ["pipeline", ...columns], rows, ["", ...kinds]);
}

/** One line for each pipeline. */
export function healthTable(pipelines, choose) {
  const rows = pipelines.map(({ shape, now, history }) => {
    const open = make("button.name", { type: "button", onclick: () => choose(shape.name) }, shape.name);
    if (!now) return [open, "waiting", ...new Array(9).fill("–")];
    const { moment: at } = now;
    const last = (of) => rate(rates(history.slice(-2), of).at(-1) ?? 0);
    const state = Object.values(now.nodes).reduce((sum, node) => sum + node.stateBytes, 0);
    return [
      open,
      make(`span.state.${now.state}`, {}, now.state),
      last((m) => m.read),
      last((m) => m.written),
      at.behind === null ? "–" : whole(at.behind),
      at.watermarkDelayMs === null ? "–" : duration(at.watermarkDelayMs),
      duration(at.epochMs),
      duration(at.checkpointMs),
      state === 0 ? "–" : bytes(state),
      at.rejected === 0 ? "–" : whole(at.rejected),
    ];
  });
  const columns = ["pipeline", "state", "read", "written", "lag", "watermark behind", "epoch", "checkpoint", "keyed state", "rejected"];
  return table("Pipelines", columns, rows, ["", "", ...columns.slice(2).map(() => "number")]);
}

export function rowTable({ sink, columns }, kept) {
  if (kept.length === 0) return make("p.empty", {}, "no rows yet");
  const rows = kept.slice(-ROWS_SHOWN).reverse().map(({ values, epoch }) => [...values, String(epoch)]);
  const used = columns.map((_, i) => i).filter((i) => kept.some(({ values }) => values[i] !== ""));
  const kinds = [...used.map((i) => isNumeric(rows, i) ? "number" : ""), "number"];
  return table(
    `Newest rows of ${sink.replace(/^sink:/, "")}`,
    [...used.map((i) => columns[i]), "epoch"],
    rows.map((row) => [...used.map((i) => listed(row[i])), row.at(-1)]),
    kinds,
  );
}

export function eventList(view) {
  if (view.events.length === 0) return make("p.empty", {}, "quiet so far");
  const rows = view.events.slice(-20).reverse().map(({ atMs, level, name, fields }) => [
    clock(atMs),
    make(`span.level.${level}`, {}, level),
    make("code", {}, name),
    Object.entries(fields).map(([key, value]) => `${key} ${value}`).join(" · "),
  ]);
  return table("Log events", ["time", "level", "event", "fields"], rows);
}
