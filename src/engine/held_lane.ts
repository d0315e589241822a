/**
 * A lane in its owner's hands, from the moment its sinks are fenced until it is let go: steps 1 to 4 of the commit protocol
 * (DESIGN.md section 1). Invariant: after any throw this object is dropped; only a new take-over leads back in.
 */
import { assert } from "../data/fault.ts";
import { BATCH_ROWS_MAX } from "../data/limits.ts";
import type { World } from "../ports/mod.ts";
import type { Rejected } from "../data/batch.ts";
import type { EpochStamp, PipelinePlan, Position, RefusedRow, SinkLane, SinkNode } from "./contracts.ts";
import type { Head } from "./head.ts";
import { type LaneInput, LaneInputs, partitionsOf } from "./lane_inputs.ts";
import { LaneGraph } from "./lane_graph.ts";
import { type OpenEpoch, schedule } from "./open_epoch.ts";
import { readLane } from "./lane_reading.ts";
import { groupForCommits, type LaneStore } from "./lane_store.ts";
import { FIRST_EPOCH_MS_MAX, SCHEDULE_BYTES_MAX } from "./limits.ts";
import { judgeMarker, type SinkStanding } from "./markers.ts";
import type { LaneReading, Spectator } from "./run_contracts.ts";
import { Refusals } from "./refusals.ts";
import { digestOf, type Intent } from "./schedule.ts";
import { waitForAll } from "./wait_for_all.ts";
import { TimesToTell } from "./times_to_tell.ts";
import { createStateStore, type LaneState } from "./state/store.ts";

/** What a lane is made of, for as long as the run lasts. */
export interface LaneSetting {
  readonly world: World;
  readonly plan: PipelinePlan;
  readonly run: string;
  readonly lane: number;
  readonly inputs: readonly LaneInput[];
  /** Whether it was the user who stopped the pipeline, not a fault in another lane. */
  stopWanted(): boolean;
  /** After every batch. */
  batchProcessed(held: HeldLane): void;
  epochFlipped(epoch: number, durationMs: number): void;
  /** After every epoch, of each partition. */
  covered?(source: string, partition: number, position: Position): void;
  readonly spectator?: Spectator;
}
/** One sink as this lane sees it. */
export interface LaneSink {
  readonly node: SinkNode;
  readonly lane: SinkLane;
}

export class HeldLane {
  readonly graph: LaneGraph;
  readonly #setting: LaneSetting;
  readonly #store: LaneStore;
  readonly #sinks: readonly LaneSink[];
  readonly #inputs: LaneInputs;
  readonly #state: LaneState;
  /** Sinks that hold the open intent's epoch already, with what they refused of it: they get none of its rows when it is replayed. */
  readonly #holding: Map<string, readonly RefusedRow[]>;
  readonly #refusals: Refusals;
  /** Sinks that the open epoch gave rows. */
  readonly #fed = new Set<string>();
  /** The epoch under way, from its first record to its flip. */
  #open: OpenEpoch | null = null;
  #hasFlipped = false;
  /** What the open epoch's deliveries took, by sink. */
  readonly #deliveryMs = new Map<string, number>();
  readonly #times: TimesToTell;

