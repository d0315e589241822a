/**
 * A folder of TOML files to a checked project. Invariant: either everything is in order and a Project comes back, or all faults
 * are thrown together; nothing outside the configuration's own files is touched.
 */
import { ConfigurationError, type Span } from "../data/fault.ts";
import type { Expressions } from "../expr/contracts.ts";
import type { Environment, Files } from "../ports/mod.ts";
import type { PipelineBlueprint, Project } from "./contracts.ts";
import { type Document, joinDocuments } from "./documents.ts";
import { withEnvFile } from "./env_file.ts";
import { Faults, placeOf } from "./faults.ts";
import { type ProjectFiles, readProjectFiles, readText } from "./load_files.ts";
import { suggestion } from "./nearest.ts";
import { environmentFillings, type Params, readParams } from "./params.ts";
import { type ReadPipeline, readPipeline } from "./pipeline.ts";
import { EPOCH_SETTINGS, readAfter, readState, type StatePlace } from "./pipeline_settings.ts";
import { outsideSpan } from "./positions.ts";
import { type ProfileFiles, readProfileFiles } from "./profiles.ts";
import type { PlanIntake, Registry } from "./registry.ts";
import { Secrets } from "./secrets.ts";
import type { SettingContext } from "./settings.ts";
import type { TomlNode } from "./toml.ts";

export { renderFaults } from "./faults.ts";
export { jsonSchema } from "./json_schema.ts";
export { referencePages } from "./reference.ts";
export type { PlanIntake, Registry } from "./registry.ts";

/** Everything that a project is read from. */
export interface LoadOptions {
  /** A folder, or one .toml file. */
  readonly path: string;
  readonly files: Files;
  readonly environment: Environment;
  /** All components, or how to get those of the types that the project names. */
  readonly registry: Registry | ((types: ReadonlySet<string>) => Promise<Registry>);
  readonly expressions: Expressions;
  readonly intake: PlanIntake;
  /** From --set: "params.x", "epoch.every", "epoch.records_max", "epoch.bytes_max", "state". */
  readonly overrides: ReadonlyMap<string, string>;
  /** Variables for what the environment does not set. */
  readonly envFile?: string;
  /** Where paths of this machine are taken instead: a proof has them all in its own folder. */
  readonly relocate?: (path: string) => string;
  /** What the names of its own begin with that a proof has at servers. */
  readonly proof?: string;
  /** "test": decode also what only [[tests]] look at. Default "run". */
  readonly purpose?: "run" | "test";
}

const NOWHERE: StatePlace = { folder: "", reach: "this machine", shared: null };

interface NamedDocument {
  readonly name: string;
  readonly document: Document;
}
interface After {
  readonly pipeline: string;
  readonly name: string;
  readonly node: TomlNode;
}

/** Reads and checks a project. Throws ConfigurationError with every fault. A project of the size of config/ takes some 50 ms. */
export async function loadProject(options: LoadOptions): Promise<Project> {
  const secrets = new Secrets();
  const faults = new Faults(secrets);
  const environment = await readEnvironment(options, faults);
  const files = await readProjectFiles(options.path, options.files, faults);
  const documents = files.pipelines.map(({ name, table }) => ({ name, document: joinDocuments(table, files.shared, faults) }));
  const declared = new Map(documents.map(({ name, document }) => [name, new Set(document.section("params").keys())]));
  checkOverrides(options.overrides, declared, faults);
  const registry = typeof options.registry === "function" ? await options.registry(typesNamed(documents)) : options.registry;
  const fillings = environmentFillings((name) => environment.get(name), secrets);
  const after: After[] = [];
  const read: (ReadPipeline & { readonly name: string })[] = [];
  for (const { name, document } of documents) {
    const elsewhere = new Set([...declared].flatMap(([other, names]) => other === name ? [] : [...names]));
    const overrides = parameterOverrides(options.overrides);
    const params = readParams({ document, environment: fillings, overrides, elsewhere, secrets, faults });
    const context: SettingContext = { faults, secrets, variables: params.variables, relocate: options.relocate, proof: options.proof };
    const awaited = readAfter(document, context);
    after.push(...awaited.map((item) => ({ pipeline: name, ...item })));
    read.push({ name, ...readOne({ name, document }, params, awaited.map((item) => item.name), context, { ...options, registry }) });
  }
  checkAfter(after, documents, files.extent, faults);
  const names = files.extent === "one" ? null : documents.map(({ name }) => name);
  const settings = { faults, secrets, variables: { environment: fillings, parameter: () => null, parameterNames: () => [] } };
  const profile = readProfileFiles(documents[0]?.document, names, fillings, settings);
  checkPlaces(read, profile, faults);
  const blueprints = read.map(({ blueprint }) => blueprint).filter((blueprint): blueprint is PipelineBlueprint => blueprint !== null);
  if (faults.reported > 0) throw new ConfigurationError(faults.sorted());
  const { path, overrides, envFile } = options;
  const readFrom = { path, overrides, ...(envFile === undefined ? {} : { envFile }) };
  return {
    folder: files.folder,
    readFrom,
    pipelines: blueprints,
    chosen: names === null ? null : profile.chosen,
    mask: (text) => secrets.mask(text),
  };
}

