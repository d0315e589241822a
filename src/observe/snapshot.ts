/** The board as JSON: whole for those who come, then what changes from second to second. */
import type { Board, ProcessMoment, ShownEvent } from "./board.ts";
import type { Sample, TakenRow } from "./collector.ts";
import type { PanelData } from "./panel_series.ts";
import type { Moment, PipelineBoard, PipelineState, SourceReading } from "./pipeline_board.ts";
import { shownNode } from "./prometheus.ts";
import type { PipelineShape } from "./shape.ts";

export interface NodeSnapshot {
  readonly in: number;
  readonly out: number;
  readonly rejected: number;
  readonly late: number;
  readonly duplicates: number;
  readonly filtered: number;
  readonly folded: number;
  readonly stateRows: number;
  readonly stateBytes: number;
  /** ms since 1970. */
  readonly watermarkMs: number | null;
}
export interface PipelineSnapshot {
  readonly name: string;
  readonly state: PipelineState;
  readonly resumed: boolean;
  readonly lanes: number;
  readonly epochs: number;
  readonly openAgeMs: number;
  readonly bytesHeld: number;
  readonly moment: Moment;
  readonly nodes: Readonly<Record<string, NodeSnapshot>>;
  /** Rows by edge, in the order of the shape's edges. */
  readonly edges: readonly number[];
  readonly sources: readonly SourceReading[];
  readonly reasons: readonly { readonly node: string; readonly reason: string; readonly count: number }[];
  readonly panels: Readonly<Record<string, PanelData>>;
  /** New since the last snapshot; in a whole, all that are kept. */
  readonly rows: readonly TakenRow[];
  readonly samples: readonly Sample[];
}
export interface Fresh {
  readonly pipelines: readonly Pick<PipelineSnapshot, "name" | "panels" | "rows" | "samples">[];
}
export interface Snapshot {
  readonly atMs: number;
  readonly isDraining: boolean;
  readonly followers: number;
  readonly process: ProcessMoment | null;
  readonly events: readonly ShownEvent[];
  readonly pipelines: readonly PipelineSnapshot[];
}
/** What `top` asks for once per second. */
export interface TopSnapshot extends Snapshot {
  readonly version: string;
  readonly startedMs: number;
  readonly shapes: readonly Pick<PipelineShape, "name" | "kind" | "nodes">[];
}
const TOP_EVENTS = 20;
const TOP_SAMPLES = 20;
/** What a page begins with. */
export interface Whole extends Snapshot {
  readonly version: string;
  readonly startedMs: number;
  readonly shapes: readonly PipelineShape[];
  readonly history: readonly { readonly pipeline: string; readonly moments: readonly Moment[] }[];
  readonly processHistory: readonly ProcessMoment[];
}

/** What changed since the last call; called once per second, by one caller. */
export function nextSnapshot(board: Board, nowMicros: number): Snapshot {
  const pipelines = [...board.pipelines.values()].map((pipeline) => {
    const { newRows: rows, newSamples: samples } = pipeline;
    pipeline.newRows = [];
    pipeline.newSamples = [];
    const panels = pipeline.panels("change", nowMicros);
    return pipelineSnapshot(pipeline, pipeline.note(nowMicros), { panels, rows, samples });
  });
  const { newEvents: events } = board;
  board.newEvents = [];
  return { ...processSnapshot(board, nowMicros), events, pipelines };
}

/** Rows, refused records and panels that changed since the last snapshot or the last call; null where none did. */
export function freshRows(board: Board, nowMicros: number): Fresh | null {
  const pipelines = [...board.pipelines.values()].flatMap((pipeline) => {
    const { newRows, newSamples } = pipeline;
    const panels = pipeline.panels("fresh", nowMicros);
    if (newRows.length === 0 && newSamples.length === 0 && Object.keys(panels).length === 0) return [];
    pipeline.newRows = [];
    pipeline.newSamples = [];
    return [{ name: pipeline.shape.name, panels, ...shown(pipeline, newRows, newSamples) }];
  });
  return pipelines.length === 0 ? null : { pipelines };
}

