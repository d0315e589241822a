/**
 * Which values can be keys of state, and the names of what is stored. Invariant: a name tells the type, so that state of another
 * type (decimal(2) read as decimal(3)) is refused by its layout, never misread.
 */
import { type Type, typeText } from "../../data/types.ts";
import type { Checked } from "../../expr/contracts.ts";
import type { PlanChecker } from "./plan_checker.ts";

/** The kind of key part for a type; null when such a value cannot be a key. */
export function keyKind(type: Type): "number" | "text" | null {
  switch (type.kind) {
    case "int":
    case "decimal":
    case "timestamp":
    case "date":
    case "duration":
    case "bool":
      return "number";
    case "string":
      return "text";
    default:
      return null;
  }
}

/** Like `keyKind`, but reports a fault where `what` cannot be a key. */
export function requireKeyKind(checked: Checked, what: string, checker: PlanChecker): "number" | "text" | null {
  const kind = keyKind(checked.type);
  if (kind === null) {
    const hint = "keys are int, decimal, string, bool, timestamp, date or duration";
    checker.fault(checked.source.span, `${what} cannot be a ${typeText(checked.type)}`, hint);
  }
  return kind;
}

/** The name of a stored value: "pending: decimal(2)?". */
export function typedName(name: string, type: Type): string {
  return `${name}: ${typeText(type)}`;
}

/** The name of a state table with these keys: "seen(string, int)". */
export function keyedName(name: string, keys: readonly Type[]): string {
  return `${name}(${keys.map(typeText).join(", ")})`;
}

/** A nullable bool as a key part. */
export const boolPart = (value: boolean | null): number | null => value === null ? null : value ? 1 : 0;
