/**
 * How types meet: the common type of two branches, what may be stored where, and the code that moves a value from one type to
 * another. Invariant: a conversion here never loses a digit; whatever would is a fault that names `round`, `double` or `decimal`.
 */
import { type Type, typeText, withNull, withoutNull } from "../data/types.ts";
import type { Emission, Node } from "./tree.ts";
import { call } from "./nodes.ts";
import { powerOfTen, scaleUp } from "./runtime/numbers.ts";

/** The item type of `[]`: no value has it, and it meets every other type. */
export const NOTHING: Type = { kind: "null", nullable: false };

/** int counts as decimal(0); null where the type has no scale. */
export function scaleOf(type: Type): number | null {
  return type.kind === "decimal" ? type.scale : type.kind === "int" ? 0 : null;
}

/** The type that holds the values of both, or null. Money and doubles never meet. */
export function commonType(left: Type, right: Type): Type | null {
  const nullable = left.nullable || right.nullable;
  const marked = (type: Type) => nullable ? withNull(type) : withoutNull(type);
  if (left.kind === "null") return right.kind === "null" && !nullable ? NOTHING : marked(right);
  if (right.kind === "null") return marked(left);
  const leftScale = scaleOf(left);
  const rightScale = scaleOf(right);
  if (leftScale !== null && rightScale !== null) {
    if (left.kind === "int" && right.kind === "int") return marked(left);
    return marked({ kind: "decimal", scale: Math.max(leftScale, rightScale), nullable });
  }
  if (left.kind === "list" && right.kind === "list") {
    const item = commonType(left.item, right.item);
    return item === null ? null : { kind: "list", item, nullable };
  }
  if (left.kind === "map" && right.kind === "map") {
    const key = commonType(left.key, right.key);
    const value = commonType(left.value, right.value);
    return key === null || value === null ? null : { kind: "map", key, value, nullable };
  }
  return typeText(withoutNull(left)) === typeText(withoutNull(right)) ? marked(left) : null;
}

/** Why a value of `from` cannot be stored as `to`. */
export interface Unassignable {
  readonly message: string;
  readonly hint?: string;
}
/** Null when `from` fits `to` without loss. */
export function assignable(from: Type, to: Type): Unassignable | null {
  if (from.nullable && !to.nullable) {
    return { message: `this may be null (${typeText(from)}), ${typeText(to)} is wished`, hint: "give it a default: coalesce(x, default)" };
  }
  if (from.kind === "null") return null;
  const refused = { message: `this is ${typeText(from)}, ${typeText(to)} is wished` };
  const fromScale = scaleOf(from);
  const toScale = scaleOf(to);
  if (fromScale !== null && toScale !== null) {
    if (fromScale <= toScale) return null;
    return { ...refused, hint: `round it knowingly: round(x, ${toScale}, 'half_even')` };
  }
  if (from.kind === "double" && toScale !== null) {
    return { ...refused, hint: `convert it knowingly: decimal(x, ${toScale}, 'half_even')` };
  }
  if (to.kind === "double" && fromScale !== null) return { ...refused, hint: "convert it knowingly: double(x)" };
  if (from.kind === "list" && to.kind === "list") return assignable(from.item, to.item) === null ? null : refused;
  if (from.kind === "map" && to.kind === "map") {
    return assignable(from.key, to.key) === null && assignable(from.value, to.value) === null ? null : refused;
  }
  if (to.kind === "json" && (from.kind === "json" || from.kind === "struct")) return null;
  if (to.kind === "string" && from.kind !== "string" && from.kind !== "json") return { ...refused, hint: "string(x) gives its text" };
  return typeText(withoutNull(from)) === typeText(withoutNull(to)) ? null : refused;
}

/** Code that turns `value` of type `from` into `to`; null when the value can stay as it is. */
export function conversion(from: Type, to: Type): Emission | null {
  const fromScale = scaleOf(from);
  const toScale = scaleOf(to);
  if (fromScale !== null && toScale !== null && toScale > fromScale) {
    const widen = widening(toScale - fromScale);
    if (!from.nullable) return widen;
    return ([value], emitter) => emitter.once(value!, (name) => `(${name} === null ? null : ${widen([name], emitter)})`);
  }
  if (from.kind === "list" && to.kind === "list") {
    const item = conversion(from.item, to.item);
    if (item === null) return null;
    return ([value], emitter) => {
      const body = item(["item"], new Nested(emitter));
      return from.nullable
        ? emitter.once(value!, (name) => `(${name} === null ? null : ${name}.map((item) => ${body}))`)
        : `${value}.map((item) => ${body})`;
    };
  }
  if (from.kind === "map" && to.kind === "map") {
    const key = conversion(from.key, to.key);
    const entry = conversion(from.value, to.value);
    if (key === null && entry === null) return null;
    return ([value], emitter) => {
      const nested = new Nested(emitter);
      const pair = `[${key?.(["entry[0]"], nested) ?? "entry[0]"}, ${entry?.(["entry[1]"], nested) ?? "entry[1]"}]`;
      const body = (name: string) => `new Map(Array.from(${name}, (entry) => ${pair}))`;
      return from.nullable ? emitter.once(value!, (name) => `(${name} === null ? null : ${body(name)})`) : body(value!);
    };
  }
  return null;
}

/** Inside a closure: temporaries of the enclosing function would be shared with it, so values go through helper calls. */
class Nested {
  readonly #outer: { use(value: unknown, hint: string): string };
  constructor(outer: { use(value: unknown, hint: string): string }) {
    this.#outer = outer;
  }
  use(value: unknown, hint: string): string {
    return this.#outer.use(value, hint);
  }
  temporary(): string {
    throw new Error("no temporaries inside a closure");
  }
  once(code: string, then: (value: string) => string): string {
    return `((once) => ${then("once")})(${code})`;
  }
}

/** Multiplies by 10^places, or overflows. */
function widening(places: number): Emission {
  const factor = powerOfTen(places);
  return ([value], emitter) => {
    if (/^-?\d+$/.test(value!) && Number.isSafeInteger(Number(value) * factor)) return String(Number(value) * factor);
    return `${emitter.use(scaleUp, "scaleUp")}(${value}, ${factor})`;
  };
}

/** The node as `to`; the node itself when nothing changes at run time. `to` must be assignable. */
export function convertNode(node: Node, to: Type): Node {
  const type = node.type.nullable ? withNull(to) : withoutNull(to);
  const emit = conversion(node.type, to);
  if (emit === null) return { ...node, type };
  if (node.op === "if") {
    return { ...node, type, then: convertNode(node.then, to), otherwise: convertNode(node.otherwise, to), canFail: true };
  }
  return call("convert", [node], type, node.at, emit, "fails");
}
