/** One frame of `top`: what a terminal of the given size shows. Pure. Invariant: exactly `rows` lines, none wider than `columns`. */
import type { TopRates, TopSnapshot, TopView } from "../../app/watch/top_view.ts";
import { blocks, bytesText, short, timeText } from "./quantity.ts";

export interface FrameOptions {
  readonly columns: number;
  readonly rows: number;
  readonly colors: boolean;
  /** Which pipeline, by number. */
  readonly chosen: number;
  /** Instead of the footer: what went wrong. */
  readonly fault?: string;
}
type Pipeline = TopSnapshot["pipelines"][number];
type Style = "bold" | "dim" | "red" | "yellow" | "green" | "inverse";

const CODES: Readonly<Record<Style, string>> = { bold: "1", dim: "2", red: "31", yellow: "33", green: "32", inverse: "7" };
/** Rows that the parts below the nodes get at least, where they have any. */
const PART_ROWS_MIN = 3;

/** A piece of a line. */
interface Piece {
  readonly text: string;
  readonly style?: Style;
}
type Line = readonly Piece[];

const plain = (text: string): Line => [{ text }];
const NOTHING: TopRates = { nodes: new Map(), read: 0, written: 0, reads: [] };

export function topFrame(view: TopView, options: FrameOptions): string[] {
  const { snapshot } = view;
  const { rows } = options;
  const pipeline = snapshot.pipelines[options.chosen % Math.max(1, snapshot.pipelines.length)];
  const head = [header(snapshot, pipeline), ...(snapshot.pipelines.length > 1 ? [tabs(snapshot, pipeline)] : [])];
  const body = pipeline ? bodyOf(view, pipeline, rows - head.length - 1, options.columns) : [plain("no pipeline has begun")];
  const lines = [...head, ...body].slice(0, rows - 1);
  while (lines.length < rows - 1) lines.push([]);
  lines.push(footer(options));
  return lines.map((line) => drawn(line, options));
}

function header({ version, startedMs, atMs, process, isDraining }: TopSnapshot, pipeline: Pipeline | undefined): Line {
  const state = pipeline?.state ?? "waiting";
  const style = state === "failed" ? "red" : isDraining || state === "waiting" || state === "stopped" ? "yellow" : "green";
  const load = process
    ? `   CPU ${Math.round(process.cpuShare * 100)} %   memory ${bytesText(process.residentBytes)}   loop ${timeText(process.loopDelayMs)}`
    : "";
  return [
    { text: `millrace ${version}`, style: "bold" },
    { text: `  ${pipeline?.name ?? ""} ` },
    { text: `● ${state}`, style },
    { text: `   up ${timeText(atMs - startedMs)}${load}`, style: "dim" },
  ];
}

function tabs({ pipelines }: TopSnapshot, chosen: Pipeline | undefined): Line {
  return pipelines.flatMap((one): Piece[] => [{ text: ` ${one.name} `, style: one === chosen ? "inverse" : "dim" }, { text: " " }]);
}

function bodyOf(view: TopView, pipeline: Pipeline, rows: number, columns: number): Line[] {
  const rates = view.rates.get(pipeline.name) ?? NOTHING;
  const shape = view.snapshot.shapes.find(({ name }) => name === pipeline.name);
  const figures = [...figureLines(pipeline, rates, columns), []];
  const parts = [rejectLines(pipeline), sourceLines(pipeline), eventLines(view.snapshot)].filter((part) => part.length > 1);
  const nodes = nodeLines(pipeline, shape?.nodes ?? [], rates, columns);
  const room = rows - figures.length;
  // The nodes are the point; what is below them shares what is left, but gets its heading and a line or two.
  const forParts = Math.min(
    parts.reduce((sum, part) => sum + part.length + 1, 0),
    Math.max(parts.length * (PART_ROWS_MIN + 1), room - nodes.length - 1),
  );
  const shownNodes = nodes.slice(0, Math.max(4, room - forParts));
  if (shownNodes.length < nodes.length) {
    shownNodes[shownNodes.length - 1] = [{ text: `… ${nodes.length - shownNodes.length + 1} more`, style: "dim" }];
  }
  let left = room - shownNodes.length;
  const below = parts.flatMap((part, i) => {
    const share = Math.floor(left / (parts.length - i));
    const shown = part.slice(0, Math.max(0, share - 1));
    left -= shown.length + 1;
    return shown.length > 1 ? [[] as Line, ...shown] : [];
  });
  return [...figures, ...shownNodes, ...below];
}

function figureLines({ moment, openAgeMs, epochs, resumed }: Pipeline, rates: TopRates, columns: number): Line[] {
  const figure = (
    name: string,
    value: string,
    style?: Style,
  ): Piece[] => [{ text: `${name} `, style: "dim" }, { text: value, style: style ?? "bold" }, { text: "   " }];
  const late = openAgeMs > 30_000 ? "red" as const : undefined;
  return [
    [],
    [
      ...figure("read", `${short(Math.round(rates.read))}/s`),
      ...figure("written", `${short(Math.round(rates.written))}/s`),
      ...figure("rejected", short(moment.rejected), moment.rejected > 0 ? "yellow" : undefined),
      ...figure("lag", short(moment.behind)),
      ...figure("watermark", moment.watermarkDelayMs === null ? "-" : timeText(moment.watermarkDelayMs)),
    ],
    [
      ...figure("epoch", timeText(moment.epochMs)),
      ...figure("records", short(moment.epochRecords)),
      ...figure("checkpoint", timeText(moment.checkpointMs)),
      ...figure("open", timeText(openAgeMs), late),
      ...figure("epochs", short(epochs)),
      ...(resumed ? [{ text: "went on", style: "dim" as const }] : []),
    ],
    [{ text: blocks(rates.reads, Math.min(columns - 1, 120)), style: "green" }],
  ];
}

