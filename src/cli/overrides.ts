/** `--set NAME=VALUE`, several times, as a map. */
import { MillraceError } from "../data/fault.ts";

export function parseOverrides(words: readonly string[]): ReadonlyMap<string, string> {
  const overrides = new Map<string, string>();
  for (const word of words) {
    const at = word.indexOf("=");
    if (at <= 0) {
      throw new MillraceError("usage", `--set ${word}: not of the form NAME=VALUE`, { hint: "for example --set params.output=/tmp/x" });
    }
    overrides.set(word.slice(0, at), word.slice(at + 1));
  }
  return overrides;
}
