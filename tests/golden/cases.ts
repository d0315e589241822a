/**
 * The project's own golden cases: small inputs from the generator, expected files from the oracle, both committed under
 * `cases/`. `deno run -A tests/golden/cases.ts` writes them anew; a test finds them stale.
 */
import { generators } from "../../src/connectors/generate/mod.ts";
import { oracle, type OracleReject } from "../oracle/cards.ts";
import { filesOf, readInputs } from "../oracle/expected_files.ts";
import { PROFILES, type Switches } from "../oracle/switches.ts";

/** One run over a case's input. */
export interface GoldenRun {
  readonly name: string;
  readonly profile: keyof typeof PROFILES;
  /** Switches turned on top of the profile, by parameter name. */
  readonly turned: Partial<Switches>;
}
/** An input with the runs over it. */
export interface GoldenCase {
  readonly name: string;
  readonly format: "csv" | "ndjson";
  readonly runs: readonly GoldenRun[];
  /** File name to text. */
  input(): ReadonlyMap<string, string>;
}

const CASES = new URL("cases/", import.meta.url);
const BOTH: readonly GoldenRun[] = [
  { name: "strict-zip", profile: "strict-zip", turned: {} },
  { name: "refund-aware", profile: "refund-aware", turned: {} },
];

function generated(): Map<string, string> {
  const decoder = new TextDecoder();
  const files = generators.get("cards")!.generate({ customers: 44, transactions: 240, seed: 7 });
  return new Map(files.map(({ name, chunks }) => [name, [...chunks].map((chunk) => decoder.decode(chunk, { stream: true })).join("")]));
}
function pick(files: ReadonlyMap<string, string>, ...names: readonly string[]): Map<string, string> {
  return new Map(names.map((name) => [name, files.get(name)!]));
}

/** All cases. */
export const goldenCases: readonly GoldenCase[] = [
  {
    name: "edges",
    format: "csv",
    runs: [...BOTH, { name: "twice", profile: "refund-aware", turned: { posting: "twice" } }],
    input: () => pick(generated(), "customers.csv", "credit_card_types.csv", "cards.csv", "transactions.csv"),
  },
  {
    name: "malformed",
    format: "ndjson",
    runs: BOTH,
    input: () => {
      const files = generated();
      return pick(files, "customers.csv", "credit_card_types.csv", "cards.csv").set("transactions.ndjson", files.get("malformed.ndjson")!);
    },
  },
  {
    // LF line ends, no newline at the end, repeated keys, and no payment at all.
    name: "no-payments",
    format: "csv",
    runs: BOTH,
    input: () => {
      const files = generated();
      const head = (name: string, lines: number) => files.get(name)!.replaceAll("\r\n", "\n").split("\n").slice(0, lines);
      return new Map([
        ["customers.csv", head("customers.csv", 8).join("\n")],
        ["credit_card_types.csv", head("credit_card_types.csv", 6).join("\n")],
        ["cards.csv", [...head("cards.csv", 8), head("cards.csv", 3)[2]].join("\n")],
        ["transactions.csv", `${head("transactions.csv", 1)[0]}\n`],
      ]);
    },
  },
];

/** The folder of a case's input. */
export function inputFolder(golden: GoldenCase): string {
  return decodeURIComponent(new URL(`${golden.name}/input`, CASES).pathname);
}
/** The files that a run must give, and its refused payments, from the committed folder. */
export function committedFiles(golden: GoldenCase, run: GoldenRun): ReadonlyMap<string, string> {
  const folder = new URL(`${golden.name}/expected/${run.name}/`, CASES);
  const names = [...Deno.readDirSync(folder)].map((entry) => entry.name).toSorted();
  return new Map(names.map((name) => [name, Deno.readTextFileSync(new URL(name, folder))]));
}
/** What the oracle says about a case, in the form of the committed files. */
export function computedFiles(golden: GoldenCase, run: GoldenRun): ReadonlyMap<string, string> {
  const result = oracle(readInputs(inputFolder(golden)), { ...PROFILES[run.profile], ...run.turned });
  const refused = rejectsText(result.rejects);
  const files = new Map(filesOf(result)).set("rejects.txt", refused);
  return new Map([...files].toSorted(([a], [b]) => a < b ? -1 : 1));
}
/** One line per refused payment: its row and the code. */
export function rejectsText(rejects: readonly OracleReject[]): string {
  return rejects.filter((reject) => reject.input === "transactions").map((reject) => `${reject.row} ${reject.code}\n`).join("");
}

if (import.meta.main) {
  for (const golden of goldenCases) {
    const folder = decodeURIComponent(new URL(`${golden.name}/`, CASES).pathname);
    Deno.mkdirSync(`${folder}input`, { recursive: true });
    for (const [name, text] of golden.input()) Deno.writeTextFileSync(`${folder}input/${name}`, text);
    for (const run of golden.runs) {
      Deno.mkdirSync(`${folder}expected/${run.name}`, { recursive: true });
      for (const [name, text] of computedFiles(golden, run)) Deno.writeTextFileSync(`${folder}expected/${run.name}/${name}`, text);
    }
  }
}