function nodeLines(pipeline: Pipeline, nodes: TopSnapshot["shapes"][number]["nodes"], rates: TopRates, columns: number): Line[] {
  const wide = columns >= 110;
  const nameWidth = Math.min(wide ? 36 : 20, Math.max(8, ...nodes.map(({ name }) => shownName(name).length)));
  const heads = ["in/s", "in", "out", "rejected", "late", "dup", ...(wide ? ["filtered", "folded", "state rows", "state"] : [])];
  const typeWidth = wide ? 12 : 10;
  const head = `${"NODE".padEnd(nameWidth)} ${"TYPE".padEnd(typeWidth)}${heads.map((one) => one.padStart(columnWidth(one))).join("")}`;
  const rows = nodes.map(({ name, type, role }): Line => {
    const counts = pipeline.nodes[name];
    const isSink = role === "sink";
    const quiet = (value: number): string => value === 0 ? "·" : short(value);
    const values = [
      short(Math.round(rates.nodes.get(name) ?? 0)),
      short(counts.in),
      isSink ? "·" : short(counts.out),
      quiet(counts.rejected),
      quiet(counts.late),
      quiet(counts.duplicates),
      ...(wide
        ? [
          quiet(counts.filtered),
          quiet(counts.folded),
          quiet(counts.stateRows),
          counts.stateBytes === 0 ? "·" : bytesText(counts.stateBytes),
        ]
        : []),
    ];
    const cells = values.map((value, i) => value.padStart(columnWidth(heads[i])));
    return [
      { text: cut(shownName(name), nameWidth).padEnd(nameWidth), style: "bold" },
      { text: ` ${cut(type, typeWidth).padEnd(typeWidth)}`, style: "dim" },
      { text: cells.slice(0, 3).join("") },
      { text: cells[3], style: counts.rejected > 0 ? "yellow" : "dim" },
      { text: cells.slice(4).join(""), style: "dim" },
    ];
  });
  return [[{ text: head, style: "dim" }], ...rows];
}

const columnWidth = (head: string): number => Math.max(8, head.length + 2);
const shownName = (name: string): string => name.replace(/^sink:/, "→ ").replace(/^table:/, "");

function rejectLines({ reasons }: Pipeline): Line[] {
  return [
    [{ text: "REJECTS", style: "dim" }],
    ...reasons.map((
      { node, reason, count },
    ): Line => [{ text: short(count).padStart(8), style: "yellow" }, { text: `  ${reason}` }, {
      text: `  ${shownName(node)}`,
      style: "dim",
    }]),
  ];
}

function sourceLines({ sources }: Pipeline): Line[] {
  return [
    [{ text: `${"SOURCE".padEnd(22)}${"part".padStart(5)}${"behind".padStart(10)}  state      position`, style: "dim" }],
    ...sources.map(({ source, partition, behind, ended, idle, position }): Line => {
      const state = ended ? "ended" : idle ? "idle" : behind === 0 ? "caught up" : "reading";
      return plain(
        `${cut(source, 22).padEnd(22)}${String(partition).padStart(5)}${short(behind).padStart(10)}  ${state.padEnd(10)} ${position}`,
      );
    }),
  ];
}

function eventLines({ events }: TopSnapshot): Line[] {
  return [
    [{ text: "LOG", style: "dim" }],
    ...[...events].reverse().map(({ atMs, level, name, fields }): Line => [
      { text: `${new Date(atMs).toISOString().slice(11, 19)} `, style: "dim" },
      { text: level.padEnd(8), style: level === "error" ? "red" : level === "warning" ? "yellow" : "dim" },
      { text: name },
      { text: Object.entries(fields).map(([key, value]) => ` ${key}=${value}`).join(""), style: "dim" },
    ]),
  ];
}

function footer({ fault }: FrameOptions): Line {
  if (fault !== undefined) return [{ text: fault, style: "red" }];
  return [{ text: "q", style: "bold" }, { text: " quit   ", style: "dim" }, { text: "← →", style: "bold" }, {
    text: " pipeline   times are UTC",
    style: "dim",
  }];
}

const cut = (text: string, width: number): string => text.length <= width ? text : `${text.slice(0, width - 1)}…`;
/** Control characters would move the cursor. */
const printable = (text: string): string => text.replaceAll(/\p{Cc}/gu, " ");

function drawn(line: Line, { columns, colors }: FrameOptions): string {
  let left = columns - 1;
  let text = "";
  for (const piece of line) {
    const shown = [...printable(piece.text)].slice(0, left).join("");
    left -= [...shown].length;
    text += colors && piece.style && shown !== "" ? `\x1b[${CODES[piece.style]}m${shown}\x1b[0m` : shown;
  }
  return text;
}
