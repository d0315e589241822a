/**
 * Folders named after values, as Hive does and its readers expect: `name=value/name=value`, the values escaped like parts of a
 * URL, null and "" as one. Invariant: what is made here is one folder a level, and `partitionValues` reads it back.
 */
import { createHash } from "node:crypto";

const NOTHING = "__HIVE_DEFAULT_PARTITION__";
/** A file system takes 255 bytes for one name. */
const ESCAPED_LENGTH_MAX = 150;
const DIGEST_LENGTH = 16;

/** The path of a partition; `texts` in the order of `names`, null for null. */
export function partitionPath(names: readonly string[], texts: readonly (string | null)[]): string {
  return names.map((name, i) => `${name}=${escaped(texts[i])}`).join("/");
}

/** Name to text. A text too long for a name of a folder ends in "~" and a digest. */
export function partitionValues(path: string): Record<string, string | null> {
  if (path === "") return {};
  return Object.fromEntries(
    path.split("/").map((step) => {
      const equals = step.indexOf("=");
      const value = step.slice(equals + 1);
      return [step.slice(0, equals), value === NOTHING ? null : decodeURIComponent(value)];
    }),
  );
}

function escaped(text: string | null): string {
  if (text === null || text === "") return NOTHING;
  if (text === "." || text === "..") return "%2E".repeat(text.length);
  let safe = "";
  for (const character of text.toWellFormed()) {
    // encodeURIComponent leaves some marks that shells, globs and object stores treat as their own.
    const next = encodeURIComponent(character).replaceAll(/[!'()*~]/g, hex);
    if (safe.length + next.length > ESCAPED_LENGTH_MAX) {
      return `${safe}~${createHash("sha256").update(text).digest("hex").slice(0, DIGEST_LENGTH)}`;
    }
    safe += next;
  }
  return safe;
}

const hex = (mark: string): string => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`;
