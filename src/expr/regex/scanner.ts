/**
 * Generated code for patterns that need no backtracking, because whatever follows a repetition cannot begin inside it. The
 * conditions below are checked, not assumed; a pattern that fails one of them runs on RE2. Work is linear in the text:
 * unbounded repetitions behind the first one hold no character that an attempt can start with, and a first one is skipped
 * as a whole when an attempt fails. A pattern that ends with `$` is read from the end of the text instead, where that is as
 * plain: it then looks at the characters of the match and one more.
 */
import { sourceName } from "../../data/source_name.ts";
import { type CharClass, classTest, DOT, intersects, isHomogeneous, WORD } from "./char_class.ts";
import { type Item, readSequence } from "./sequence.ts";

export interface Scanner {
  /** Whether the pattern matches somewhere. */
  readonly matches: (text: string) => boolean;
  /** A function giving a group of the first match (0: the whole), null without one. */
  extractor(group: number): (text: string) => string | null;
}
type ClassItem = Extract<Item, { kind: "class" }>;

/** What an attempt looks like: anchored, searched, from the end, or the last place of a line (a pattern that begins with .*). */
interface Plan {
  readonly search: "anchored" | "forward" | "backward" | "last_in_line" | "last_in_first_line";
  readonly items: readonly Item[];
  /** Index of the first class item. */
  readonly first: number;
}

/** A scanner for the pattern, or null when it is not plainly linear. The pattern is known to be valid for RE2. */
export function compileScanner(pattern: string): Scanner | null {
  const items = readSequence(pattern);
  const plan = items === null ? null : planOf(items);
  if (plan === null) return null;
  return {
    matches: generate(plan, "return true;", "false") as (text: string) => boolean,
    extractor: (group) => generate(plan, `return text.slice(from${group}, to${group});`, "null") as (text: string) => string | null,
  };
}

function planOf(sequence: readonly Item[]): Plan | null {
  const anchored = sequence[0]?.kind === "start";
  const unanchored = anchored ? sequence.slice(1) : sequence;
  if (unanchored.some((item) => item.kind === "start")) return null;
  const head = unanchored[0];
  const lastOnly = head?.kind === "class" && head.set === DOT && head.min === 0 && head.max === Infinity;
  const items = lastOnly ? unanchored.slice(1) : unanchored;
  const first = items.findIndex((item) => item.kind === "class");
  if (first >= 0 && !anchored && !lastOnly && endsPlainly(items)) return { search: "backward", items, first };
  if (first < 0 || !items.every((item, i) => item.kind !== "class" || isDeterministic(item, items.slice(i + 1)))) return null;
  const start = items[first] as ClassItem;
  if (lastOnly) {
    const bounded = items.every((item) => item.kind !== "class" || item.max < Infinity);
    return bounded && start.min > 0 ? { search: anchored ? "last_in_first_line" : "last_in_line", items, first } : null;
  }
  if (anchored) return { search: "anchored", items, first };
  return start.min > 0 && isLinear(items, first) ? { search: "forward", items, first } : null;
}

/**
 * Whether `$` ends the pattern and every repetition before it may take all it can from the right. Then there is one way to match
 * up to the end: what a repetition left over could only belong to its left neighbours, which hold none of its characters; the
 * first one takes all because the leftmost match is wanted.
 */
function endsPlainly(items: readonly Item[]): boolean {
  const end = items.findIndex((item) => item.kind === "end");
  if (end < 0 || items.slice(end + 1).some((item) => item.kind !== "close")) return false;
  if (items.some((item) => item.kind === "boundary" || item.kind === "not_boundary")) return false;
  return items.every((item, i) => item.kind !== "class" || isDeterministic(item, items.slice(0, i).reverse()));
}

/**
 * Whether a repetition may take all it can. Giving some back would put one of its own characters before what follows, so it
 * is enough that what follows cannot begin with one.
 */
function isDeterministic(item: ClassItem, rest: readonly Item[]): boolean {
  if (item.min === item.max) return true;
  let boundaryFollows = false;
  for (const next of rest) {
    switch (next.kind) {
      case "class":
        if (intersects(item.set, next.set)) return false;
        if (next.min > 0) return true;
        break;
      case "end":
        return true;
      case "boundary":
        boundaryFollows = true;
        break;
      case "not_boundary":
        return false;
    }
  }
  // Nothing has to follow: the longest run is wanted, unless a boundary might be met only by a shorter one.
  return !boundaryFollows || (item.min > 0 && isHomogeneous(item.set));
}

