/** Seeds spread over processes: a run keeps one core busy, and processes share nothing. */
import type { SeedsRun } from "./run_seeds.ts";
import type { SinkKind } from "./setup.ts";

const SCRIPT = "tests/sim/run_seeds.ts";
const ROOT = new URL("../../", import.meta.url).pathname;

interface Where {
  /** The project, or a copy of it. */
  readonly folder?: string;
  /** Instead of those that seeds choose. */
  readonly sinks?: readonly SinkKind[];
}

/** One process runs every `step`-th seed from `first` to `last`. */
export async function runShare(first: number, last: number, step: number, { folder = ROOT, sinks = [] }: Where = {}): Promise<SeedsRun> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SCRIPT, `${first}`, `${last}`, `${step}`, ...sinks],
    cwd: folder,
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Seeds from 1 to `seeds` on all cores. `failed` is the least of those that were found to fail. */
export async function runShared(seeds: number): Promise<SeedsRun> {
  const processes = Math.min(seeds, navigator.hardwareConcurrency);
  const shares = await Promise.all(Array.from({ length: processes }, (_, share) => runShare(1 + share, seeds, processes)));
  return shares.reduce((one, other) => ({
    runs: one.runs + other.runs,
    cpuMs: one.cpuMs + other.cpuMs,
    events: one.events + other.events,
    kinds: sum(one.kinds, other.kinds),
    struckAfter: sum(one.struckAfter, other.struckAfter),
    failed: least(one.failed, other.failed),
  }));
}

function sum(one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>>): Record<string, number> {
  const total: Record<string, number> = { ...one };
  for (const [name, count] of Object.entries(other)) total[name] = (total[name] ?? 0) + count;
  return total;
}

function least(one: SeedsRun["failed"], other: SeedsRun["failed"]): SeedsRun["failed"] {
  if (one === null || other === null) return one ?? other;
  return one.seed < other.seed ? one : other;
}
