/**
 * The graph of one lane: operators with their state, and where every batch goes. Pure: what leaves it depends only on the calls
 * and their order, which is what the schedule records. Invariant: when a call returns, every row it caused has reached a sink
 * callback, an operator's state or a counter; nothing is queued between nodes.
 */
import type { Batch, Rejected } from "../data/batch.ts";
import { assert, MillraceError } from "../data/fault.ts";
import type { Edge, EventTime, KeptTable, LaneTime, Operator, OperatorNode, SourceNode } from "./contracts.ts";
import { copyTallies, countApart, emptyTally, type NodeTally, summarize } from "./counters.ts";
import { CarriedTime } from "./carried_time.ts";
import { type SourceClock, SourceTime } from "./event_time.ts";
import type { PartitionTime } from "./head.ts";
import { Outlet, type Receiver } from "./outlet.ts";
import type { Spectator } from "./run_contracts.ts";
import type { LaneState } from "./state/store.ts";

/** The part of a plan that a graph needs: a PipelinePlan is one. */
export interface GraphPlan {
  readonly pipeline: string;
  readonly shownAs?: string;
  readonly sources: readonly Pick<SourceNode, "name" | "table">[];
  readonly operators: readonly OperatorNode[];
  readonly sinks: readonly { readonly name: string; readonly inputs: readonly Edge[] }[];
  readonly times?: readonly EventTime[];
}
export interface LaneGraphOptions {
  readonly plan: GraphPlan;
  readonly lane: number;
  /** Empty, or as it was at the end of the epoch to go on from. */
  readonly state: LaneState;
  /** Gets every batch for a sink; must not keep it. */
  write(sink: string, batch: Batch): void;
  /** Those who look on, and how the lane is called for them. */
  readonly spectator?: Spectator;
  /** The partitions of each source that the lane reads; absent: partition 0 of each. */
  readonly partitions?: ReadonlyMap<string, readonly number[]>;
  /** As the head has them; absent: from the beginning. */
  readonly from?: {
    readonly drains: ReadonlyMap<string, number>;
    readonly tallies: ReadonlyMap<string, NodeTally>;
    readonly times: readonly PartitionTime[];
    readonly watermarks: ReadonlyMap<string, number>;
  };
}

interface OperatorPlace {
  readonly node: OperatorNode;
  readonly operator: Operator;
  readonly outlet: Outlet;
  readonly inputEnded: boolean[];
  drainAt: number;
  /** How far event time has come on all inputs, and for those who read this node: not before what was due has left it. */
  watermark: number;
  passedOn: number;
}

export class LaneGraph {
  readonly #tallies: Map<string, NodeTally>;
  readonly #outlets = new Map<string, Outlet>();
  readonly #operators = new Map<string, OperatorPlace>();
  readonly #sources: ReadonlySet<string>;
  /** The sources that fill no table: what a user calls records read. */
  readonly #records: ReadonlySet<string>;
  readonly #endedSources = new Set<string>();
  /** By source. */
  readonly #times: ReadonlyMap<string, SourceClock>;

