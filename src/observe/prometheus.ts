/**
 * The board in Prometheus' text format, version 0.0.4. Names carry their units; labels are names of the configuration, partitions and
 * reject codes, never values of records.
 */
import type { Board } from "./board.ts";
import { BUCKETS_MS, countOf, type Histogram } from "./histogram.ts";
import type { PipelineBoard } from "./pipeline_board.ts";
import type { NodeShape } from "./shape.ts";

export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

type Labels = Readonly<Record<string, string | number>>;
type Kind = "counter" | "gauge" | "histogram";

/** Collects samples family by family: all samples of a name must stand together. */
class Families {
  readonly #families = new Map<string, { readonly head: string; readonly lines: string[] }>();

  add(name: string, kind: Kind, help: string, labels: Labels, value: number): void {
    this.#lines(name, kind, help).push(`${name}${labelText(labels)} ${number(value)}`);
  }

  histogram(name: string, help: string, labels: Labels, histogram: Histogram): void {
    const lines = this.#lines(name, "histogram", help);
    let below = 0;
    BUCKETS_MS.forEach((ms, i) => {
      below += histogram.counts[i];
      lines.push(`${name}_bucket${labelText({ ...labels, le: String(ms / 1000) })} ${below}`);
    });
    lines.push(`${name}_bucket${labelText({ ...labels, le: "+Inf" })} ${countOf(histogram)}`);
    lines.push(`${name}_sum${labelText(labels)} ${number(histogram.sumMs / 1000)}`);
    lines.push(`${name}_count${labelText(labels)} ${countOf(histogram)}`);
  }

  text(): string {
    return [...this.#families.values()].map(({ head, lines }) => [head, ...lines].join("\n") + "\n").join("");
  }

  #lines(name: string, kind: Kind, help: string): string[] {
    let family = this.#families.get(name);
    if (!family) this.#families.set(name, family = { head: `# HELP ${name} ${help}\n# TYPE ${name} ${kind}`, lines: [] });
    return family.lines;
  }
}

/** All metrics of the process. */
export function prometheusText(board: Board, nowMicros: number): string {
  const families = new Families();
  addProcess(families, board);
  for (const pipeline of board.pipelines.values()) addPipeline(families, pipeline, nowMicros);
  return families.text();
}

function addProcess(families: Families, board: Board): void {
  families.add("millrace_build_info", "gauge", "The program, always 1.", { version: board.version }, 1);
  families.add("process_start_time_seconds", "gauge", "When the process began, since 1970.", {}, board.startedMs / 1000);
  const now = board.processHistory.at(-1);
  if (now) {
    families.add("process_resident_memory_bytes", "gauge", "Memory of the process.", {}, now.residentBytes);
    families.add("process_cpu_seconds_total", "counter", "User and system time of the process.", {}, now.cpuMicros / 1e6);
    families.add("millrace_heap_used_bytes", "gauge", "Memory of JavaScript objects.", {}, now.heapUsedBytes);
    families.add("millrace_heap_external_bytes", "gauge", "Memory beside the heap that objects hold on to.", {}, now.externalBytes);
    families.add(
      "millrace_event_loop_delay_seconds",
      "gauge",
      "The longest that a due timer waited in the newest second.",
      {},
      now.loopDelayMs / 1000,
    );
  }
  for (const { level, name, count } of board.eventCounts.values()) {
    families.add("millrace_log_events_total", "counter", "Log events by level and name.", { level, event: name }, count);
  }
  families.add("millrace_reconnects_total", "counter", "Connections and lanes that had to be taken up again.", {}, board.reconnects);
  families.add("millrace_dashboard_followers", "gauge", "Browsers that follow the page.", {}, board.followers);
  families.add("millrace_dashboard_followers_dropped_total", "counter", "Followers that were too slow.", {}, board.followersDropped);
}

function addPipeline(families: Families, pipeline: PipelineBoard, nowMicros: number): void {
  const { name } = pipeline.shape;
  const labels = { pipeline: name };
  const isUp = pipeline.state === "running" || pipeline.state === "draining" ? 1 : 0;
  families.add("millrace_pipeline_up", "gauge", "1 while the pipeline runs.", labels, isUp);
  families.add("millrace_pipeline_failed", "gauge", "1 when the pipeline has failed.", labels, pipeline.state === "failed" ? 1 : 0);
  families.add("millrace_lanes", "gauge", "Lanes that this process holds.", labels, pipeline.lanesHeld);
  for (const node of pipeline.shape.nodes) addNode(families, pipeline, node);
  for (const edge of pipeline.shape.edges) {
    if (!edge.counted) continue;
    const of = { ...labels, from: edge.from, port: edge.port, to: edge.to };
    const rows = pipeline.passed(edge.counted.node, edge.counted.port);
    families.add("millrace_edge_records_total", "counter", "Records that passed from one node to another.", of, rows);
  }
  for (const [node, reasons] of pipeline.reasons) {
    for (const [reason, count] of reasons) {
      const of = { ...labels, node: shownNode(pipeline, node), reason };
      families.add("millrace_rejected_by_reason_total", "counter", "Refused records by reason, since the process began.", of, count);
    }
  }
  addSources(families, pipeline, nowMicros);
  addEpochs(families, pipeline);
}

