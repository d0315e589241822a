/** What a topic may be called, in the embedded log as in Kafka: it is a folder's name there. */
import type { PlanContext } from "../component/component.ts";
import type { Span } from "../data/fault.ts";

/** False when a fault was reported, at the place given. */
export function checkTopicName(topic: string, at: Span, { fault }: Pick<PlanContext, "fault">): boolean {
  if (/^[A-Za-z0-9_][A-Za-z0-9._-]{0,200}$/.test(topic)) return true;
  fault(at, `"${topic}" cannot be the name of a topic`, "use letters, digits, dots, dashes and underscores");
  return false;
}