async function readEnvironment({ environment, envFile, files }: LoadOptions, faults: Faults): Promise<Environment> {
  if (envFile === undefined) return environment;
  const text = await readText(envFile, files, faults);
  return text === null ? environment : withEnvFile(environment, envFile, text, faults);
}

function readOne(
  { name, document }: NamedDocument,
  params: Params,
  after: readonly string[],
  settings: SettingContext,
  options: LoadOptions & { readonly registry: Registry },
): ReadPipeline {
  const { expressions, registry, intake, overrides, purpose = "run" } = options;
  // With a fault in it there is no blueprint, but all other faults are told too.
  const state = readState(document, overrides, settings) ?? NOWHERE;
  const planning = { pipeline: name, stateFolder: `${state.folder}/${name}`, state, expressions, params, settings };
  return readPipeline({ document, planning, registry, intake, after, overrides, purpose });
}

/** The types of sources, tables, sinks and connections, as far as they are plain text. */
function typesNamed(documents: readonly NamedDocument[]): Set<string> {
  const types = new Set<string>();
  for (const { document } of documents) {
    for (const section of ["sources", "tables", "sinks", "connections"] as const) {
      for (const { entry } of document.section(section).values()) {
        const type = entry.value.kind === "table" ? entry.value.entries.get("type")?.value : undefined;
        if (type?.kind === "string") types.add(type.text);
      }
    }
  }
  return types;
}

function parameterOverrides(overrides: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const named = [...overrides].filter(([key]) => key.startsWith("params."));
  return new Map(named.map(([key, text]) => [key.slice("params.".length), text]));
}

/** A --set that no pipeline listens to is a typo. */
function checkOverrides(overrides: ReadonlyMap<string, string>, declared: ReadonlyMap<string, ReadonlySet<string>>, faults: Faults): void {
  if (declared.size === 0) return;
  const params = new Set([...declared.values()].flatMap((names) => [...names].map((name) => `params.${name}`)));
  const known = [...params, ...Object.keys(EPOCH_SETTINGS.fields).map((name) => `epoch.${name}`), "workers", "state", "stop_within"];
  for (const key of overrides.keys()) {
    if (known.includes(key)) continue;
    const message = key.startsWith("params.") ? `there is no parameter "${key.slice("params.".length)}"` : `"${key}" cannot be set`;
    faults.add("unknown_name", outsideSpan("--set"), message, suggestion(key, known));
  }
}

function checkAfter(after: readonly After[], documents: readonly NamedDocument[], extent: ProjectFiles["extent"], faults: Faults): void {
  if (extent === "one") return;
  const names = documents.map(({ name }) => name);
  const earlier = new Map<string, After[]>();
  for (const item of after) {
    const known = names.includes(item.name);
    if (known) earlier.set(item.pipeline, [...earlier.get(item.pipeline) ?? [], item]);
    else faults.add("unknown_name", item.node.span, `there is no pipeline "${item.name}"`, suggestion(item.name, names));
  }
  const state = new Map<string, "open" | "done">();
  const visit = (name: string, path: readonly string[]): void => {
    state.set(name, "open");
    for (const item of earlier.get(name) ?? []) {
      if (state.get(item.name) === "open") {
        const cycle = [...path.slice(path.indexOf(item.name)), item.name];
        faults.add("cycle", item.node.span, `these pipelines wait for one another: ${cycle.join(" -> ")}`, "take one name out of `after`");
      } else if (!state.has(item.name)) visit(item.name, [...path, item.name]);
    }
    state.set(name, "done");
  };
  for (const name of names) if (!state.has(name)) visit(name, [name]);
}

/** Two pipelines that are ever run together must not write one file. */
function checkPlaces(read: readonly (ReadPipeline & { readonly name: string })[], profile: ProfileFiles, faults: Faults): void {
  const seen = new Map<string, { readonly pipeline: string; readonly sink: string; readonly span: Span }[]>();
  for (const { name, places } of read) {
    for (const { path, sink, span } of places) {
      const writers = seen.get(path) ?? [];
      const before = writers.find(({ pipeline }) => profile.areTogether(pipeline, name));
      if (!before) seen.set(path, [...writers, { pipeline: name, sink, span }]);
      else {
        const message = `the sink "${sink}" writes to ${path}, as does "${before.sink}" of "${before.pipeline}" (${placeOf(before.span)})`;
        faults.add("duplicate_name", span, message, "give each its own path");
      }
    }
  }
}
