/**
 * What each path from a source to a sink guarantees, its weakest link, and what would strengthen it. Sources are all replayable, so
 * within a pipeline the sink decides; a record may also have been repeated before, by the pipeline that writes what the source reads.
 * Invariant: a path is called exactly-once only when neither its sink nor anything before it can show a record twice.
 */
import type { Edge, Guarantee } from "../engine/contracts.ts";
import type { PipelineBlueprint, Project, SinkBlueprint } from "../project/contracts.ts";

export interface PathGuarantee {
  readonly pipeline: string;
  readonly source: string;
  readonly sink: string;
  readonly guarantee: Guarantee;
  /** The link that decides, for example `sink "topic" of produce`. */
  readonly weakest: string;
  /** What the guarantee rests on, or why it is no better. */
  readonly note: string;
  /** Only where something would. */
  readonly strengthen?: string;
}

/** A sink that may write a record twice, seen from a source that reads what it writes. */
interface Repeats {
  readonly pipeline: string;
  readonly sink: string;
  readonly note: string;
  /** What would make that sink stronger. */
  readonly hint?: string;
}

/** For every source and every sink that it reaches, the sinks for rejects included. */
export function describeGuarantees(project: Project): PathGuarantee[] {
  return project.pipelines.flatMap((blueprint) => blueprint.sinks.flatMap((sink) => pathsTo(sink, blueprint, project)));
}

function pathsTo(sink: SinkBlueprint, blueprint: PipelineBlueprint, project: Project): PathGuarantee[] {
  const { guarantee, guaranteeNote: ofSinkAlone } = sink.plan;
  const reached = sourcesOf(blueprint, sink.inputs, "all");
  const undeduplicated = new Set(sourcesOf(blueprint, sink.inputs, "past_dedupes"));
  return reached.map((source): PathGuarantee => {
    const ofSource = blueprint.sources.find(({ name }) => name === source)?.plan.guaranteeNote;
    const note = ofSource ? `${ofSinkAlone}; ${ofSource}` : ofSinkAlone;
    const path = { pipeline: blueprint.name, source, sink: sink.name, guarantee, weakest: linkName(sink.name, blueprint.name), note };
    if (guarantee !== "exactly-once") {
      const strengthen = sink.plan.guaranteeHint ?? `a table or file sink beside "${sink.name}" holds each record once`;
      return { ...path, strengthen };
    }
    const repeats = repeatsInto(source, blueprint, project, new Set());
    if (!repeats) return path;
    if (!undeduplicated.has(source)) {
      return { ...path, note: `${note}; repeats from ${linkName(repeats.sink, repeats.pipeline)} are dropped by a dedupe on the way` };
    }
    return {
      ...path,
      guarantee: "at-least-once",
      weakest: linkName(repeats.sink, repeats.pipeline),
      note: `"${source}" reads what that sink writes: ${repeats.note}`,
      ...strengthenedBy(source, sink, repeats),
    };
  });
}

function strengthenedBy(source: string, sink: SinkBlueprint, { hint }: Repeats): { readonly strengthen?: string } {
  // What a source refuses never comes to a dedupe; its place is kept beside it and tells two apart.
  const isForRejects = sink.inputs.every(({ port }) => port === "rejected");
  const ways = [hint, isForRejects ? undefined : `a dedupe behind "${source}", by the record's id, drops the repeats`];
  const known = ways.filter((way) => way !== undefined);
  return known.length === 0 ? {} : { strengthen: known.join("; or ") };
}

const linkName = (sink: string, pipeline: string): string => `sink "${sink}" of ${pipeline}`;

/** The sink, here or further up, that may repeat what the source reads. `seen`: pipelines on the way, for projects that feed themselves. */
function repeatsInto(source: string, blueprint: PipelineBlueprint, project: Project, seen: ReadonlySet<string>): Repeats | null {
  const place = blueprint.sources.find(({ name }) => name === source)?.plan.place;
  if (place === undefined) return null;
  for (const writer of project.pipelines) {
    if (seen.has(writer.name)) continue;
    for (const sink of writer.sinks) {
      if (sink.plan.place !== place) continue;
      if (sink.plan.guarantee !== "exactly-once") {
        return { pipeline: writer.name, sink: sink.name, note: sink.plan.guaranteeNote, hint: sink.plan.guaranteeHint };
      }
      for (const earlier of sourcesOf(writer, sink.inputs, "past_dedupes")) {
        const repeats = repeatsInto(earlier, writer, project, new Set([...seen, blueprint.name, writer.name]));
        if (repeats) return repeats;
      }
    }
  }
  return null;
}

/** The sources that lead to the edges, in the order of the file. "past_dedupes": only those with a way around every dedupe. */
function sourcesOf(blueprint: PipelineBlueprint, edges: readonly Edge[], which: "all" | "past_dedupes"): string[] {
  const seen = new Set<string>();
  const visit = ({ from, port }: Edge): void => {
    const transform = blueprint.transforms.find((candidate) => candidate.name === from);
    if (which === "past_dedupes" && transform?.type === "dedupe" && port === "out") return;
    if (seen.has(from)) return;
    seen.add(from);
    transform?.inputs.flat().forEach(visit);
  };
  edges.forEach(visit);
  return blueprint.sources.map((source) => source.name).filter((name) => seen.has(name));
}