/** Everything that is kept. */
export function wholeSnapshot(board: Board, nowMicros: number): Whole {
  const boards = [...board.pipelines.values()];
  return {
    ...processSnapshot(board, nowMicros),
    version: board.version,
    startedMs: board.startedMs,
    events: board.events,
    shapes: boards.map(({ shape }) => shape),
    pipelines: boards.map((pipeline) => {
      const rows = [...pipeline.rows.values()].flatMap((kept) => kept.slice(-100));
      const panels = pipeline.panels("whole", nowMicros);
      const moment = pipeline.history.at(-1) ?? pipeline.note(nowMicros);
      return pipelineSnapshot(pipeline, moment, { panels, rows, samples: pipeline.samples });
    }),
    history: boards.map(({ shape, history }) => ({ pipeline: shape.name, moments: history })),
    processHistory: board.processHistory,
  };
}

/** What a terminal has room for: no rows, no panels, the newest of the rest. */
export function topSnapshot(board: Board, nowMicros: number): TopSnapshot {
  const boards = [...board.pipelines.values()];
  return {
    ...processSnapshot(board, nowMicros),
    version: board.version,
    startedMs: board.startedMs,
    events: board.events.slice(-TOP_EVENTS),
    shapes: boards.map(({ shape: { name, kind, nodes } }) => ({ name, kind, nodes })),
    pipelines: boards.map((pipeline) => {
      const moment = pipeline.history.at(-1) ?? pipeline.note(nowMicros);
      return pipelineSnapshot(pipeline, moment, { panels: {}, rows: [], samples: pipeline.samples.slice(-TOP_SAMPLES) });
    }),
  };
}

function processSnapshot(board: Board, nowMicros: number) {
  const { isDraining, followers } = board;
  return { atMs: nowMicros / 1000, isDraining, followers, process: board.processHistory.at(-1) ?? null };
}

function pipelineSnapshot(
  pipeline: PipelineBoard,
  moment: Moment,
  given: Pick<PipelineSnapshot, "panels" | "rows" | "samples">,
): PipelineSnapshot {
  const { shape, state, resumed, epochs } = pipeline;
  const reasons = [...pipeline.reasons].flatMap(([node, ofNode]) =>
    [...ofNode].map(([reason, count]) => ({ node: shownNode(pipeline, node), reason, count }))
  );
  return {
    name: shape.name,
    state,
    resumed,
    lanes: pipeline.lanesHeld,
    epochs,
    openAgeMs: pipeline.openAgeMs(),
    bytesHeld: pipeline.bytesHeld(),
    moment,
    nodes: Object.fromEntries(shape.nodes.map((node) => [node.name, nodeSnapshot(pipeline, node)])),
    edges: shape.edges.map(({ counted }) => counted ? pipeline.passed(counted.node, counted.port) : 0),
    sources: pipeline.positions().map((reading) => ({ ...reading, source: shownNode(pipeline, reading.source) })),
    reasons: reasons.sort((a, b) => b.count - a.count),
    panels: given.panels,
    ...shown(pipeline, given.rows, given.samples),
  };
}

/** Under the names of the configuration. */
function shown(pipeline: PipelineBoard, rows: readonly TakenRow[], samples: readonly Sample[]): Pick<PipelineSnapshot, "rows" | "samples"> {
  return {
    rows: rows.map((row) => ({ ...row, sink: shownNode(pipeline, row.sink) })),
    samples: samples.map((sample) => ({ ...sample, node: shownNode(pipeline, sample.node) })),
  };
}

function nodeSnapshot(pipeline: PipelineBoard, node: PipelineShape["nodes"][number]): NodeSnapshot {
  const first = pipeline.counters(node.comesTo);
  const last = node.leaves === node.comesTo ? first : pipeline.counters(node.leaves);
  const state = pipeline.stateOf(node.leaves);
  const watermark = node.role === "sink" ? null : pipeline.watermarkOf(node.leaves);
  return {
    in: first.in,
    out: last.out,
    rejected: first.rejected + (last === first ? 0 : last.rejected),
    late: last.late,
    duplicates: last.duplicates,
    filtered: last.filtered,
    folded: last.folded,
    stateRows: state.rows,
    stateBytes: state.bytes,
    watermarkMs: watermark === null || watermark === Infinity ? null : watermark / 1000,
  };
}
