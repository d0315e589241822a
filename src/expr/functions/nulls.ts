/** coalesce: the way from a nullable value to one that is there. */
import { withNull, withoutNull } from "../../data/types.ts";
import { conversionHint, joinNodes } from "../check/joins.ts";
import { call } from "../nodes.ts";
import type { Node } from "../tree.ts";
import { defineWithNulls, type FunctionTable, type Invocation } from "./definition.ts";

/** The first argument that is not null; what stands behind one that never is null cannot matter. */
function coalesce(invocation: Invocation): Node | null {
  const { args, at, context } = invocation;
  const joined = joinNodes(args);
  if (joined === null) {
    const [left, right] = [args[0].type, args[args.length - 1].type];
    const kinds = args.map((arg) => arg.type.kind).join(", ");
    return context.report("expression-type", at, `coalesce needs values of one type, these are ${kinds}`, conversionHint(left, right));
  }
  const useful = joined.nodes.filter((node) => !(node.op === "constant" && node.value === null));
  const certain = useful.findIndex((node) => !node.type.nullable);
  const kept = certain < 0 ? useful : useful.slice(0, certain + 1);
  const type = certain < 0 ? withNull(joined.type) : withoutNull(joined.type);
  if (kept.length === 0) return joined.nodes[0];
  if (kept.length === 1) return kept[0];
  return call("coalesce", kept, type, at, (codes) => `(${codes.join(" ?? ")})`);
}

export const NULL_FUNCTIONS: FunctionTable = {
  coalesce: defineWithNulls("coalesce(x, y, ...)", coalesce),
};
