/**
 * What a function beside the generated one is handed: everything outside that its code reads. Invariant: what is evaluated in front of it
 * cannot fail, unless it is a `let`, and code inside reads parameters, constants and its own locals only.
 */
import type { Binding, Bindings, CodeUnit } from "../contracts.ts";
import { type Node, type PathNode, pathsOf } from "../tree.ts";
import { isFree } from "./list_chain.ts";
import { literalCode, UnitEmitter } from "./unit.ts";

/** Emits inside of a loop's function. `locals` are its elements; `steady` gives the code of a text that does not change in the loop. */
export type EmitInside = (
  node: Node,
  emitter: UnitEmitter,
  locals: ReadonlyMap<string, Binding>,
  steady: (texts: string, node: Node) => string | null,
) => string;
/** Where a loop stands: how to emit outside of it, and inside. */
export interface Surroundings {
  readonly unit: CodeUnit;
  readonly bindings: Bindings;
  outside(node: Node, bindings: Bindings): string;
  readonly inside: EmitInside;
}

/** What a function beside the generated one is handed, and code inside of it. */
export class Inputs {
  readonly #around: Surroundings;
  readonly #names = new Map<string, string>();
  readonly #temporaries: string[] = [];
  readonly #front: string[] = [];
  readonly #emitter: UnitEmitter;
  /** By dictionary and text: the local for its code. */
  readonly #steady = new Map<string, string>();
  /** By dictionary: code for a value outside, and for its code there. */
  readonly #same = new Map<string, { readonly value: string; readonly code: string }>();

  constructor(around: Surroundings) {
    this.#around = around;
    this.#emitter = new UnitEmitter(around.unit, () => {
      const name = around.unit.local("t");
      this.#temporaries.push(name);
      return name;
    });
  }

  /** The parameter for a value outside. */
  take(hint: string, code: string): string {
    let name = this.#names.get(code);
    if (name === undefined) this.#names.set(code, name = this.#around.unit.local(hint));
    return name;
  }

  /** `node` with what it reads outside of the loop handed in. `inner` are the names of what changes from element to element. */
  lift(node: Node, inner: ReadonlySet<string>, bindings: Bindings): Node {
    if (node.op === "constant") return node;
    if (isFree(node, inner) && (node.op === "path" || !node.canFail && isTotal(node))) return this.#handIn(node, bindings);
    const lift = (part: Node): Node => this.lift(part, inner, bindings);
    switch (node.op) {
      case "path":
        return node;
      case "select":
      case "null_test":
        return { ...node, operand: lift(node.operand) };
      case "call":
        return { ...node, args: node.args.map(lift) };
      case "if":
        return { ...node, condition: lift(node.condition), then: lift(node.then), otherwise: lift(node.otherwise) };
      case "and":
      case "or":
        return { ...node, left: lift(node.left), right: lift(node.right), guards: node.guards.map((guard) => lift(guard) as PathNode) };
      case "macro": {
        const inside = new Set([...inner, node.variable]);
        return {
          ...node,
          range: lift(node.range),
          test: node.test && this.lift(node.test, inside, bindings),
          step: node.step && this.lift(node.step, inside, bindings),
        };
      }
    }
  }

  #handIn(node: Node, bindings: Bindings): PathNode {
    const name = this.take("v", this.#around.outside(node, bindings));
    const { type, at } = node;
    return { op: "path", root: name, local: name, fields: [], types: [type], narrowedBy: [], type, at, canFail: false };
  }

  /** The value outside is a text of this dictionary, with a code that need not be looked for. */
  knows(texts: string, same: { readonly value: string; readonly code: string }): void {
    this.#same.set(texts, same);
  }

  emit(node: Node, locals: ReadonlyMap<string, Binding>): string {
    return this.#around.inside(node, this.#emitter, locals, (texts, steady) => this.#codeOf(texts, steady));
  }

  /** The code in the dictionary of a text that is handed in, or constant. */
  #codeOf(texts: string, node: Node): string | null {
    const isParameter = node.op === "path" && node.local !== null && node.fields.length === 0 && this.#isTaken(node.local);
    if (!isParameter && node.op !== "constant") return null;
    const value = node.op === "constant" ? literalCode(node.value, this.#emitter) : (node as PathNode).local!;
    const same = this.#same.get(texts);
    if (same !== undefined && this.#names.get(same.value) === value) return this.take("code", same.code);
    const key = `${texts} ${value}`;
    let code = this.#steady.get(key);
    if (code === undefined) {
      this.#steady.set(key, code = this.#around.unit.local("code"));
      this.#front.push(`const ${code} = ${texts}.find(${value});`);
    }
    return code;
  }

  #isTaken(name: string): boolean {
    return [...this.#names.values()].includes(name);
  }

  helper(value: unknown, hint: string): string {
    return this.#around.unit.constant(value, hint);
  }

  /** Makes the function and gives the call of it. What its body does not name it is not handed. */
  call(name: string, body: string): string {
    const whole = [...this.#front, body].join("\n");
    const given = [...this.#names].filter(([, parameter]) => whole.includes(parameter));
    const declared = this.#temporaries.length === 0 ? "" : `let ${this.#temporaries.join(", ")};\n`;
    const called = this.#around.unit.helper(given.map(([, parameter]) => parameter), declared + whole, name);
    return `${called}(${given.map(([code]) => code).join(", ")})`;
  }
}

/** Whether evaluating it where it need not be does no harm: nothing in it relies on a test before it. */
function isTotal(node: Node): boolean {
  for (const path of pathsOf(node)) if (path.narrowedBy.length > 0) return false;
  return true;
}
