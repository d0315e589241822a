/**
 * One loop for what is made of a list in columns: filters, maps and what ends them run over the columns element by element, and no list is
 * made. The loop is a function beside the generated one, which is handed all that it reads. Invariant: it gives what the list's own
 * functions would give; it fails where they would, though perhaps for another reason where there are several.
 *
 * What does not change from element to element is evaluated once, in front, where it cannot fail. So is a `let` that the loop reads.
 */
import { firstAbove, firstAtLeast } from "../../data/ascending.ts";
import type { Type } from "../../data/types.ts";
import type { Binding, Bindings, ColumnMember } from "../contracts.ts";
import * as folds from "../runtime/folds.ts";
import type { Node } from "../tree.ts";
import { boundsOf, type Chain, type Stage } from "./list_chain.ts";
import { type Element, type Ending, LoopEndings, rangeOfEnding } from "./list_endings.ts";
import { Inputs, type Surroundings } from "./list_inputs.ts";

/** Two places in one number, less than 2^26 each; -1 where they could not be found. */
const RANGE_FACTOR = 2 ** 26;
const NO_RANGE = -1;

/** Code that evaluates the chain and its ending. */
export function emitLoop(chain: Chain, ending: Ending, item: Type, around: Surroundings): string {
  const { columns, stages } = chain;
  if (ending.kind === "size" && stages.length === 0) return `(${columns.to} - ${columns.from}${columns.without === null ? "" : " - 1"})`;
  const bounded = withRange(chain, ending, around);
  return new LoopWriter(bounded.chain, item, around).write(bounded.ending ?? ending);
}

/** The chain with the places of its first filter looked for once, by binary search. */
export function withRange(
  chain: Chain,
  ending: Ending | null,
  around: Surroundings,
): { readonly chain: Chain; readonly ending: Ending | null; readonly found: "range" | "none" } {
  const { columns, stages } = chain;
  if (columns.ascending === null || stages.some(({ range }) => range !== undefined)) return { chain, ending, found: "none" };
  const [first] = stages;
  if (first?.kind === "filter") {
    const range = rangeOf(first, chain, around);
    return range === null
      ? { chain, ending, found: "none" }
      : { chain: { columns, stages: [{ ...first, range }, ...stages.slice(1)] }, ending, found: "range" };
  }
  // What exists is what passes a filter.
  if (first !== undefined || ending === null || ending.kind !== "exists" && ending.kind !== "exists_one") {
    return { chain, ending, found: "none" };
  }
  const test: Stage = { kind: "filter", variable: ending.variable, node: ending.test, bindings: around.bindings };
  const range = rangeOf(test, chain, around);
  if (range === null) return { chain, ending, found: "none" };
  return { chain, ending: { ...ending, range }, found: "range" };
}

function rangeOf(stage: Stage, { columns }: Chain, around: Surroundings): NonNullable<Stage["range"]> | null {
  const { bounds, rest } = boundsOf(stage.node, stage.variable, columns.ascending!);
  const member = columns.members.get(columns.ascending!);
  if (bounds.length === 0 || member === undefined || member.kind !== "number") return null;
  const inputs = new Inputs(around);
  const [from, to, values] = [inputs.take("from", columns.from), inputs.take("to", columns.to), inputs.take("values", member.values)];
  const lines = bounds.map(({ relation, bound }) => {
    const value = inputs.emit(inputs.lift(bound, new Set(), stage.bindings), new Map());
    const search = around.unit.constant(
      relation === ">=" || relation === "<" ? firstAtLeast : firstAbove,
      relation === ">=" || relation === "<" ? "firstAtLeast" : "firstAbove",
    );
    return `${relation.startsWith(">") ? "low" : "high"} = ${search}(${values}, low, high, ${value});`;
  });
  const found = [`let low = ${from}, high = ${to};`, ...lines, `return low * ${RANGE_FACTOR} + high;`].join("\n");
  const fails = bounds.some(({ bound }) => bound.canFail);
  const failed = around.unit.constant(folds.failureOf, "failureOf");
  const body = fails ? `try {\n${found}\n} catch (error) { ${failed}(null, error); return ${NO_RANGE}; }` : found;
  return { code: inputs.call("range", body), rest };
}

class LoopWriter {
  readonly #chain: Chain;
  readonly #item: Type;
  readonly #inputs: Inputs;
  readonly #around: Surroundings;

  constructor(chain: Chain, item: Type, around: Surroundings) {
    this.#chain = chain;
    this.#item = item;
    this.#around = around;
    this.#inputs = new Inputs(around);
  }

