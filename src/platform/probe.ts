/**
 * The kill tests' way in. MILLRACE_KILL_AT="step:count" ends this process by SIGKILL at the count-th passing of a named
 * protocol step, MILLRACE_KILL_AFTER_STEPS=n at the n-th step of any kind. Without them a probe does nothing.
 */
import { MillraceError } from "../data/fault.ts";
import type { Environment } from "../ports/environment.ts";
import type { Probe } from "../ports/probe.ts";

/** `kill` is for tests; by default this process is killed. */
export function probeFrom(environment: Environment, kill: () => void = killThisProcess): Probe {
  const at = environment.get("MILLRACE_KILL_AT");
  const after = environment.get("MILLRACE_KILL_AFTER_STEPS");
  if (at) {
    const match = /^([a-z_]+):(\d+)$/.exec(at);
    if (!match) throw wrongSetting("MILLRACE_KILL_AT", at, "step:count, for example intent_written:3");
    return countdown(Number(match[2]), (step) => step === match[1], kill);
  }
  if (after) {
    if (!/^\d+$/.test(after)) throw wrongSetting("MILLRACE_KILL_AFTER_STEPS", after, "a number of steps");
    return countdown(Number(after), () => true, kill);
  }
  return { step() {} };
}

function countdown(count: number, counts: (step: string) => boolean, kill: () => void): Probe {
  let left = count;
  return {
    step(step) {
      if (counts(step) && --left === 0) kill();
    },
  };
}

function wrongSetting(name: string, value: string, wished: string): MillraceError {
  return new MillraceError("kill_setting", `${name} is "${value}"`, { hint: `write ${wished}` });
}

function killThisProcess(): void {
  Deno.kill(Deno.pid, "SIGKILL");
  // The signal may arrive a moment later; nothing may happen in between.
  for (;;);
}
