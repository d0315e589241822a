/** Values as people read them in reports and checks: decimals with their places, times as their field says, null as nothing. */
import { jsonText } from "../data/json/mod.ts";
import type { Field } from "../data/types.ts";

export function displayText(field: Field, value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = jsonText(field, value, {});
  return text.startsWith('"') ? JSON.parse(text) as string : text;
}
