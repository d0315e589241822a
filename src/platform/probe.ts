/**
 * The kill tests' way in. MILLRACE_KILL_AT="step:count" ends this process by SIGKILL at the count-th passing of a named
 * protocol step, MILLRACE_KILL_AFTER_STEPS=n at the n-th step of any kind. MILLRACE_FREEZE_AT="step:count" stops it there by SIGSTOP: it
 * goes on where it was when SIGCONT comes. Without them a probe does nothing.
 */
import { MillraceError } from "../data/fault.ts";
import type { Environment } from "../ports/environment.ts";
import type { Probe } from "../ports/probe.ts";

/** `kill` and `freeze` are for tests; by default this process is meant. */
export function probeFrom(environment: Environment, kill: () => void = killThisProcess, freeze: () => void = freezeThisProcess): Probe {
  const after = environment.get("MILLRACE_KILL_AFTER_STEPS");
  for (const [name, act] of [["MILLRACE_KILL_AT", kill], ["MILLRACE_FREEZE_AT", freeze]] as const) {
    const at = environment.get(name);
    if (!at) continue;
    const match = /^([a-z_]+):(\d+)$/.exec(at);
    if (!match) throw wrongSetting(name, at, "step:count, for example intent_written:3");
    return countdown(Number(match[2]), (step) => step === match[1], act);
  }
  if (after) {
    if (!/^\d+$/.test(after)) throw wrongSetting("MILLRACE_KILL_AFTER_STEPS", after, "a number of steps");
    return countdown(Number(after), () => true, kill);
  }
  return { step() {} };
}

function countdown(count: number, counts: (step: string) => boolean, act: () => void): Probe {
  let left = count;
  return {
    step(step) {
      if (counts(step) && --left === 0) act();
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

function freezeThisProcess(): void {
  Deno.kill(Deno.pid, "SIGSTOP");
}
