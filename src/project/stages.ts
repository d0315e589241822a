/**
 * A pipeline whose rows change lanes on the way, as the stages that run it: a pipeline each, linked by topics. What stands before every
 * `repartition` is the first stage, what stands behind one repartition the second, and so on. Invariant: every node is in one stage
 * and reads from that stage alone; rows pass from one to the next through topics only.
 */
import type { SourcePlan } from "../component/component.ts";
import type { ExchangeContext, ExchangePlan } from "../component/exchange.ts";
import { assert } from "../data/fault.ts";
import type { RecordType } from "../data/types.ts";
import type { Edge } from "../engine/contracts.ts";
import { FULL_REJECT_TYPE } from "../engine/rejects.ts";
import type { PipelineBlueprint, SinkBlueprint, SourceBlueprint } from "./contracts.ts";
import type { Connections } from "./connections.ts";
import type { PlacedEdge } from "./graph.ts";
import { fieldNames } from "./needs.ts";
import { sinkName, tableNode } from "./hidden.ts";
import { decideLanes, type LaneDecision } from "./lanes.ts";
import { planContext, type Planning } from "./plan_context.ts";
import { type PlannedSink, rejectsRows } from "./plan_sinks.ts";
import type { PlannedTransform, Ports } from "./plan_transforms.ts";
import { rankSources } from "./ranks.ts";
import type { Registry } from "./registry.ts";
import { expandPhases } from "./two_phases.ts";

/** A checked pipeline, and what it was made from. */
export interface WholePipeline {
  readonly blueprint: PipelineBlueprint;
  readonly transforms: readonly PlannedTransform[];
  /** Without the hidden ones. */
  readonly visible: readonly PlannedTransform[];
  readonly sinks: readonly PlannedSink[];
  /** The sink for rejects that no other one takes; each stage has its own. */
  readonly rest: PlannedSink | null;
  /** Plans such a sink for some nodes. */
  planRest(nodes: readonly string[], stateFolder: string): PlannedSink | null;
  /** Fields of a node's output that somebody reads. */
  neededOf(node: string): ReadonlySet<string>;
  readonly ports: Ports;
  readonly planning: Planning;
  readonly connections: Connections;
  readonly registry: Registry;
}
/** A stage, and its own sinks as they were planned. */
export interface Stage {
  readonly blueprint: PipelineBlueprint;
  readonly lanes: LaneDecision;
  readonly sinks: readonly PlannedSink[];
  /** Whether it writes or reads files of this machine between stages. */
  readonly isLocal: boolean;
}

/** Rows on their way into a stage. */
interface Crossing {
  /** Of the source that gives them out there. */
  readonly name: string;
  readonly edges: readonly Edge[];
  readonly type: RecordType;
  readonly keyField: string | null;
  readonly timed: boolean;
  readonly carried: ReadonlySet<string>;
  readonly plan: ExchangePlan;
}

const isExchange = ({ plan }: PlannedTransform): boolean => plan.exchange !== undefined;
/** Whether the pipeline runs in stages because of it. */
export const needsStages = ({ plan }: PlannedTransform): boolean => plan.exchange !== undefined || plan.phases !== undefined;
/** The name that a stage's sink for the next one has in its checkpoints and counters. */
export const outletName = (crossing: string): string => `${crossing}:out`;
/** Rows that a sink of a later stage reads from an earlier one. */
const carriedName = (sink: string): string => `${sink}:carried`;

/** The stages in their order; null when faults were reported. */
export function splitIntoStages(whole: WholePipeline): readonly Stage[] | null {
  const { faults } = whole.planning.settings;
  const before = faults.reported;
  const stages = new Splitter(expandPhases(whole)).split();
  return faults.reported === before ? stages : null;
}

class Splitter {
  readonly #whole: WholePipeline;
  /** How many exchanges lie before a node's output. */
  readonly #depths = new Map<string, number>();
  /** The repartitions by the stage that they lead into. */
  readonly #into = new Map<number, PlannedTransform[]>();

