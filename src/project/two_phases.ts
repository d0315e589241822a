/**
 * A transform that is done in two phases, as the three that do it: the first phase where it stands, an exchange, and the second phase under
 * its own name. Invariant: whoever reads the transform reads the second phase's output, and the first one's other ports.
 */
import type { TransformPlan } from "../component/component.ts";
import { assert } from "../data/fault.ts";
import type { PlacedEdge } from "./graph.ts";
import type { PlannedTransform } from "./plan_transforms.ts";
import type { WholePipeline } from "./stages.ts";

/** The first phase, which people see in counters, and what lies between. */
const firstName = (transform: string): string => `${transform}:lanes`;
const betweenName = (transform: string): string => `${transform}:partial`;

/** The pipeline with every such transform replaced. */
export function expandPhases(whole: WholePipeline): WholePipeline {
  const inTwo = new Set(whole.transforms.filter(({ plan }) => plan.phases).map(({ name }) => name));
  if (inTwo.size === 0) return whole;
  const expand = (transforms: readonly PlannedTransform[]) =>
    transforms.map((transform) => redirected(transform, inTwo)).flatMap((transform) =>
      transform.plan.phases ? phasesOf(transform, whole) : [transform]
    );
  const [transforms, visible] = [expand(whole.transforms), expand(whole.visible)];
  const sinks = whole.sinks.map((sink) => ({ ...sink, edges: redirectedEdges(sink.edges, inTwo) }));
  const rest = whole.rest === null ? null : sinks[whole.sinks.indexOf(whole.rest)];
  const between = new Map(transforms.flatMap(({ name, plan }) => name.endsWith(betweenName("")) ? [[name, fieldsOf(plan)] as const] : []));
  return { ...whole, transforms, visible, sinks, rest, neededOf: (node) => between.get(node) ?? whole.neededOf(node) };
}

const fieldsOf = (plan: TransformPlan): ReadonlySet<string> => new Set(plan.outputs.get("out")!.fields.map(({ name }) => name));

function phasesOf(transform: PlannedTransform, { ports, blueprint, planning }: WholePipeline): PlannedTransform[] {
  const { name, span, plan, inputs, settings } = transform;
  assert(plan.phases, `"${name}" is done in two phases`);
  if (blueprint.sources.every(({ time }) => time?.field === null)) {
    // A lane without rows would have to say every moment that its clock goes on.
    const message = `the windows of "${name}" close by the clock, which is not done in two phases`;
    planning.settings.faults.add("configuration", settings.at("two_phase"), message, "repartition the rows by the key");
  }
  const { first, exchange, second } = plan.phases;
  const [own, between] = [firstName(name), betweenName(name)];
  const type = first.outputs.get("out")!;
  ports.set(own, first.outputs, ports.latenessMicros(inputs.flat()));
  const passing: TransformPlan = {
    outputs: new Map([["out", type]]),
    needs: () => [fieldsOf(first)],
    keyedBy: null,
    needsEnd: false,
    exchange,
    create: () => {
      throw new Error("what lies between stages is no operator");
    },
  };
  const reading = (from: string) => {
    const edges = [{ from, port: "out", span }];
    return { edges, inputs: [edges], tables: [] };
  };
  return [
    { ...transform, name: own, plan: first },
    { ...transform, ...reading(own), name: between, plan: passing },
    { ...transform, ...reading(between), plan: second },
  ];
}

function redirected(transform: PlannedTransform, inTwo: ReadonlySet<string>): PlannedTransform {
  const inputs = transform.inputs.map((edges) => redirectedEdges(edges, inTwo));
  return { ...transform, inputs, edges: inputs.flat() };
}

/** Rejects come from both phases, results from the second, what is late from the first. */
function redirectedEdges(edges: readonly PlacedEdge[], inTwo: ReadonlySet<string>): readonly PlacedEdge[] {
  return edges.flatMap((edge) => {
    if (!inTwo.has(edge.from) || edge.port === "out") return [edge];
    const first = { ...edge, from: firstName(edge.from) };
    return edge.port === "rejected" ? [first, edge] : [first];
  });
}
