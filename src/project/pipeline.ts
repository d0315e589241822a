/**
 * One pipeline from its document to its blueprint: read, wire, plan forwards, ask backwards for needed fields. Invariant: a
 * blueprint is made only when nothing in the pipeline has a fault.
 */
import type { SchemaPlan } from "../component/component.ts";
import type { RecordType } from "../data/types.ts";
import type { PanelBlueprint, PipelineBlueprint, TestBlueprint } from "./contracts.ts";
import { planChecks } from "./checks.ts";
import { Connections } from "./connections.ts";
import { type Document, isTable } from "./documents.ts";
import { placeOf } from "./faults.ts";
import { orderNodes, type Origins, type PlacedEdge, readEdges } from "./graph.ts";
import { guaranteesOf } from "./guarantee.ts";
import { planHash, planParts } from "./hash.ts";
import { blueprintNodes, hashedNodes } from "./planned_nodes.ts";
import { isHidden, sinkName, tableNode } from "./hidden.ts";
import { decideLanes, type LaneDecision } from "./lanes.ts";
import { type Demand, propagateNeeds } from "./needs.ts";
import { type NodeReader, readSink, readTransform } from "./nodes.ts";
import { readEpoch, readKind, readStopWithin, readWorkers } from "./pipeline_settings.ts";
import type { Planning } from "./plan_context.ts";
import { outsideSpan } from "./positions.ts";
import {
  type Boundedness,
  checkRefusals,
  expandRejects,
  filePlace,
  type PlannedSink,
  planSink,
  rejectsRows,
  type WiredSink,
  wireRejects,
} from "./plan_sinks.ts";
import { type PlannedSource, PlannedTables, planSource, type SourcePlanner } from "./plan_sources.ts";
import { type PlannedTransform, planTransform, Ports, type WiredTransform } from "./plan_transforms.ts";
import type { PlanIntake, Registry } from "./registry.ts";
import { fieldsOf, readPanels } from "./panels.ts";
import { planReports, planWarnings } from "./reports.ts";
import { readSchema } from "./schemas.ts";
import { needsStages, splitIntoStages, type WholePipeline } from "./stages.ts";
import { readTests } from "./tests.ts";
import { assert, type Span } from "../data/fault.ts";

/** What one pipeline is made from. */
export interface PipelineInput {
  readonly document: Document;
  readonly planning: Planning;
  readonly registry: Registry;
  readonly intake: PlanIntake;
  readonly after: readonly string[];
  readonly overrides: ReadonlyMap<string, string>;
  /** "test": the fields that [[tests]] look at are decoded too. */
  readonly purpose: "run" | "test";
}
/** A pipeline that was read. `places`: the files that its sinks write. */
export interface ReadPipeline {
  readonly blueprint: PipelineBlueprint | null;
  readonly places: readonly { readonly path: string; readonly sink: string; readonly span: Span }[];
}

/** Reads and plans one pipeline; all faults go to `planning.settings.faults`. */
export function readPipeline(input: PipelineInput): ReadPipeline {
  return new PipelineReader(input).read();
}

class PipelineReader {
  readonly #input: PipelineInput;
  readonly #document: Document;
  readonly #planning: Planning;
  readonly #reader: NodeReader;
  readonly #ports = new Ports();

  constructor(input: PipelineInput) {
    this.#input = input;
    this.#document = input.document;
    this.#planning = input.planning;
    const context = input.planning.settings;
    this.#reader = { context, connections: new Connections(input.document, input.registry.connections, context) };
  }