  constructor({ plan, lane, state, write, spectator, partitions, from }: LaneGraphOptions) {
    this.#tallies = copyTallies(from?.tallies ?? new Map());
    this.#sources = new Set(plan.sources.map((source) => source.name));
    this.#records = new Set(plan.sources.filter(({ table }) => !table).map(({ name }) => name));
    // All lanes read all of a table: the first one counts it.
    const mute = new Set(lane === 0 ? [] : plan.sources.filter(({ table }) => table).map(({ name }) => name));
    const tables = new Map<string, KeptTable>();
    for (const { name } of plan.sources) this.#addOutlet(name, plan.shownAs ?? plan.pipeline, mute.has(name) ? "mute" : "heard");
    for (const node of plan.operators) {
      const known = tables.size;
      const operator = node.create({ lane, state: state.scope(node.name), tables });
      if (tables.size > known && lane > 0) mute.add(node.name);
      const outlet = this.#addOutlet(node.name, plan.shownAs ?? plan.pipeline, mute.has(node.name) ? "mute" : "heard");
      const place: OperatorPlace = {
        node,
        operator,
        outlet,
        inputEnded: node.inputs.map(() => false),
        drainAt: from?.drains.get(node.name) ?? 0,
        watermark: -Infinity,
        passedOn: from?.watermarks.get(node.name) ?? -Infinity,
      };
      this.#operators.set(node.name, place);
      node.inputs.forEach((edges, input) => this.#connect(edges, (batch) => process(place, input, batch)));
    }
    state.restored();
    this.#times = new Map((plan.times ?? []).map((spec) => {
      const before = from?.watermarks.get(spec.source) ?? -Infinity;
      const Kind = spec.carried ? CarriedTime : SourceTime;
      const time: SourceClock = new Kind(spec, partitions?.get(spec.source) ?? [0], from?.times ?? [], before);
      this.#outlet(spec.node).time = time;
      return [spec.source, time];
    }));
    this.#passTimeOn();
    this.endEpoch();
    // What looks on under a node's own name refuses nothing.
    for (const { name } of plan.sinks) if (!this.#outlets.has(name)) this.#addOutlet(name, plan.shownAs ?? plan.pipeline, "heard");
    for (const { name, inputs } of plan.sinks) {
      const tally = this.#tally(name);
      this.#connect(inputs, (batch) => {
        tally.in += batch.rows;
        write(name, batch);
        spectator?.written(lane, name, batch);
      });
    }
    if (spectator) this.#show(spectator, lane);
  }

  #show(spectator: Spectator, lane: number): void {
    for (const edge of spectator.edges) this.#connect([edge], (batch) => spectator.passed(lane, edge, batch));
    for (const [name, outlet] of this.#outlets) outlet.refused = (reason, records) => spectator.rejected(lane, name, reason, records);
  }

  /** The next calls belong to an epoch of that recorded time, µs. Where time is the clock's, it has come so far. */
  beginEpoch(micros: number): void {
    for (const outlet of this.#outlets.values()) outlet.epochTimeMicros = micros;
    for (const time of this.#times.values()) time.clock(micros);
    for (const { operator } of this.#operators.values()) operator.epochBegan?.(micros);
    this.#passTimeOn();
  }

  /** The recorded time of an epoch, µs, that makes something due though no row comes; Infinity where only rows can. */
  dueMicros(): number {
    let due = Infinity;
    for (const place of this.#operators.values()) {
      const own = place.operator.dueMicros?.() ?? Infinity;
      if (own < due) due = Math.min(due, own + this.#clockLagOf(place.node));
      due = Math.min(due, place.operator.epochDueMicros?.() ?? Infinity);
    }
    return due;
  }

  /** How far behind the clock the node's watermark is; Infinity where something that it reads does not go by the clock. */
  #clockLagOf({ inputs }: OperatorNode): number {
    let lag = 0;
    for (const edges of inputs) {
      for (const { from } of edges) {
        if (!this.#sources.has(from)) lag = Math.max(lag, this.#clockLagOf(this.#place(from).node));
        else if (!this.#endedSources.has(from)) lag = Math.max(lag, this.#times.get(from)?.spec.clockLagMicros ?? Infinity);
      }
    }
    return lag;
  }

  /** What one poll of a source gave. */
  feed(source: string, batch: Batch, rejected: readonly Rejected[], read: number, deletes = 0): void {
    if (read !== batch.rows + rejected.length + deletes) {
      const hint = "this is a defect of the source's connector; please report it with these numbers";
      const gave = `gave ${batch.rows}, rejected ${rejected.length} and dropped ${deletes} deletes`;
      throw new MillraceError("count_mismatch", `"${source}" read ${read} records but ${gave}`, { hint });
    }
    const outlet = this.#outlet(source);
    outlet.tally.in += read;
    countApart(outlet.tally, "deletes", deletes);
    outlet.rejectAll(rejected);
    outlet.flush();
    outlet.emit("out", batch);
    this.#passTimeOn();
  }

  /** Rows of the epoch before that the targets of sinks refused leave by these sinks' ports `rejected`. */
  refused(rejected: readonly Rejected[]): void {
    for (let from = 0, to = 1; to <= rejected.length; to++) {
      const { step } = rejected[from];
      if (to < rejected.length && rejected[to].step === step) continue;
      const outlet = this.#outlet(step);
      assert(outlet.isRead("rejected"), `somebody takes the rejects of "${step}"`);
      outlet.rejectAll(rejected.slice(from, to));
      outlet.flush();
      from = to;
    }
  }

  /** Lanes of the pipeline that writes the partition said how far their time has come, behind the rows that were fed. */
  told(source: string, partition: number, times: readonly LaneTime[]): void {
    if (times.length === 0) return;
    this.#times.get(source)?.told(partition, times);
    this.#passTimeOn();
  }

  /** The partition gave nothing for so long that its event time is not waited for. */
  idle(source: string, partition: number): void {
    this.#times.get(source)?.idle(partition);
    this.#passTimeOn();
  }

  /** The partition has no more input. */
  endPartition(source: string, partition: number): void {
    this.#times.get(source)?.end(partition);
    this.#passTimeOn();
  }

  /** The source has no more input in this lane: all of its partitions have ended. */
  endSource(source: string): void {
    assert(this.#sources.has(source), `"${source}" is a source`);
    this.#endedSources.add(source);
    this.#passTimeOn();
  }

  /** The epoch is complete: what operators tell once an epoch becomes due. */
  endEpoch(): void {
    for (const { operator } of this.#operators.values()) operator.epochEnded?.();
  }

  /** The pipeline stops: what is to leave unfinished becomes due. False when there is nothing. */
  stop(): boolean {
    const leaving = [...this.#operators.values()].filter(({ operator }) => operator.stopping);
    for (const { operator } of leaving) operator.stopping!();
    return leaving.some((place) => backlog(place) > 0);
  }

  /** The operator nearest to the sources that could give out held rows now, and how many. */
  nextDrain(): { readonly operator: string; readonly rows: number } | null {
    for (const [name, place] of this.#operators) {
      const rows = backlog(place);
      if (rows > 0) return { operator: name, rows };
    }
    return null;
  }

  /** Lets an operator give out at most `rowsMax` held rows; returns its next position. */
  drain(operator: string, rowsMax: number): number {
    const place = this.#place(operator);
    const before = place.drainAt;
    const leftBefore = left(place.outlet.tally);
    place.drainAt = place.operator.drain!(before, rowsMax, place.outlet);
    assert(place.drainAt > before && place.drainAt <= before + rowsMax, `"${operator}" drains at least one row and at most ${rowsMax}`);
    place.outlet.flush();
    place.outlet.tally.drained += left(place.outlet.tally) - leftBefore;
    this.#passTimeOn();
    return place.drainAt;
  }

  /** Where the operator's next drain starts. */
  drainPosition(operator: string): number {
    return this.#place(operator).drainAt;
  }

  /** Positions of the operators that hold rows back. */
  drainPositions(): ReadonlyMap<string, number> {
    return new Map([...this.#operators].filter(([, { operator }]) => operator.drain).map(([name, { drainAt }]) => [name, drainAt]));
  }

  /** Event time of the partitions of those sources that have it. */
  partitionTimes(): readonly PartitionTime[] {
    return [...this.#times.values()].flatMap((time) => time.times());
  }
  /** How far the event time of a source's records has come; null where they have none. */
  timeReached(source: string): number | null {
    return this.#times.get(source)?.reached ?? null;
  }

  /** How far event time has come, by source and by operator. */
  watermarks(): ReadonlyMap<string, number> {
    const known = new Map<string, number>();
    for (const [source, { watermark }] of this.#times) known.set(source, watermark);
    if (known.size > 0) { for (const [name, { passedOn }] of this.#operators) known.set(name, passedOn); }
    return known;
  }

  /**
   * How far event time has come at the end of some edges. It is idle where every source behind them that has not ended is, and nothing that
   * they made due is still to come.
   */
  timeAt(edges: readonly Edge[]): Pick<LaneTime, "watermark" | "idle"> {
    const watermark = Math.min(...edges.map(({ from }) => this.#watermarkOf(from)));
    const sources = [...this.#sourcesOf(edges)].filter((source) => this.#records.has(source));
    const open = sources.filter((source) => !this.#endedSources.has(source));
    const isPassedOn = watermark >= Math.min(...sources.map((source) => this.#watermarkOf(source)));
    return { watermark, idle: isPassedOn && open.length > 0 && open.every((source) => this.#times.get(source)?.isIdle) };
  }

  #sourcesOf(edges: readonly Edge[], found: Set<string> = new Set()): ReadonlySet<string> {
    for (const { from } of edges) {
      if (this.#sources.has(from)) found.add(from);
      else for (const inputs of this.#place(from).node.inputs) this.#sourcesOf(inputs, found);
    }
    return found;
  }

  /** Records read from all sources but those of tables, rejected ones included. */
  get recordsRead(): number {
    let read = 0;
    for (const source of this.#records) read += this.#tallies.get(source)!.in;
    return read;
  }

  operator(name: string): Operator {
    return this.#place(name).operator;
  }
  operators(): ReadonlyMap<string, Operator> {
    return new Map([...this.#operators].map(([name, { operator }]) => [name, operator]));
  }

  /** A copy of all counters so far. */
  counters(): Map<string, NodeTally> {
    return copyTallies(this.#tallies);
  }

  /** From the sources on: watermarks and ends. A node passes on neither before what it makes due has left it. */
  #passTimeOn(): void {
    for (const place of this.#operators.values()) {
      if (this.#times.size > 0) {
        let least = Infinity;
        for (const edges of place.node.inputs) for (const { from } of edges) least = Math.min(least, this.#watermarkOf(from));
        if (least > place.watermark) {
          place.watermark = least;
          place.operator.watermark?.(least);
        }
      }
      this.#passEndTo(place);
      const passable = Math.min(place.watermark, place.operator.heldBackMicros?.() ?? Infinity);
      if (passable > place.passedOn && backlog(place) === 0) place.passedOn = passable;
    }
  }

  /** Rows of a source without event time may come at any time until it has ended. */
  #watermarkOf(node: string): number {
    if (this.#sources.has(node)) return this.#times.get(node)?.watermark ?? (this.#endedSources.has(node) ? Infinity : -Infinity);
    return this.#place(node).passedOn;
  }

  #passEndTo(place: OperatorPlace): void {
    if (this.#endedSources.size === 0 || !(place.node.tables ?? []).every((table) => this.#isExhausted(table))) return;
    place.node.inputs.forEach((edges, input) => {
      if (place.inputEnded[input] || !edges.every((edge) => this.#isExhausted(edge.from))) return;
      place.inputEnded[input] = true;
      place.operator.inputEnded?.(input);
    });
  }

  /** Nothing will ever leave the node again. */
  #isExhausted(node: string): boolean {
    if (this.#sources.has(node)) return this.#endedSources.has(node);
    const place = this.#place(node);
    return place.inputEnded.every((ended) => ended) && backlog(place) === 0;
  }

  #connect(edges: readonly Edge[], receiver: Receiver): void {
    for (const { from, port } of edges) this.#outlet(from).connect(port, receiver);
  }

  #addOutlet(name: string, pipeline: string, standing: "heard" | "mute"): Outlet {
    assert(!this.#outlets.has(name), `two nodes are named "${name}"`);
    const outlet = new Outlet(name, standing === "mute" ? emptyTally() : this.#tally(name), pipeline, standing);
    this.#outlets.set(name, outlet);
    return outlet;
  }
  #tally(name: string): NodeTally {
    let tally = this.#tallies.get(name);
    if (!tally) this.#tallies.set(name, tally = emptyTally());
    return tally;
  }
  #outlet(name: string): Outlet {
    const outlet = this.#outlets.get(name);
    assert(outlet, `node "${name}" stands before those that read it`);
    return outlet;
  }
  #place(name: string): OperatorPlace {
    const place = this.#operators.get(name);
    assert(place, `"${name}" is an operator`);
    return place;
  }
}

function process(place: OperatorPlace, input: number, batch: Batch): void {
  assert(!place.inputEnded[input], `input ${input} of "${place.node.name}" gets nothing after its end`);
  place.outlet.tally.in += batch.rows;
  place.operator.process(input, batch, place.outlet);
  place.outlet.flush();
}

const backlog = ({ operator, drainAt }: OperatorPlace): number => operator.drain && operator.backlog ? operator.backlog(drainAt) : 0;

/** Rows that have left the node in any way. */
function left(tally: NodeTally): number {
  const { out, filtered, duplicates, folded, deletes, late, rejected } = summarize(tally);
  return out + filtered + duplicates + folded + deletes + late + rejected;
}
