/**
 * What a condition says about null when it is true and when it is false. Invariant: only sound conclusions; a path that is
 * not null carries all its prefixes with it.
 */
import type { Node, PathNode } from "../tree.ts";
import { intersection, union } from "./context.ts";

/** Paths that are not null, by the outcome of a condition. */
export interface Facts {
  readonly whenTrue: ReadonlySet<string>;
  readonly whenFalse: ReadonlySet<string>;
}
const NONE: ReadonlySet<string> = new Set();
const NOTHING_KNOWN: Facts = { whenTrue: NONE, whenFalse: NONE };

/** The facts of a bool node; of any other node, none. */
export function factsOf(node: Node): Facts {
  switch (node.op) {
    case "path":
      return node.facts ?? NOTHING_KNOWN;
    case "null_test":
      return node.operand.op === "path" ? known(node.operand, !node.whenNull) : NOTHING_KNOWN;
    case "call":
      return ofCall(node.name, node.args);
    case "and": {
      const left = factsOf(node.left);
      const right = factsOf(node.right);
      // When it is false either side may be the reason, and then the other one may even have failed.
      return { whenTrue: union(left.whenTrue, right.whenTrue), whenFalse: intersection(left.whenFalse, right.whenFalse) };
    }
    case "or": {
      const left = factsOf(node.left);
      const right = factsOf(node.right);
      return { whenTrue: intersection(left.whenTrue, right.whenTrue), whenFalse: union(left.whenFalse, right.whenFalse) };
    }
    case "if": {
      const condition = factsOf(node.condition);
      const branches = [[condition.whenTrue, node.then], [condition.whenFalse, node.otherwise]] as const;
      // A constant branch rules one outcome out: c ? x : false is true only by way of c and x.
      const outcome = (wished: boolean) => {
        const possible = branches.filter(([, branch]) => !(branch.op === "constant" && branch.value === !wished));
        const sets = possible.map(([before, branch]) => union(before, wished ? factsOf(branch).whenTrue : factsOf(branch).whenFalse));
        return sets.length === 0 ? NONE : sets.reduce(intersection);
      };
      return { whenTrue: outcome(true), whenFalse: outcome(false) };
    }
    default:
      return NOTHING_KNOWN;
  }
}

function ofCall(name: string, args: readonly Node[]): Facts {
  if (name === "!_") {
    const facts = factsOf(args[0]);
    return { whenTrue: facts.whenFalse, whenFalse: facts.whenTrue };
  }
  if (name !== "_==_" && name !== "_!=_") return NOTHING_KNOWN;
  // x == 'US' is true only for an x that is there.
  let paths = NONE;
  if (args[0].op === "path" && !args[1].type.nullable) paths = prefixes(args[0]);
  else if (args[1].op === "path" && !args[0].type.nullable) paths = prefixes(args[1]);
  return name === "_==_" ? { whenTrue: paths, whenFalse: NONE } : { whenTrue: NONE, whenFalse: paths };
}

function known(path: PathNode, outcome: boolean): Facts {
  const paths = prefixes(path);
  return outcome ? { whenTrue: paths, whenFalse: NONE } : { whenTrue: NONE, whenFalse: paths };
}
function prefixes(path: PathNode): ReadonlySet<string> {
  return new Set(Array.from({ length: path.fields.length + 1 }, (_, i) => [path.root, ...path.fields.slice(0, i)].join(".")));
}

/** The outermost paths in `node` that are only not null because of `facts`, one node each. */
export function guardsOf(node: Node, paths: Iterable<PathNode>, facts: ReadonlySet<string>): readonly PathNode[] {
  if (facts.size === 0 || node.op === "constant") return [];
  const guards = new Map<string, PathNode>();
  for (const path of paths) {
    for (const narrowed of path.narrowedBy) {
      if (!facts.has(narrowed) || guards.has(narrowed)) continue;
      const fields = narrowed === path.root ? [] : narrowed.slice(path.root.length + 1).split(".");
      guards.set(narrowed, {
        ...path,
        fields,
        types: path.types.slice(0, fields.length + 1),
        type: path.types[fields.length],
        narrowedBy: [],
      });
    }
  }
  return [...guards.values()];
}