  write(ending: Ending): string {
    const { columns, stages } = this.#chain;
    const inputs = this.#inputs;
    const { element, steps } = this.#steps(stages);
    const endings = new LoopEndings(inputs, (test, from) => this.#test(test, from, this.#around.bindings));
    const parts = endings.ending(ending, element, stages.some(({ node }) => node.canFail));
    const from = inputs.take("from", columns.from);
    const to = inputs.take("to", columns.to);
    const range = stages.find((stage) => stage.range)?.range ?? rangeOfEnding(ending);
    const lines = [`let low = ${from}, high = ${to};`];
    if (range !== undefined) {
      const name = inputs.take("range", range.code);
      lines.push(`const exact = ${name} >= 0;`);
      lines.push(`if (exact) { low = Math.floor(${name} / ${RANGE_FACTOR}); high = ${name} - low * ${RANGE_FACTOR}; }`);
      if (ending.kind === "size" && stages.length === 1 && range.rest === null && columns.without === null) {
        lines.push("if (exact) return high - low;");
      }
    }
    lines.push(parts.before);
    const backwards = parts.order === "backwards";
    lines.push(backwards ? "for (let i = high - 1; i >= low; i--) {" : "for (let i = low; i < high; i++) {");
    if (columns.without !== null) lines.push(`if (i === ${inputs.take("without", columns.without)}) continue;`);
    lines.push(...steps, parts.each, "}", parts.after);
    return inputs.call(ending.kind, lines.filter((line) => line !== "").join("\n"));
  }

  /** Statements that bring one element through the stages, or leave it by `continue`. */
  #steps(stages: readonly Stage[]): { readonly element: Element; readonly steps: readonly string[] } {
    const steps: string[] = [];
    let element: Element = { type: ROW_TYPE, binding: this.#row() };
    for (const stage of stages) {
      if (stage.kind === "filter") {
        steps.push(`if (!(${this.#test(stage, element, stage.bindings)})) continue;`);
        continue;
      }
      const lifted = this.#inputs.lift(stage.node, new Set([stage.variable]), stage.bindings);
      element = this.#mapped(lifted, stage.variable, element, steps);
    }
    return { element: stages.some(({ kind }) => kind === "map") ? element : { ...element, type: this.#item }, steps };
  }

  #test({ node, variable, range }: Pick<Stage, "node" | "variable" | "range">, { binding }: Element, bindings: Bindings): string {
    const emit = (test: Node): string => {
      const lifted = this.#inputs.lift(test, new Set([variable]), bindings);
      return this.#inputs.emit(lifted, new Map([[variable, binding]]));
    };
    if (range === undefined) return emit(node);
    return `exact ? ${range.rest === null ? "true" : emit(range.rest)} : ${emit(node)}`;
  }

  /** A member stays what it is in its column; anything else becomes a local. */
  #mapped(step: Node, variable: string, { binding }: Element, steps: string[]): Element {
    if (step.op === "path" && step.local === variable && step.fields.length === 0) return { type: step.type, binding };
    const member = step.op === "path" && step.local === variable && step.fields.length === 1
      ? binding.fields?.get(step.fields[0])
      : undefined;
    if (member?.coded !== undefined) return { type: step.type, binding: member };
    const value = this.#around.unit.local("value");
    steps.push(`const ${value} = ${this.#inputs.emit(step, new Map([[variable, binding]]))};`);
    return { type: step.type, binding: { code: value } };
  }

  /** The element at place `i` of the columns. */
  #row(): Binding {
    const { members } = this.#chain.columns;
    const fields = new Map<string, Binding>();
    for (const [name, member] of members) fields.set(name, lazily(() => this.#member(name, member)));
    return {
      get code() {
        return `({${[...fields].map(([name, binding]) => `${JSON.stringify(name)}: ${binding.code}`).join(", ")}})`;
      },
      fields,
    };
  }

  #member(name: string, member: ColumnMember): Binding {
    const inputs = this.#inputs;
    const place = `${inputs.take(name, member.values)}[i]`;
    switch (member.kind) {
      case "value":
        return { code: place };
      case "text": {
        const texts = inputs.take("texts", member.texts);
        if (member.same !== null) {
          const { value, at } = member.same;
          inputs.knows(texts, { value, code: `(${at} < 0 ? ${member.texts}.find(${value}) : ${member.values}[${at}])` });
        }
        return { code: `${texts}.at(${place})`, isNull: `${place} < 0`, coded: { code: place, texts } };
      }
      case "number": {
        const value = member.type.kind === "bool" ? `(${place} === 1)` : place;
        if (member.valid === null) return { code: value };
        const missing = `${inputs.take("valid", member.valid)}[i] === 0`;
        return { code: `(${missing} ? null : ${value})`, isNull: missing };
      }
    }
  }
}

const ROW_TYPE: Type = { kind: "struct", fields: [], nullable: false };

/** A binding that is made when it is first asked for: only what is read is handed to the loop. */
function lazily(make: () => Binding): Binding {
  let made: Binding | null = null;
  const get = (): Binding => made ??= make();
  return {
    get code() {
      return get().code;
    },
    get isNull() {
      return get().isNull;
    },
    get coded() {
      return get().coded;
    },
  };
}