  constructor(whole: WholePipeline) {
    this.#whole = whole;
    for (const { name } of whole.blueprint.sources) this.#depths.set(name, 0);
    for (const transform of whole.transforms) this.#place(transform);
    for (const { name } of whole.blueprint.changelogs) this.#depths.set(tableNode(name), this.#firstUseOf(name));
    for (const sink of whole.sinks) if (rejectsRows(sink)) this.#depths.set(sinkName(sink.name), this.#stageOf(sink));
    for (const [, together] of this.#into) this.#requireSameLanes(together);
    for (const { name } of whole.blueprint.tables) this.#requireOneUse(name);
    for (const { name, totals } of whole.blueprint.checks) this.#requireOneSide(name, totals.map(({ operator }) => operator));
  }

  split(): readonly Stage[] {
    const last = Math.max(...this.#depths.values());
    const crossings: Crossing[][] = [[]];
    for (let stage = 1; stage <= last; stage++) crossings.push(this.#crossingsInto(stage));
    return crossings.map((into, stage) => this.#stage(stage, into, crossings[stage + 1] ?? []));
  }

  /** Gives a transform its stage. */
  #place(transform: PlannedTransform): void {
    const { name, title, edges } = transform;
    const deepest = Math.max(...edges.map(({ from }) => this.#depthOf(from)));
    for (const { from, span } of edges) {
      if (this.#depthOf(from) === deepest) continue;
      const message = `${title} reads "${from}", which stands before a repartition, beside what comes from behind it`;
      this.#whole.planning.settings.faults.add(
        "configuration",
        span,
        message,
        `send "${from}" through a repartition of its own, with as many lanes`,
      );
    }
    const depth = isExchange(transform) ? deepest + 1 : deepest;
    this.#depths.set(name, depth);
    if (isExchange(transform)) this.#into.set(depth, [...this.#into.get(depth) ?? [], transform]);
  }

  /** The stage where a table that is kept from changes is looked up first: what it refuses leaves there. */
  #firstUseOf(table: string): number {
    const users = this.#whole.transforms.filter(({ tables }) => tables.includes(table));
    return users.length === 0 ? 0 : Math.min(...users.map(({ name }) => this.#depthOf(name)));
  }

  #requireSameLanes([first, ...others]: readonly PlannedTransform[]): void {
    for (const { name, plan, span } of others) {
      if (plan.exchange!.lanes === first.plan.exchange!.lanes) continue;
      const message = `"${name}" has ${plan.exchange!.lanes} lanes and "${first.name}" beside it ${first.plan.exchange!.lanes}`;
      this.#whole.planning.settings.faults.add("configuration", span, message, "give both the same number");
    }
  }

  /** A snapshot is one stage's: two would look into two of them. */
  #requireOneUse(table: string): void {
    const [first, ...others] = this.#whole.transforms.filter(({ tables }) => tables.includes(table));
    const other = others.find(({ name }) => this.#depthOf(name) !== this.#depthOf(first.name));
    if (!other) return;
    const message = `"${first.name}" and "${other.name}" look up "${table}" on two sides of a repartition`;
    this.#whole.planning.settings.faults.add("configuration", other.span, message, "look it up once, and send what was found along");
  }

  #requireOneSide(check: string, operators: readonly string[]): void {
    if (new Set(operators.map((operator) => this.#depthOf(operator))).size <= 1) return;
    const span = this.#whole.transforms.find(({ name }) => name === operators[0])!.span;
    const message = `the check "${check}" has totals from both sides of a repartition, which are not done at one time`;
    this.#whole.planning.settings.faults.add("configuration", span, message, "take all totals on one side");
  }

  #depthOf(node: string): number {
    const depth = this.#depths.get(node);
    assert(depth !== undefined, `"${node}" stands before those that read it`);
    return depth;
  }

  /** The stage that a sink runs with: the last one that it reads from. */
  #stageOf({ edges }: PlannedSink): number {
    return Math.max(...edges.map(({ from }) => this.#depthOf(from)));
  }

  #ownSinks(): readonly PlannedSink[] {
    return this.#whole.sinks.filter((sink) => sink !== this.#whole.rest);
  }

  #crossingsInto(stage: number): Crossing[] {
    const crossings: Crossing[] = [];
    for (const transform of this.#into.get(stage)!) {
      const wish = transform.plan.exchange!;
      const type = transform.plan.outputs.get("out")!;
      const timed = this.#whole.ports.latenessMicros(transform.edges) !== null;
      const carried = this.#whole.neededOf(transform.name);
      const plan = this.#plan(stage, transform, { name: transform.name, topic: null, key: wish.key, type, timed, carried });
      if (plan) crossings.push({ name: transform.name, edges: transform.edges, type, keyField: wish.keyField, timed, carried, plan });
    }
    for (const sink of this.#ownSinks()) {
      const earlier = this.#stageOf(sink) >= stage ? this.#earlierEdges(sink, stage) : [];
      if (earlier.length === 0) continue;
      const [by] = this.#into.get(stage)!;
      const isForRejects = sink.edges[0].port === "rejected";
      const type = isForRejects ? FULL_REJECT_TYPE : sink.input;
      const carried = isForRejects ? fieldNames(type) : sink.plan.needs;
      const name = carriedName(sink.name);
      const plan = this.#plan(stage, by, { name, topic: sink.name, key: null, type, timed: false, carried });
      if (plan) crossings.push({ name, edges: earlier, type, keyField: null, timed: false, carried, plan });
    }
    return crossings;
  }

  /** What a sink reads from before the stage, as it lies there: at its node, or carried there already. */
  #earlierEdges({ name, edges }: PlannedSink, stage: number): readonly Edge[] {
    const at = edges.filter(({ from }) => this.#depthOf(from) === stage - 1);
    const isCarried = edges.some(({ from }) => this.#depthOf(from) < stage - 1);
    return isCarried ? [...at, { from: carriedName(name), port: "out" }] : at;
  }

  /** Both ends of a topic into the stage, by the wish of one of its repartitions. */
  #plan(
    stage: number,
    by: PlannedTransform,
    { name, topic, ...rows }: Pick<ExchangeContext, "name" | "key" | "type" | "timed" | "carried"> & { readonly topic: string | null },
  ): ExchangePlan | null {
    const { planning, registry, blueprint } = this.#whole;
    const wish = by.plan.exchange!;
    const connection = this.#connection(by);
    if (!connection?.settings) return null;
    const own = wish.topic ?? `${planning.pipeline}.${by.name.replace(":", ".")}`;
    const context = planContext(planning, name, by.settings, connection, planning.settings.faults.report);
    return registry.connections.get(connection.type)!.exchange!({
      ...context,
      ...rows,
      wished: by.span,
      reader: this.#nameOf(stage),
      topic: topic === null ? own : `${own}.${topic}`,
      lanes: wish.lanes,
      bounded: blueprint.bounded,
    });
  }

  /** The connection that a repartition names, or the only one that has topics. */
  #connection({ title, span, plan }: PlannedTransform) {
    const { connections, registry, planning: { settings: { faults } } } = this.#whole;
    const hasTopics = (type: string): boolean => registry.connections.get(type)?.exchange !== undefined;
    const wished = plan.exchange!.connection;
    if (wished === null) {
      const fitting = [...connections.names()].map((name) => connections.get(name)).filter((one) => one && hasTopics(one.type));
      if (fitting.length === 1) return fitting[0];
      const found = fitting.length === 0
        ? "no connection of the pipeline has any"
        : `${fitting.map((one) => one!.name).join(" and ")} have some`;
      const message = `${title} with more than one lane goes through a topic, and ${found}`;
      faults.add(
        "missing_key",
        span,
        message,
        'name one: via = { connection = "bus" }, of a [connections.bus] with type = "log" or "kafka"',
      );
      return null;
    }
    const found = connections.get(wished);
    if (found && hasTopics(found.type)) return found;
    const message = found === undefined ? `there is no connection "${wished}"` : `the connection "${wished}" has no topics`;
    if (found !== null) faults.add("unknown_name", span, `${title}: ${message}`, 'one with type = "log" or "kafka" has');
    return null;
  }

  #nameOf(stage: number): string {
    const { pipeline } = this.#whole.planning;
    return stage === 0 ? pipeline : `${pipeline}.${this.#into.get(stage)![0].name.replace(":", ".")}`;
  }

  #stage(stage: number, into: readonly Crossing[], outOf: readonly Crossing[]): Stage {
    const { blueprint, transforms, visible, rest, planRest } = this.#whole;
    const name = this.#nameOf(stage);
    const stateFolder = stage === 0 ? blueprint.stateFolder : `${blueprint.stateFolder}${name.slice(this.#nameOf(0).length)}`;
    const isHere = (node: string): boolean => this.#depths.get(node) === stage;
    const here = transforms.filter((transform) => isHere(transform.name) && !isExchange(transform));
    const nodes = new Set(here.map((transform) => transform.name));
    const ofRest = rest?.edges.map(({ from }) => from).filter(isHere) ?? [];
    const ownRest = ofRest.length > 0 ? planRest(ofRest, stateFolder) : null;
    const sinks = [...this.#ownSinks().filter((sink) => this.#stageOf(sink) === stage), ...ownRest ? [ownRest] : []];
    const read = into.map(({ name, keyField, plan }) => ({ name, plan: { ...plan.source, partitionedBy: keyField } }));
    const sources = stage === 0 ? blueprint.sources : this.#sources(into, here);
    const lanes = decideLanes(
      stage === 0 ? sources : read,
      visible.filter(({ name }) => nodes.has(name)),
      stage === 0 ? "apart" : "together",
    );
    const tables = new Set(here.flatMap((transform) => transform.tables));
    return {
      lanes,
      sinks,
      isLocal: [...into, ...outOf].some(({ plan }) => plan.local),
      blueprint: {
        ...blueprint,
        name,
        shownAs: blueprint.name,
        stateFolder,
        after: stage === 0 ? blueprint.after : [],
        lanesByPartition: lanes.byPartition,
        lanesReason: lanes.reason,
        guarantees: [],
        sources,
        tables: blueprint.tables.filter((table) => tables.has(table.name)),
        changelogs: blueprint.changelogs.filter((table) => tables.has(table.name)),
        transforms: here.map(({ name, spec, inputs, plan, span }) => ({
          name,
          type: spec.type,
          inputs: inputs.map(bareEdges),
          plan,
          span,
        })),
        sinks: [...sinks.map((sink) => this.#sink(sink, stage)), ...outOf.map(outlet)],
        reports: blueprint.reports.filter(({ operator }) => isHere(operator)),
        panels: blueprint.panels.filter(({ edge }) => isHere(edge.from)),
        checks: blueprint.checks.filter(({ totals }) => totals.every(({ operator }) => isHere(operator))),
        warnings: stage === 0 ? blueprint.warnings : [],
        tests: [],
        stages: [],
      },
    };
  }

  #sources(into: readonly Crossing[], here: readonly PlannedTransform[]): readonly SourceBlueprint[] {
    const ranks = rankSources(into.map(({ name }) => name), here);
    return into.map(({ name, type, keyField, carried, timed, plan }): SourceBlueprint => ({
      name,
      type: "exchange",
      schema: { name, type, id: null, numericText: "reject", unknownFields: "ignore", unique: [], require: [] },
      plan: { ...plan.source, partitionedBy: keyField } satisfies SourcePlan,
      rank: ranks.get(name)!,
      needed: carried,
      time: timed ? this.#time() : null,
      intake: null,
    }));
  }

  /** Where every source goes by its clock, so does what stands behind it. */
  #time(): SourceBlueprint["time"] {
    const times = this.#whole.blueprint.sources.flatMap(({ time }) => time ? [time] : []);
    const common = { field: null, latenessMs: 0, late: "window" } as const;
    if (times.every(({ field }) => field === null)) return { ...common, idleMs: Math.max(...times.map(({ idleMs }) => idleMs)) };
    return { ...common, idleMs: Infinity, carried: true };
  }

  /** A sink with what it reads from earlier stages replaced by what carries it here. */
  #sink(sink: PlannedSink, stage: number): SinkBlueprint {
    const { name, spec, edges, plan, input } = sink;
    const own: Edge[] = edges.filter(({ from }) => this.#depthOf(from) === stage).map(({ from, port }) => ({ from, port }));
    const inputs = own.length === edges.length ? own : [...own, { from: carriedName(name), port: "out" }];
    return { name, type: spec.type, inputs, plan, input };
  }
}

const bareEdges = (edges: readonly PlacedEdge[]): readonly Edge[] => edges.map(({ from, port }) => ({ from, port }));

function outlet({ name, edges, type, plan }: Crossing): SinkBlueprint {
  return {
    name: outletName(name),
    type: "exchange",
    inputs: edges.map(({ from, port }) => ({ from, port })),
    plan: plan.sink,
    input: type,
  };
}
