/** Reads the notation of types ("decimal(2)?", "list<string>") where a transform's own setting holds one: a state's `as`. */
import type { Type } from "../../data/types.ts";

const PLAIN: ReadonlySet<string> = new Set(["int", "double", "string", "bool", "timestamp", "date", "duration", "json"]);
/** A decimal with more places leaves no room before the point in 2^53. */
const SCALE_MAX = 15;

/** null when `text` is not a type. */
export function parseTypeText(text: string): Type | null {
  const trimmed = text.trim();
  const nullable = trimmed.endsWith("?");
  const bare = nullable ? trimmed.slice(0, -1).trim() : trimmed;
  if (PLAIN.has(bare)) return { kind: bare as "int", nullable };
  const decimal = /^decimal\(\s*(\d{1,2})\s*\)$/.exec(bare);
  if (decimal) {
    const scale = Number(decimal[1]);
    return scale <= SCALE_MAX ? { kind: "decimal", scale, nullable } : null;
  }
  const list = /^list<(.*)>$/.exec(bare);
  if (list) {
    const item = parseTypeText(list[1]);
    return item && { kind: "list", item, nullable };
  }
  return null;
}
