/**
 * Collects what generated code closes over, and compiles it. Invariant: generated code contains no text of the user's beyond
 * JSON-quoted literals; everything else comes in as a named constant.
 */
import { sourceName } from "../../data/source_name.ts";
import type { CodeUnit } from "../contracts.ts";
import type { Emitter } from "../tree.ts";

const IDENTIFIER_PART = /[^A-Za-z0-9_]/g;

/** The one implementation of CodeUnit. */
export class Unit implements CodeUnit {
  readonly #names = new Map<unknown, string>();
  readonly #declared: string[] = [];
  readonly #helpers: string[] = [];
  #next = 0;

  constant(value: unknown, hint = "constant"): string {
    const known = this.#names.get(value);
    if (known !== undefined) return known;
    const name = this.local(hint);
    this.#names.set(value, name);
    return name;
  }
  local(hint = "local"): string {
    return `${hint.replace(IDENTIFIER_PART, "_")}$${this.#next++}`;
  }
  temporary(): string {
    const name = this.local("t");
    this.#declared.push(name);
    return name;
  }
  helper(parameters: readonly string[], body: string, name: string): string {
    const unique = this.local(name);
    this.#helpers.push(`function ${unique}(${parameters.join(", ")}) {\n${body}\n}\n`);
    return unique;
  }
  build<F>(parameters: readonly string[], body: string, name = "expression"): F {
    const temporaries = this.#declared.length === 0 ? "" : `let ${this.#declared.join(", ")};\n`;
    const source = `"use strict";\n${this.#helpers.join("")}return function ${name.replace(IDENTIFIER_PART, "_")}(${
      parameters.join(", ")
    }) {\n${temporaries}${body}\n};${sourceName(name)}`;
    return new Function(...this.#names.values(), source)(...this.#names.keys()) as F;
  }
}

/** The emitter at the top level of generated code; temporaries are declared by the unit. */
export class UnitEmitter implements Emitter {
  readonly #unit: CodeUnit;
  readonly #temporary: () => string;
  constructor(unit: CodeUnit, temporary: () => string = () => unit.temporary()) {
    this.#unit = unit;
    this.#temporary = temporary;
  }
  use(value: unknown, hint: string): string {
    return this.#unit.constant(value, hint);
  }
  temporary(): string {
    return this.#temporary();
  }
  once(code: string, then: (value: string) => string): string {
    if (isCheap(code)) return then(code);
    const name = this.temporary();
    return `(${name} = ${code}, ${then(name)})`;
  }
}

/** A name, a number, a constant text, or one element of a named array: as cheap as a local. */
export function isCheap(code: string): boolean {
  return /^(?:[\w$]+(?:\[[\w$]+\])?|-?[\d.]+|"(?:[^"\\]|\\.)*")$/.test(code);
}

/** A constant in generated code: written out where it has a literal, else closed over. */
export function literalCode(value: unknown, emitter: Emitter): string {
  if (value === null) return "null";
  if (typeof value === "string" || typeof value === "boolean") return JSON.stringify(value);
  // A negative number in brackets: a - -1 would be two operators, and x--1 another one.
  if (typeof value === "number") return value < 0 || Object.is(value, -0) ? `(${String(value)})` : String(value);
  return emitter.use(value, "constant");
}

/** Evaluates one call on constant operands at check time. */
export function runConstant(emit: (emitter: Emitter, literals: readonly string[]) => string, operands: readonly unknown[]): unknown {
  const unit = new Unit();
  const emitter = new UnitEmitter(unit);
  const code = emit(emitter, operands.map((operand) => literalCode(operand, emitter)));
  return unit.build<() => unknown>([], `return ${code};`)();
}