  read(): ReadPipeline {
    const { registry } = this.#input;
    const planning = this.#planning;
    const { faults } = planning.settings;
    const before = faults.reported;
    const kind = readKind(this.#document, planning.settings);
    const epoch = readEpoch(this.#document, this.#input.overrides, planning.settings);
    const workers = readWorkers(this.#document, this.#input.overrides, planning.settings);
    const stopWithinMs = readStopWithin(this.#document, this.#input.overrides, planning.settings);
    const origins = this.#origins();
    const planner: SourcePlanner = { planning, registry, reader: this.#reader, schemas: this.#schemas(), intake: this.#input.intake };
    const sources = this.#planSources(planner);
    const tables = new PlannedTables(this.#document.section("tables"), planner);
    tables.planOwn();
    const visible = orderNodes(this.#wireTransforms(origins), faults)
      .map((wired) => planTransform(wired, this.#ports, tables, planning)).filter((planned) => planned !== null);
    const aggregate = registry.transforms.get("aggregate");
    assert(aggregate, "there is a transform `aggregate` for reports and checks");
    const planHidden = (wired: WiredTransform) => planTransform(wired, this.#ports, tables, planning);
    const { reports, hidden: ofReports } = planReports(this.#document, origins, aggregate, planHidden, planning);
    const { checks, hidden: ofChecks } = planChecks(this.#document, origins, aggregate, planHidden, planning);
    const panels = readPanels(this.#document, origins, this.#ports, planning.settings);
    const warnings = planWarnings(this.#document, planning);
    const transforms = [...visible, ...ofReports, ...ofChecks];
    const bounded = sources.every(({ plan }) => plan?.bounded ?? true);
    const boundedness = bounded ? "bounded" : sources.every(saysUntil) ? "open" : "unbounded";
    const { sinks, rest, planRest } = this.#planSinks(origins, tables, transforms, boundedness);
    const tests = this.#readTests(sources, tables, sinks);
    this.#reader.connections.readUnused();
    this.#refuseEmpty();
    if (!bounded) this.#refuseLocal(sinks);
    if (faults.reported > before || !epoch || kind === null || workers === null || stopWithinMs === null) {
      return { blueprint: null, places: places(sinks) };
    }
    const neededOf = this.#needs(transforms, sinks, tests, panels);
    const lanes = decideLanes(sources, visible);
    const hashed = hashedNodes(sources, tables, transforms, sinks);
    const whole: PipelineBlueprint = {
      name: planning.pipeline,
      file: this.#document.file,
      kind: kind ?? (bounded ? "batch" : "stream"),
      after: this.#input.after,
      bounded,
      stateFolder: planning.stateFolder,
      shared: planning.state.shared,
      hash: planHash(planning.params, hashed),
      parts: planParts(planning.params, hashed),
      params: planning.params.shown,
      epoch,
      workers,
      stopWithinMs,
      lanesByPartition: lanes.byPartition,
      lanesReason: lanes.reason,
      guarantees: guaranteesOf(sources, transforms, sinks),
      ...blueprintNodes(sources, tables, transforms, sinks, neededOf),
      reports,
      checks,
      panels,
      warnings,
      tests,
      stages: [],
    };
    const { ports, connections } = { ports: this.#ports, connections: this.#reader.connections };
    const made = { blueprint: whole, transforms, visible, sinks, rest, planRest, neededOf, ports, planning, connections, registry };
    const blueprint = this.#input.purpose === "run" && visible.some(needsStages)
      ? this.#inStages(made)
      : workers === 1 || this.#mayBeSpread(lanes, sinks, [...reports, ...checks].length)
      ? whole
      : null;
    return { blueprint, places: places(sinks) };
  }

  /** The pipeline with the stages that run it; null with faults. */
  #inStages(made: WholePipeline): PipelineBlueprint | null {
    const { faults } = this.#planning.settings;
    const { blueprint } = made;
    const stages = splitIntoStages(made);
    if (stages === null) return null;
    const before = faults.reported;
    for (const { lanes, sinks, isLocal, blueprint: { reports, checks } } of stages) {
      if (isLocal && !blueprint.bounded) this.#refuseLocalTopics();
      if (blueprint.workers === 1) continue;
      this.#mayBeSpread(lanes, sinks, reports.length + checks.length);
      if (isLocal) {
        faults.add(
          "workers",
          this.#workersSpan(),
          "the topic of a repartition is files of this machine, which one thread writes",
          "use Kafka's, or leave workers out",
        );
      }
    }
    if (faults.reported > before) return null;
    const reasons = stages.map(({ lanes: { reason } }, stage) => stage === 0 ? reason : `behind it ${reason}`);
    return {
      ...blueprint,
      lanesByPartition: stages[0].lanes.byPartition,
      lanesReason: reasons.join("; "),
      stages: stages.map((stage) => stage.blueprint),
    };
  }

  /** The names edges may start at. Each once in a pipeline; sinks, where no edge starts, have names of their own. */
  #origins(): Origins {
    const { faults } = this.#planning.settings;
    const seen = new Map<string, { readonly section: string; readonly span: Span }>();
    for (const section of ["sources", "tables", "transforms"] as const) {
      for (const [name, { entry, origin }] of this.#document.section(section)) {
        // A shared table is known to pipelines that never look it up: it must not take names from them.
        if (section === "tables" && origin === "shared") continue;
        const before = seen.get(name);
        if (!before) seen.set(name, { section, span: entry.keySpan });
        else {
          const message = `${section}.${name} has the name of ${before.section}.${name} (${placeOf(before.span)})`;
          faults.add("duplicate_name", entry.keySpan, message, "rename one of the two");
        }
      }
    }
    const namesOf = (section: "sources" | "tables" | "transforms" | "sinks") => [...this.#document.section(section).keys()];
    return {
      nodes: new Set([...namesOf("sources"), ...namesOf("transforms")]),
      tables: new Set(namesOf("tables")),
      sinks: new Set(namesOf("sinks")),
    };
  }

  #schemas(): ReadonlyMap<string, SchemaPlan | null> {
    const { settings } = this.#planning;
    const schemas = new Map<string, SchemaPlan | null>();
    for (const [name, { entry }] of this.#document.section("schemas")) {
      const table = isTable(entry, settings.faults) ? entry.value : null;
      schemas.set(name, table && readSchema(name, table, `the schema "${name}"`, settings));
    }
    return schemas;
  }

  #planSources(planner: SourcePlanner): readonly PlannedSource[] {
    return [...this.#document.section("sources")].map(([name, placed]) => {
      const planned = planSource(name, placed, "source", planner);
      const { schema, time } = planned;
      const late = schema && time?.plan.late === "record" ? [["late", schema.type] as const] : [];
      this.#ports.set(name, schema && new Map([["out", schema.type], ...late]), time ? time.plan.latenessMs * 1000 : null);
      return planned;
    });
  }

  #wireTransforms(origins: Origins): readonly WiredTransform[] {
    const { faults } = this.#planning.settings;
    const wired: WiredTransform[] = [];
    for (const [name, placed] of this.#document.section("transforms")) {
      const reading = readTransform(name, placed, this.#input.registry.transforms, this.#reader);
      if (!reading) {
        this.#ports.set(name, null);
        continue;
      }
      const title = `the transform "${name}"`;
      const inputs = reading.spec.inputs.map((setting) => readEdges(reading.table, setting, title, origins, "refused", faults));
      const complete = inputs.every((edges) => edges !== null) ? inputs : null;
      const edges = inputs.flatMap((some) => some ?? []);
      wired.push({ name, span: reading.span, title, spec: reading.spec, settings: reading.settings, inputs: complete, edges });
      this.#ports.set(name, null);
    }
    return wired;
  }

  #planSinks(
    origins: Origins,
    tables: PlannedTables,
    transforms: readonly PlannedTransform[],
    boundedness: Boundedness,
  ): Pick<WholePipeline, "sinks" | "rest" | "planRest"> {
    const { faults } = this.#planning.settings;
    const kept = tables.planned().filter(({ changelog }) => changelog).map(({ name }) => tableNode(name));
    const readings = [...this.#document.section("sinks")].flatMap(([name, placed]) => {
      const reading = readSink(name, placed, this.#input.registry.sinks, this.#reader);
      return reading ? [reading] : [];
    });
    const refusing = readings.filter(rejectsRows).map(({ name }) => sinkName(name));
    const nodes = [...origins.nodes, ...kept, ...transforms.map(({ name }) => name).filter(isHidden), ...refusing];
    const wired: WiredSink[] = [];
    const taken: PlacedEdge[] = [];
    for (const reading of readings) {
      const { name } = reading;
      const written = readEdges(reading.table, "inputs", `the sink "${name}"`, origins, "allowed", faults);
      const edges = written && expandRejects(written, nodes);
      taken.push(...edges ?? []);
      wired.push({ ...reading, edges });
    }
    checkRefusals(wired, faults);
    const ndjson = this.#input.registry.sinks.get("ndjson");
    const names = new Set([...nodes, ...origins.tables, ...origins.sinks]);
    const plan = (sink: WiredSink | null) => sink && planSink(sink, this.#ports, boundedness, this.#planning);
    const planRest = (nodes: readonly string[], stateFolder: string) =>
      plan(wireRejects(nodes, taken, names, ndjson, this.#document.span, { ...this.#planning, stateFolder }));
    const rest = planRest(nodes, this.#planning.stateFolder);
    const all = [...wired.map(plan), rest];
    return { sinks: all.filter((sink) => sink !== null), rest, planRest };
  }

  #readTests(sources: readonly PlannedSource[], tables: PlannedTables, sinks: readonly PlannedSink[]): readonly TestBlueprint[] {
    const results = new Map<string, RecordType | null>();
    for (const name of this.#document.section("transforms").keys()) results.set(name, this.#ports.at(name, "out") ?? null);
    for (const name of this.#document.section("sinks").keys()) results.set(name, null);
    for (const { name, input } of sinks) results.set(name, input);
    return readTests(this.#document, {
      sources: new Map(sources.map(({ name, schema }) => [name, schema?.type ?? null])),
      table: (name) => {
        const planned = tables.plan(name);
        return planned ? planned.schema.type : planned;
      },
      tableNames: [...tables.keys()],
      isKept: (name) => Boolean(tables.plan(name)?.changelog),
      results,
    }, this.#planning.settings);
  }

  #refuseEmpty(): void {
    const { faults } = this.#planning.settings;
    const isEmpty = (section: "sources" | "sinks" | "checks") => this.#document.section(section).size === 0;
    if (isEmpty("sources")) {
      faults.add(
        "missing_key",
        this.#document.span,
        "the pipeline reads nothing",
        'it needs a source: [sources.NAME] with type = "csv", ...',
      );
    }
    if (isEmpty("sinks") && isEmpty("checks") && this.#document.list("reports").length === 0) {
      faults.add("missing_key", this.#document.span, "the pipeline writes nothing", 'it needs a sink: [sinks.NAME] with type = "csv", ...');
    }
  }

  /** Lanes move between replicas, files of one machine do not. */
  #refuseLocal(sinks: readonly PlannedSink[]): void {
    const { state: { shared, reach }, settings: { faults } } = this.#planning;
    if (!shared || reach === "all replicas") return;
    for (const { name, span, spec } of sinks) {
      if (!spec.local) continue;
      const message = `the sink "${name}" writes files of this machine, which other replicas of the pipeline cannot go on with`;
      const taken = name.endsWith("rejects") ? 'give "*.rejected" a sink that all replicas reach' : "use a topic or a table";
      faults.add("local_sink", span, message, `${taken}, or name a folder that all replicas reach: [state] folder = "..."`);
    }
  }

  #refuseLocalTopics(): void {
    const { state: { shared, reach }, settings: { faults } } = this.#planning;
    if (!shared || reach === "all replicas") return;
    const message = "the topic of a repartition lies in files of this machine, which other replicas of the pipeline cannot go on with";
    faults.add("local_sink", this.#document.span, message, 'name a connection of Kafka: via = { connection = "..." }');
  }

  #workersSpan(): Span {
    return this.#document.value("workers")?.span ?? outsideSpan("--set");
  }

  /** Whether lanes can run on several threads; faults otherwise. */
  #mayBeSpread(lanes: LaneDecision, sinks: readonly PlannedSink[], totals: number): boolean {
    const { faults } = this.#planning.settings;
    const before = faults.reported;
    const span = this.#workersSpan();
    const hint = "leave workers out";
    if (!lanes.byPartition) faults.add("workers", span, `workers spread lanes over threads, and this pipeline has ${lanes.reason}`, hint);
    if (totals > 0) faults.add("workers", span, "reports and checks add up over all lanes, which is not done across threads", hint);
    for (const { name, spec, plan } of sinks) {
      if ((plan.threads ?? (spec.local ? "one" : "any")) === "any") continue;
      const what = spec.local ? "writes files of this machine, which one thread at a time can do" : "is one for all lanes of a process";
      const message = `the sink "${name}" ${what}`;
      faults.add("workers", span, message, 'use a topic, a table of a server or publish = "parts", or leave workers out');
    }
    return faults.reported === before;
  }

  #needs(
    transforms: readonly PlannedTransform[],
    sinks: readonly PlannedSink[],
    tests: readonly TestBlueprint[],
    panels: readonly PanelBlueprint[],
  ): (node: string) => ReadonlySet<string> {
    const demands: Demand[] = sinks.map(({ edges, plan }) => ({ edges, fields: plan.needs }));
    for (const panel of panels) demands.push({ edges: [panel.edge], fields: fieldsOf(panel) });
    if (this.#input.purpose === "test") demands.push(...demandsOfTests(tests, sinks));
    const hidden = new Set(transforms.map(({ name }) => name).filter(isHidden));
    return propagateNeeds(transforms, demands, hidden);
  }
}

function places(sinks: readonly PlannedSink[]): ReadPipeline["places"] {
  return sinks.flatMap((sink) => {
    const path = filePlace(sink);
    return path === null ? [] : [{ path, sink: sink.name, span: sink.settings.at("path") }];
  });
}

function demandsOfTests(tests: readonly TestBlueprint[], sinks: readonly PlannedSink[]): Demand[] {
  return tests.flatMap(({ expect }) =>
    [...expect].map(([name, rows]): Demand => {
      const edges = sinks.find((sink) => sink.name === name)?.edges ?? [{ from: name, port: "out" }];
      return { edges, fields: new Set(rows.flatMap(({ fields }) => [...fields.keys()])) };
    })
  );
}

/** Whether the source has an end, or its file says that it may have one: `until`, which another environment may set to something else. */
function saysUntil({ plan, reading }: PlannedSource): boolean {
  return (plan?.bounded ?? true) || (reading?.table.entries.has("until") ?? false);
}
