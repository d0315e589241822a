/** A real network and clock, everything else in memory; what is logged is kept. */
import { denoClock } from "../../../../src/platform/clock.ts";
import { denoNet } from "../../../../src/platform/net.ts";
import type { LogFields, World } from "../../../../src/ports/mod.ts";
import { Machine, Process } from "../../support/memory_world.ts";

export interface Logged {
  readonly name: string;
  readonly fields: LogFields;
}
export interface NetWorld {
  readonly world: World;
  readonly logged: Logged[];
}

export function netWorld(machine = new Machine()): NetWorld {
  const logged: Logged[] = [];
  const log = { event: (_: string, name: string, fields: LogFields) => void logged.push({ name, fields }) };
  return { world: { ...new Process(machine).world(), clock: denoClock, net: denoNet, log }, logged };
}

/** Waits until it holds; fails after `withinMs`. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const started = performance.now();
  while (!(await holds())) {
    if (performance.now() - started > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What was read of a connection and not yet asked for. */
const RESTS = new WeakMap<Deno.Conn, { lines: string[]; rest: string; ended: boolean }>();

/** The next `count` lines of a connection, or fewer at its end; a last one that is incomplete is given as it is. */
export async function readLines(connection: Deno.Conn, count: number): Promise<string[]> {
  const held = RESTS.get(connection) ?? { lines: [], rest: "", ended: false };
  RESTS.set(connection, held);
  const decoder = new TextDecoder();
  const into = new Uint8Array(64 << 10);
  while (held.lines.length < count && !held.ended) {
    const read = await connection.read(into).catch(() => null);
    if (read === null) {
      held.ended = true;
      if (held.rest !== "") held.lines.push(held.rest);
    } else {
      const pieces = (held.rest + decoder.decode(into.subarray(0, read))).split("\n");
      held.rest = pieces.pop()!;
      for (const piece of pieces) held.lines.push(piece);
    }
  }
  return held.lines.splice(0, count);
}
