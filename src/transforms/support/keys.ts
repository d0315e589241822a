/** Which values can be keys of state. */
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

/** A nullable bool as a key part. */
export const boolPart = (value: boolean | null): number | null => value === null ? null : value ? 1 : 0;
