/**
 * The typed tree, between checking and emitting. Invariant: a node whose type is not nullable never gives null at run time,
 * provided the paths it relies on (`narrowedBy`) are not null.
 */
import type { RoundingMode } from "../data/decimal.ts";
import type { Type } from "../data/types.ts";

/** What the emission of a call may use. */
export interface Emitter {
  /** The name under which the code sees a helper or a constant. */
  use(value: unknown, hint: string): string;
  /** A local that lives as long as the evaluation. */
  temporary(): string;
  /** Runs `code` once and hands a cheap name for its value to `then`. */
  once(code: string, then: (value: string) => string): string;
}
/** Code for a call from the code of its arguments, which are evaluated in any number and order unless `once` is used. */
export type Emission = (args: readonly string[], emitter: Emitter) => string;

interface Base {
  readonly type: Type;
  readonly at: number;
  /** Whether evaluation can throw an EvaluationError. */
  readonly canFail: boolean;
}
export interface ConstantNode extends Base {
  readonly op: "constant";
  readonly value: unknown;
  /** Written as a decimal literal, which becomes a double beside a double. */
  readonly literal: boolean;
}
export interface PathNode extends Base {
  readonly op: "path";
  readonly root: string;
  /** The JavaScript name, for the variable of a comprehension. */
  readonly local: string | null;
  readonly fields: readonly string[];
  /** Types along the path, as if nothing were narrowed: types[0] is the root's, types[i] that of fields[i - 1]. */
  readonly types: readonly Type[];
  /** Nullable prefixes that are known not to be null here. */
  readonly narrowedBy: readonly string[];
  /** What a bool variable says about other paths (Scope.facts). */
  readonly facts?: { readonly whenTrue: ReadonlySet<string>; readonly whenFalse: ReadonlySet<string> };
}
/** A field of a computed struct. */
export interface SelectNode extends Base {
  readonly op: "select";
  readonly operand: Node;
  readonly field: string;
}
export interface NullTestNode extends Base {
  readonly op: "null_test";
  readonly operand: Node;
  /** What the test gives when the operand is null. */
  readonly whenNull: boolean;
}
export interface CallNode extends Base {
  readonly op: "call";
  readonly name: string;
  readonly args: readonly Node[];
  readonly emit: Emission;
  /** What the call makes of the list args[0], where one loop over it can: then the list need not be made. */
  readonly fold?: Fold;
}
/** How a value follows from a list, element by element. */
export type Fold =
  | { readonly kind: "size" | "first" | "last" | "least" | "greatest" | "distinct" }
  | { readonly kind: "sum"; readonly numbers: "exact" | "double" }
  | {
    readonly kind: "average";
    readonly numbers: "exact";
    readonly scale: number;
    readonly places: number;
    readonly mode: RoundingMode;
  }
  | { readonly kind: "average"; readonly numbers: "double" };
export interface ConditionalNode extends Base {
  readonly op: "if";
  readonly condition: Node;
  readonly then: Node;
  readonly otherwise: Node;
}
export interface LogicNode extends Base {
  readonly op: "and" | "or";
  readonly left: Node;
  readonly right: Node;
  /** Paths not null because of what `left` says: where `left` failed, `right` may only be evaluated when they are not. */
  readonly guards: readonly PathNode[];
}
export interface MacroNode extends Base {
  readonly op: "macro";
  readonly macro: "all" | "exists" | "exists_one" | "filter" | "map";
  readonly range: Node;
  readonly variable: string;
  readonly test: Node | null;
  readonly step: Node | null;
}
export type Node =
  | ConstantNode
  | PathNode
  | SelectNode
  | NullTestNode
  | CallNode
  | ConditionalNode
  | LogicNode
  | MacroNode;

/** A node's operands, left to right. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.op) {
    case "constant":
    case "path":
      return [];
    case "select":
    case "null_test":
      return [node.operand];
    case "call":
      return node.args;
    case "if":
      return [node.condition, node.then, node.otherwise];
    case "and":
    case "or":
      return [node.left, node.right];
    case "macro":
      return [node.range, ...(node.test === null ? [] : [node.test]), ...(node.step === null ? [] : [node.step])];
  }
}

/** "customer.address": how narrowing and `uses` name a path. */
export function pathText(node: PathNode): string {
  return [node.root, ...node.fields].join(".");
}

/** All path nodes in the tree, those of comprehension variables included. */
export function* pathsOf(node: Node): Iterable<PathNode> {
  if (node.op === "path") yield node;
  for (const child of childrenOf(node)) yield* pathsOf(child);
}