function addNode(families: Families, pipeline: PipelineBoard, node: NodeShape): void {
  const labels = { pipeline: pipeline.shape.name, node: node.name, role: node.role };
  const first = pipeline.counters(node.comesTo);
  const last = node.leaves === node.comesTo ? first : pipeline.counters(node.leaves);
  const counter = (name: string, help: string, value: number): void => families.add(name, "counter", help, labels, value);
  counter("millrace_records_in_total", "Records that came into a node, over all its processes.", first.in);
  if (node.role !== "sink") counter("millrace_records_out_total", "Records that left a node.", last.out);
  if (node.role === "sink") return;
  const twice = last === first ? 0 : 1;
  counter("millrace_records_rejected_total", "Records that a node refused.", first.rejected + twice * last.rejected);
  counter("millrace_records_late_total", "Records that came too late for event time.", last.late);
  counter("millrace_records_duplicate_total", "Records that were there before.", last.duplicates);
  counter("millrace_records_filtered_total", "Records that were left out on purpose.", last.filtered);
  counter("millrace_records_folded_total", "Records that went into an aggregate or a table.", last.folded);
  const state = pipeline.stateOf(node.leaves);
  if (state.bytes === 0) return;
  families.add("millrace_state_rows", "gauge", "Rows of keyed state.", labels, state.rows);
  families.add("millrace_state_bytes", "gauge", "Memory of keyed state, without what texts and lists hold beside.", labels, state.bytes);
}

function addSources(families: Families, pipeline: PipelineBoard, nowMicros: number): void {
  const { name, nodes } = pipeline.shape;
  for (const { source, partition, behind, eventMicros } of pipeline.positions()) {
    const labels = { pipeline: name, source: shownNode(pipeline, source), partition };
    if (behind !== null) {
      families.add("millrace_source_lag_records", "gauge", "Records that are there and not read yet.", labels, behind);
    }
    if (eventMicros === null) continue;
    const seconds = (nowMicros - eventMicros) / 1e6;
    families.add("millrace_source_event_delay_seconds", "gauge", "How far the newest event time is behind the clock.", labels, seconds);
  }
  for (const node of nodes) {
    const watermark = pipeline.watermarkOf(node.leaves);
    if (watermark === null || watermark === Infinity || node.role === "sink") continue;
    const labels = { pipeline: name, node: node.name };
    families.add("millrace_watermark_timestamp_seconds", "gauge", "How far event time has come.", labels, watermark / 1e6);
    const delay = (nowMicros - watermark) / 1e6;
    families.add("millrace_watermark_delay_seconds", "gauge", "How far event time is behind the clock.", labels, delay);
  }
}

function addEpochs(families: Families, pipeline: PipelineBoard): void {
  const labels = { pipeline: pipeline.shape.name };
  const { epochTimes, checkpointTimes, deliveryTimes, newest } = pipeline;
  families.add("millrace_epochs_total", "counter", "Complete epochs.", labels, pipeline.epochs);
  families.add("millrace_epoch_records_total", "counter", "Records in complete epochs of this process.", labels, pipeline.records);
  families.add(
    "millrace_epoch_open_seconds",
    "gauge",
    "How long the oldest open epoch has been open.",
    labels,
    pipeline.openAgeMs() / 1000,
  );
  families.add("millrace_epoch_held_bytes", "gauge", "Bytes that wait for the end of an epoch.", labels, pipeline.bytesHeld());
  if (newest) {
    const help = "When the newest complete epoch was recorded.";
    families.add("millrace_checkpoint_timestamp_seconds", "gauge", help, labels, newest.timeMicros / 1e6);
  }
  families.histogram("millrace_epoch_duration_seconds", "From an epoch's first record to its end.", labels, epochTimes);
  families.histogram("millrace_checkpoint_duration_seconds", "What the checkpoint store took of an epoch.", labels, checkpointTimes);
  for (const [sink, times] of deliveryTimes) {
    const of = { ...labels, sink: shownNode(pipeline, sink) };
    families.histogram("millrace_sink_delivery_seconds", "What an epoch's delivery to a sink took.", of, times);
  }
}

/** A node as the configuration calls it. */
export function shownNode({ shape }: PipelineBoard, engineName: string): string {
  return shape.nodes.find(({ comesTo, leaves }) => comesTo === engineName || leaves === engineName)?.name ?? engineName;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
const escaped = (value: string): string => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
const number = (value: number): string => value === Infinity ? "+Inf" : value === -Infinity ? "-Inf" : String(value);
