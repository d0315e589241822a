/** Generated scanners against re2js, and which patterns get one. */
import assert from "node:assert/strict";
import { compileGeneral, compilePattern } from "../../src/expr/regex/pattern.ts";
import { randomFrom } from "./oracle/generator.ts";

const SEED = 777;
const PARTS = [
  "a",
  "b",
  "-",
  "\\.",
  " ",
  "\\d",
  "\\w",
  "\\s",
  "\\S",
  "\\D",
  "[ab]",
  "[^ab]",
  "[a-c\\d]",
  "[^,]",
  ".",
  "é",
  "\\W",
  "x",
];
const REPEATS = ["", "", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "{0,2}"];
const ZERO_WIDTH = ["\\b", "\\b", "\\B", "$", "^"];
const LETTERS = ["a", "b", "c", "x", "1", "2", "-", ".", ",", " ", "\t", "\n", "\v", "é", "_", "\u{1F600}", "\u00a0", "\r"];

function generator(seed: number) {
  const random = randomFrom(seed);
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)];
  const part = () => random() < 0.15 ? pick(ZERO_WIDTH) : pick(PARTS) + pick(REPEATS);
  const pattern = () => {
    const start = random() < 0.2 ? "^" : random() < 0.2 ? ".*" : "";
    const parts = Array.from({ length: 1 + Math.floor(random() * 4) }, part);
    if (random() < 0.5) {
      const from = Math.floor(random() * parts.length);
      parts[from] = `(${parts[from]}`;
      parts[from + Math.floor(random() * (parts.length - from))] += ")";
    }
    return start + parts.join("") + (random() < 0.4 ? "$" : "");
  };
  const text = () => Array.from({ length: Math.floor(random() * 14) }, () => pick(LETTERS)).join("");
  return { pattern, text };
}

Deno.test("generated scanners give what re2js gives, group by group", () => {
  console.log(`seed ${SEED}`);
  const { pattern, text } = generator(SEED);
  let scanned = 0;
  let matched = 0;
  for (let i = 0; i < 20000; i++) {
    const source = pattern();
    const compiled = compilePattern(source);
    if (compiled.engine !== "scan") continue;
    scanned++;
    const general = compileGeneral(source);
    const groups = Array.from(
      { length: compiled.groups + 1 },
      (_, group) => [compiled.extractor(group), general.extractor(group)] as const,
    );
    for (let n = 0; n < 25; n++) {
      const input = text();
      const wished = general.matches(input);
      if (wished) matched++;
      assert.equal(compiled.matches(input), wished, `${source} on ${JSON.stringify(input)}`);
      groups.forEach(([ours, theirs], group) =>
        assert.equal(ours(input), theirs(input), `group ${group} of ${source} on ${JSON.stringify(input)}`)
      );
    }
  }
  console.log(`${scanned} patterns scanned, ${matched} matches`);
  assert.ok(scanned > 800 && matched > 4000);
});

Deno.test("patterns of everyday rules are scanned, and what needs backtracking is not", () => {
  const scanned = [
    String.raw`(\S+)\s*$`,
    String.raw`\b(\d{5})\b`,
    String.raw`.*\b(\d{5})\b`,
    String.raw`^\d+$`,
    String.raw`^[A-Z]{2}\d{3,5}$`,
    String.raw`^(\w+)@([\w.]+)$`,
    String.raw`\d+\.\d+`,
    "abc",
  ];
  const general = ["a.*b", "(a|b)+", "a*?b", "(?i)abc", String.raw`\w+\d`, String.raw`a+b[ab]*c`, "(ab)+", "x*", String.raw`\pL+`];
  assert.deepEqual(scanned.map((pattern) => compilePattern(pattern).engine), scanned.map(() => "scan"));
  assert.deepEqual(general.map((pattern) => compilePattern(pattern).engine), general.map(() => "re2"));
});

Deno.test("a scanner's work grows with the text, not with its square", () => {
  for (
    const [pattern, piece] of [[String.raw`(\S+)\s*$`, "ab "], [String.raw`\b(\d{5})\b`, "123456 "], [String.raw`\d+ *x`, "12 "], [
      String.raw`(\S+)\s*$`,
      "a",
    ]]
  ) {
    const extract = compilePattern(pattern).extractor(1 > compilePattern(pattern).groups ? 0 : 1);
    // A quadratic scan of two million characters would take minutes.
    const started = performance.now();
    extract(piece.repeat(2_000_000 / piece.length) + "\u0000 \u0001!".repeat(2));
    assert.ok(performance.now() - started < 2_000, pattern);
  }
});

Deno.test("a pattern that RE2 refuses is refused with a hint", () => {
  for (const pattern of ["(a", "a**", "(?=a)", String.raw`(a)\1`, "[z-a]"]) {
    assert.throws(() => compilePattern(pattern), { code: "pattern" });
  }
});
