/** Names inside transforms: which are reserved, and which known name a misspelt one was probably meant to be. */

/** Variables of our own; a field may carry such a name, a `let`, `state` or `lookup` may not. */
const RESERVED: ReadonlySet<string> = new Set([
  "params",
  "meta",
  "old",
  "right",
  "code",
  "matched",
  "points",
  "this",
  "true",
  "false",
  "null",
]);

/** Why `name` cannot be given to a variable of a transform; null when it can. */
export function nameFault(name: string): string | null {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return `"${name}" is not a name: letters, digits and _ only, no digit first`;
  return RESERVED.has(name) ? `"${name}" already means something else in expressions` : null;
}

/** A hint that names the nearest of the `known` names, else lists them. */
export function nearestHint(name: string, known: Iterable<string>): string {
  const names = [...known];
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  if (best !== null) return `did you mean "${best}"?`;
  return names.length === 0 ? "there is none" : `known: ${names.join(", ")}`;
}

/** Optimal string alignment: insert, delete, replace, swap of neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length];
}

/** Identifiers that an expression may read as variables: outside of text, not behind a dot. May name too many, never too few. */
export function identifiersIn(text: string): Set<string> {
  const found = new Set<string>();
  const token =
    /[rR]?("""|''')[^]*?\1|[rR]"[^"\n]*"|[rR]'[^'\n]*'|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\/[^\n]*|\.\s*[A-Za-z_]\w*|[A-Za-z_]\w*/g;
  for (const [match] of text.matchAll(token)) {
    if (/^[A-Za-z_]\w*$/.test(match)) found.add(match);
    // `this.package` reads the variable `package`: behind a dot, yet a variable.
    else if (match.startsWith(".")) found.add(match.slice(1).trim());
  }
  return found;
}