function isLinear(items: readonly Item[], first: number): boolean {
  const start = items[first] as ClassItem;
  const boundaryBefore = items.slice(0, first).some((item) => item.kind === "boundary" || item.kind === "not_boundary");
  // Inside a skipped run no attempt may succeed: a boundary there would make it depend on the place.
  if (start.max === Infinity && boundaryBefore && !isHomogeneous(start.set)) return false;
  if (start.max === Infinity && items.slice(0, first).some((item) => item.kind === "not_boundary")) return false;
  return items.every((item, i) => {
    if (i <= first || item.kind !== "class" || item.max < Infinity) return true;
    return !intersects(item.set, start.set) || items.slice(i + 1).every(cannotFail);
  });
}
/** Behind a run that only such items follow comes success, so it is scanned once. */
function cannotFail(item: Item): boolean {
  return item.kind === "open" || item.kind === "close" || (item.kind === "class" && item.min === 0);
}

/** The function's source: a loop over places to try, around one attempt. */
function generate(plan: Plan, success: string, failure: string): unknown {
  const groups = plan.items.filter((item) => item.kind === "open").map((item) => (item as { group: number }).group);
  const locals = groups.map((group) => `let from${group} = 0, to${group} = 0;`).join(" ");
  if (plan.search === "backward") return build(`${locals}\n${backwardCode(plan.items, success)}\nreturn ${failure};`);
  const attempt = plan.items.map((item, i) => itemCode(item, i === plan.first && plan.search === "forward")).join("\n");
  const body = `attempt: {\nlet p = s, c = 0;\n${attempt}\nconst to0 = p; ${success}\n}`;
  const loops: Readonly<Record<Exclude<Plan["search"], "backward">, string>> = {
    anchored: `const from0 = 0, s = 0;\n${body}`,
    forward: `for (let s = 0; s < n;) {\nconst from0 = s;\nlet run = s;\n${body}\ns = run > s ? run : s + 1;\n}`,
    last_in_line: `for (let from0 = 0; from0 <= n;) {\n${lineEnd}\nfor (let s = end; s >= from0; s--) {\n${body}\n}\nfrom0 = end + 1;\n}`,
    last_in_first_line: `const from0 = 0;\n${lineEnd}\nfor (let s = end; s >= 0; s--) {\n${body}\n}`,
  };
  return build(`${locals}\n${loops[plan.search]}\nreturn ${failure};`);
}
function build(body: string): unknown {
  return new Function(`"use strict";\nreturn (text) => {\nconst n = text.length;\n${body}\n};${sourceName("scanner")}`)();
}
const lineEnd = `const feed = text.indexOf("\\n", from0), end = feed < 0 ? n : feed;`;

const at = (place: string, set: CharClass) => `(c = text.charCodeAt(${place}), ${classTest(set, "c")})`;

/** One step of an attempt; it leaves `p` behind what it took, or breaks off. */
function itemCode(item: Item, isSkippedRun: boolean): string {
  switch (item.kind) {
    case "open":
      return `from${item.group} = p;`;
    case "close":
      return `to${item.group} = p;`;
    case "start":
      return "if (p !== 0) break attempt;";
    case "end":
      return "if (p !== n) break attempt;";
    case "boundary":
    case "not_boundary": {
      const sides = `(p > 0 && ${at("p - 1", WORD)}) ${item.kind === "boundary" ? "===" : "!=="} (p < n && ${at("p", WORD)})`;
      return `if (${sides}) break attempt;`;
    }
    case "class":
      return classCode(item, isSkippedRun);
  }
}
function classCode({ set, min, max }: ClassItem, isSkippedRun: boolean): string {
  if (min === max && min === 1) return `if (p >= n || !${at("p", set)}) break attempt;\np++;`;
  if (min === max) return `if (p + ${min} > n) break attempt;\nfor (const q = p + ${min}; p < q; p++) if (!${at("p", set)}) break attempt;`;
  const furthest = max === Infinity ? "n" : `Math.min(n, p + ${max})`;
  const scan = `{ const q = p, furthest = ${furthest}; while (p < furthest && ${at("p", set)}) p++;`;
  const run = isSkippedRun && max === Infinity ? " run = p;" : "";
  return `${scan}${run}${min === 0 ? "" : ` if (p - q < ${min}) break attempt;`} }`;
}

/** One attempt from the end of the text to the left; `p` is where what was taken begins. */
function backwardCode(items: readonly Item[], success: string): string {
  const steps = items.toReversed().map((item): string => {
    switch (item.kind) {
      case "open":
        return `from${item.group} = p;`;
      case "close":
        return `to${item.group} = p;`;
      case "class":
        return backwardClassCode(item);
      default:
        return ""; // `$`: that is where it begins.
    }
  });
  return `attempt: {\nconst to0 = n;\nlet p = n, c = 0;\n${steps.join("\n")}\nconst from0 = p; ${success}\n}`;
}
function backwardClassCode({ set, min, max }: ClassItem): string {
  const furthest = max === Infinity ? "0" : `Math.max(0, p - ${max})`;
  const scan = `{ const q = p, furthest = ${furthest}; while (p > furthest && ${at("p - 1", set)}) p--;`;
  return `${scan}${min === 0 ? "" : ` if (q - p < ${min}) break attempt;`} }`;
}
