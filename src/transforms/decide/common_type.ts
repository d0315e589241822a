/** One type for a name that several branches set: the larger scale, null if any branch gives null. */
import { decimalOf, type Type, typeText, withNull, withoutNull } from "../../data/types.ts";

/** null when the types have nothing in common. */
export function commonType(types: readonly Type[]): Type | null {
  let common: Type | null = null;
  let nullable = false;
  for (const type of types) {
    nullable ||= type.nullable;
    if (type.kind === "null") continue;
    const bare: Type | null = common === null ? withoutNull(type) : join(common, withoutNull(type));
    if (bare === null) return null;
    common = bare;
  }
  if (common === null) return types.length === 0 ? null : types[0];
  return nullable ? withNull(common) : common;
}

function join(a: Type, b: Type): Type | null {
  const [scaleA, scaleB] = [scaleOf(a), scaleOf(b)];
  if (scaleA !== null && scaleB !== null) {
    const scale = Math.max(scaleA, scaleB);
    return a.kind === "int" && b.kind === "int" ? a : decimalOf(scale);
  }
  return typeText(a) === typeText(b) ? a : null;
}

function scaleOf(type: Type): number | null {
  return type.kind === "decimal" ? type.scale : type.kind === "int" ? 0 : null;
}