  private constructor(
    setting: LaneSetting,
    store: LaneStore,
    sinks: readonly LaneSink[],
    found: {
      /** By sink: what those that are ahead refused. */
      readonly holding: ReadonlyMap<string, readonly RefusedRow[]>;
      readonly state: LaneState;
      readonly refusals: Refusals;
      readonly inputs: LaneInputs;
    },
  ) {
    this.#setting = setting;
    this.#store = store;
    this.#sinks = sinks;
    this.#holding = new Map(found.holding);
    this.#refusals = found.refusals;
    this.#state = found.state;
    this.#inputs = found.inputs;
    const byName = new Map(sinks.map(({ node, lane }) => [node.name, lane]));
    this.graph = new LaneGraph({
      plan: setting.plan,
      lane: setting.lane,
      state: found.state,
      spectator: setting.spectator,
      partitions: partitionsOf(setting.inputs),
      from: store.head,
      write: (sink, batch) => {
        this.#fed.add(sink);
        this.#refusals.given(sink, batch);
        if (!this.#holding.has(sink)) byName.get(sink)!.write(batch);
      },
    });
    this.#times = new TimesToTell(this.graph, setting.plan);
    for (const { source, partition, ended } of found.inputs.positions()) if (ended) this.graph.endPartition(source, partition);
    for (const { name } of setting.plan.sources) if (found.inputs.hasEnded(name)) this.graph.endSource(name);
  }

  /** Step 0 behind the take-over: fence every sink, and only then read markers and load the state. */
  static async open(setting: LaneSetting, store: LaneStore, sinks: readonly LaneSink[]): Promise<HeldLane> {
    const { world, run, lane } = setting;
    const { head } = store;
    const markers = await waitForAll(sinks.map((sink) => sink.lane.fence(head.generation)));
    world.probe.step("fenced", `lane ${lane} generation ${head.generation}`);
    const openDigest = head.intent && digestOf({ run, lane, epoch: head.epoch + 1, before: head.digest }, head.intent);
    const standings = sinks.map(({ node }, i): SinkStanding =>
      node.sink.guarantee === "exactly-once" ? judgeMarker(node.name, markers[i], head, openDigest, node.sink.anew) : "behind"
    );
    const holding = new Map(
      sinks.flatMap(({ node }, i) => standings[i] === "ahead" ? [[node.name, markers[i]?.refused ?? []] as const] : []),
    );
    const entries = await store.readState();
    const refusals = await Refusals.read(store, sinks.map(({ node }) => node));
    // Had another owner come between, it might have removed what was just read over; a replay needs no further write to find out.
    await store.requireUnchanged();
    await refusals.collect(store);
    const state = createStateStore({ epoch: head.epoch, tables: head.tables, entries });
    const inputs = await LaneInputs.open(setting.inputs, head.inputs, world.clock);
    try {
      const held = new HeldLane(setting, store, sinks, { holding, state, refusals, inputs });
      world.probe.step("loaded", `lane ${lane} epoch ${head.epoch}`);
      return held;
    } catch (error) {
      void inputs.close();
      throw error;
    }
  }

  get head(): Head {
    return this.#store.head;
  }
  /** How far input was handed to the graph; ahead of the head's positions while an epoch is open. */
  get inputs(): LaneInputs {
    return this.#inputs;
  }

  /** How it looks from outside, counters as of the newest complete epoch. */
  read(): LaneReading {
    const { head, graph } = this;
    const [inputs, state, open] = [this.#inputs, this.#state, this.#open];
    return readLane({ head, graph, inputs, state, sinks: this.#sinks, open, nowMs: this.#nowMs() });
  }

  /** Completes an epoch that an earlier owner began, exactly as it was meant; "none" when there is none. */
  async replay(): Promise<"flipped" | "none"> {
    const { intent } = this.head;
    if (!intent) return "none";
    const epoch = this.#begin(intent.timeMicros);
    for (const entry of intent.schedule) {
      if (entry.kind === "batch") {
        const { batch, rejected, read, deletes, told } = await this.#inputs.retake(entry);
        this.graph.feed(entry.source, batch, rejected, read, deletes);
        this.graph.told(entry.source, entry.partition, told);
      } else if (entry.kind === "end") {
        this.#inputs.retakeEnd(entry.source, entry.partition);
        this.#endPartition(entry.source, entry.partition);
      } else if (entry.kind === "idle") this.graph.idle(entry.source, entry.partition);
      else if (entry.kind === "stop") this.graph.stop();
      else if (entry.kind === "refused") this.#refusals.giveOut(this.graph, entry.rows);
      else {
        const end = this.graph.drain(entry.operator, entry.end - this.graph.drainPosition(entry.operator));
        assert(end === entry.end, `"${entry.operator}" drains as the schedule says`);
      }
      this.#setting.world.probe.step("batch_processed", `${this.#name(this.head.epoch + 1)} again`);
    }
    await this.#complete(intent, epoch, 0);
    this.#holding.clear();
    return "flipped";
  }

  /** One epoch of new input; "ended" and "stopped" when there was nothing to put into one. */
  async advance(signal: AbortSignal): Promise<"flipped" | "ended" | "stopped"> {
    const collected = await this.#collect(signal);
    if (typeof collected === "string") return collected;
    await this.#announceAndComplete(collected);
    return "flipped";
  }

  /** Steps 2 to 4. */
  async #announceAndComplete(collected: OpenEpoch): Promise<void> {
    const { world, plan } = this.#setting;
    const intent: Intent = { schedule: collected.schedule, timeMicros: collected.timeMicros, planHash: plan.hash };
    world.probe.step("epoch_closed", this.#name(this.head.epoch + 1));
    const decidedMs = this.#nowMs();
    // With this first commit after the take-over, every sink being fenced, other owners' ids are known to be silent.
    await this.#store.decide({ ...this.head, intent, ids: [] });
    world.probe.step("intent_written", this.#name(this.head.epoch + 1));
    await this.#complete(intent, collected, this.#nowMs() - decidedMs);
  }

  /** What is to leave unfinished when the pipeline stops, one epoch after another; "stopped" when nothing is left. */
  async farewell(): Promise<"flipped" | "stopped"> {
    if (!this.graph.stop() && !this.#sinks.some(({ lane }) => lane.holdsOpen?.())) return "stopped";
    const epoch = this.#begin(this.#epochTime());
    // Every epoch says so itself: a replay begins with what the epoch before left.
    schedule(epoch, { kind: "stop" });
    for (let drain = this.graph.nextDrain(); drain && !this.#isFull(epoch); drain = this.graph.nextDrain()) {
      this.#drain(epoch, drain.operator);
      this.#setting.world.probe.step("batch_processed", this.#name(this.head.epoch + 1));
      this.#setting.batchProcessed(this);
    }
    await this.#announceAndComplete(epoch);
    return "flipped";
  }

  /** Drops what is open; input not yet covered by head is read again by the next owner. */
  async close(): Promise<void> {
    for (const { lane } of this.#sinks) lane.discard();
    await this.#inputs.close();
  }

  /** Step 1: pulls input through the graph until the epoch is full, late, idle or at the end. */
  async #collect(signal: AbortSignal): Promise<OpenEpoch | "ended" | "stopped"> {
    const { world, plan } = this.#setting;
    // They are out before a planned stop: what the pipeline took in is then wholly delivered.
    let epoch = this.#refusals.rows > 0 && (!signal.aborted || this.#setting.stopWanted()) ? this.#beginWithRefused() : null;
    for (;;) {
      // A planned stop leaves nothing behind that was taken in; a fault elsewhere does not wait for that.
      if (signal.aborted && !(this.#setting.stopWanted() && await this.#inputs.stopIntake())) return epoch ?? "stopped";
      const drain = this.graph.nextDrain();
      if (drain) this.#drain(epoch ??= this.#begin(this.#epochTime()), drain.operator);
      else {
        const collected = epoch?.records ?? 0;
        const taken = await this.#inputs.take(plan.epoch.recordsMax - collected, (read) => {
          const left = plan.epoch.recordsMax - collected - read;
          return left > 0 ? left : plan.epoch.recordsMax;
        }, (source) => this.graph.timeReached(source));
        if (taken.kind === "ended") return epoch ?? "ended";
        if (taken.kind === "idle") {
          if (epoch) return epoch;
          if (signal.aborted) return "stopped";
          const waitMs = Math.min(taken.retryAfterMs, this.#epochDueInMs());
          if (waitMs > 0) await Promise.race([world.clock.sleep(waitMs, signal), ...taken.arrived]);
          else epoch = this.#begin(this.#epochTime());
          continue;
        }
        this.#feed(epoch ??= this.#begin(this.#epochTime()), taken);
      }
      world.probe.step("batch_processed", this.#name(this.head.epoch + 1));
      this.#setting.batchProcessed(this);
      if (this.#isFull(epoch)) return epoch;
    }
  }

  #begin(timeMicros: number): OpenEpoch {
    this.#times.begin();
    this.graph.beginEpoch(timeMicros);
    this.#fed.clear();
    return this.#open = { timeMicros, startedMs: this.#setting.world.clock.monotonicMs(), schedule: [], scheduleBytes: 0, records: 0 };
  }

  #beginWithRefused(): OpenEpoch {
    const epoch = this.#begin(this.#epochTime());
    const { rows } = this.#refusals;
    this.#refusals.giveOut(this.graph, rows);
    schedule(epoch, { kind: "refused", rows });
    epoch.records += rows;
    return epoch;
  }

  /** Now, but never before the epoch before: operators may rely on recorded time not going back. */
  #epochTime(): number {
    return Math.max(this.head.timeMicros, this.#setting.world.clock.nowMicros());
  }

  #endPartition(source: string, partition: number): void {
    this.graph.endPartition(source, partition);
    if (this.#inputs.hasEnded(source)) this.graph.endSource(source);
  }

  #feed(epoch: OpenEpoch, taken: Awaited<ReturnType<LaneInputs["take"]>> & { readonly kind: "batch" | "end" | "quiet" }): void {
    const { node, partition } = taken.input;
    if (taken.kind === "quiet") {
      this.graph.idle(node.name, partition);
      return schedule(epoch, { kind: "idle", source: node.name, partition });
    }
    if (taken.kind === "end") {
      this.#endPartition(node.name, partition);
      return schedule(epoch, { kind: "end", source: node.name, partition });
    }
    this.graph.feed(node.name, taken.batch, taken.rejected, taken.read, taken.deletes);
    this.graph.told(node.name, partition, taken.told);
    taken.release?.();
    epoch.records += taken.read;
    schedule(epoch, { kind: "batch", source: node.name, partition, read: taken.read, end: taken.end });
  }

  #drain(epoch: OpenEpoch, operator: string): void {
    const from = this.graph.drainPosition(operator);
    const rowsMax = Math.max(1, Math.min(BATCH_ROWS_MAX, this.#setting.plan.epoch.recordsMax - epoch.records));
    const end = this.graph.drain(operator, rowsMax);
    epoch.records += end - from;
    schedule(epoch, { kind: "drain", operator, end });
  }

  #isFull(epoch: OpenEpoch): boolean {
    const { plan, world } = this.#setting;
    if (epoch.records >= plan.epoch.recordsMax || epoch.scheduleBytes >= SCHEDULE_BYTES_MAX) return true;
    const bytesHeld = this.#sinks.reduce((sum, { lane }) => sum + lane.bytesHeld(), this.#refusals.bytes);
    const everyMs = this.#hasFlipped ? plan.epoch.everyMs : Math.min(FIRST_EPOCH_MS_MAX, plan.epoch.everyMs);
    return bytesHeld >= plan.epoch.bytesMax || world.clock.monotonicMs() - epoch.startedMs >= everyMs;
  }

  /** When a sink, or something that goes by the clock, wants an epoch that no input brings; at most 0: now. */
  #epochDueInMs(): number {
    const due = Math.min(this.graph.dueMicros(), ...this.#sinks.map(({ lane }) => lane.dueMicros?.() ?? Infinity));
    return Math.ceil((due - this.#epochTime()) / 1000);
  }

  /** Steps 3 and 4, the intent being acknowledged: deliver to all sinks, write the state, flip. */
  async #complete(intent: Intent, opened: OpenEpoch, intentMs: number): Promise<void> {
    const { world, run, lane, spectator } = this.#setting;
    const before = this.head;
    const epoch = before.epoch + 1;
    assert(before.intent === intent, "only what head announces is delivered");
    const digest = digestOf({ run, lane, epoch, before: before.digest }, intent);
    const { sets, deletes } = this.#state.checkpoint(epoch);
    const groups = groupForCommits(sets, run);
    const stopping = intent.schedule.some(({ kind }) => kind === "stop") ? { stopping: true as const } : {};
    const stamp = { epoch, digest, timeMicros: intent.timeMicros, ...stopping };
    const times = this.#times.changed(this.head);
    for (const sink of times.keys()) this.#fed.add(sink);
    const deliveries = this.#sinks.map((sink) => this.#deliver(sink, { ...stamp, ...times.get(sink.node.name) }));
    const stateWriting = this.#writeState(groups.slice(0, -1), epoch);
    const refused = (await waitForAll([...deliveries, stateWriting.then(() => [])])).flat();
    const refusedParts = await this.#refusals.write(this.#store, run, epoch, refused);
    if (refusedParts > 0) world.probe.step("refused_written", this.#name(epoch));
    const flippingMs = this.#nowMs();
    // The last group rides with the flip: most epochs then need two commits in all.
    await this.#store.decide({ ...this.#flipped(intent, epoch, digest), refusedParts }, groups.at(-1), deletes);
    this.graph.endEpoch();
    this.#inputs.released();
    world.probe.step("head_flipped", this.#name(epoch));
    const flippedMs = this.#nowMs();
    const { timeMicros, records, startedMs } = opened;
    const told = { epoch, timeMicros, records, durationMs: flippedMs - startedMs, deliveryMs: this.#deliveryMs };
    this.#open = null;
    this.#hasFlipped = true;
    this.#setting.epochFlipped(epoch, told.durationMs);
    spectator?.completed(lane, { ...told, checkpointMs: intentMs + await stateWriting + flippedMs - flippingMs });
    await this.#refusals.flipped(this.#store, before, refused);
  }

  async #deliver(
    { node, lane: sinkLane }: LaneSink,
    stamp: Omit<EpochStamp, "pipeline" | "run" | "lane" | "owner">,
  ): Promise<readonly Rejected[]> {
    const { world, plan, run, lane } = this.#setting;
    const held = this.#holding.get(node.name);
    const startedMs = this.#nowMs();
    const owner = this.head.generation;
    // What was refused stands with the marker: asked again, the target might answer otherwise.
    const refused = held ?? await sinkLane.deliver({ pipeline: plan.pipeline, run, lane, owner, ...stamp }) ?? [];
    if (held === undefined) {
      this.#deliveryMs.set(node.name, this.#nowMs() - startedMs);
      world.probe.step("sink_delivered", `${this.#name(stamp.epoch)} sink ${node.name}`);
    }
    return this.#refusals.rejected(node.name, refused);
  }

  async #writeState(groups: ReturnType<typeof groupForCommits>, epoch: number): Promise<number> {
    const startedMs = this.#nowMs();
    for (const group of groups) await this.#store.writeState(group);
    this.#setting.world.probe.step("state_written", this.#name(epoch));
    return this.#nowMs() - startedMs;
  }

  #nowMs(): number {
    return this.#setting.world.clock.monotonicMs();
  }

  #flipped(intent: Intent, epoch: number, digest: string): Head {
    const fed = this.#setting.plan.sinks.filter(({ name }) => this.#fed.has(name)).map(({ name }) => ({ sink: name, epoch, digest }));
    return {
      ...this.head,
      epoch,
      digest,
      timeMicros: intent.timeMicros,
      ids: [],
      planHash: intent.planHash,
      inputs: this.#inputs.positions(),
      drains: this.graph.drainPositions(),
      tallies: this.graph.counters(),
      times: this.graph.partitionTimes(),
      watermarks: this.graph.watermarks(),
      sinks: [...this.head.sinks.filter(({ sink }) => !this.#fed.has(sink)), ...fed],
      tables: this.#state.layouts,
      intent: null,
    };
  }

  #name(epoch: number): string {
    return `lane ${this.#setting.lane} epoch ${epoch}`;
  }
}
