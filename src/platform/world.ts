/** The real world on Deno: every port, joined. Built once by a composition root. */
import type { Terminal, World } from "../ports/mod.ts";
import { denoClock } from "./clock.ts";
import { denoFiles } from "./files.ts";
import { denoHttp } from "./http.ts";
import { openDenoKv } from "./kv.ts";
import { connectKv } from "./kv_connect.ts";
import { fileLocks } from "./locks.ts";
import { denoLog, type LogOptions } from "./log.ts";
import { denoNet } from "./net.ts";
import { denoProcess } from "./process.ts";
import { denoProcesses } from "./processes.ts";
import { probeFrom } from "./probe.ts";

export interface WorldOptions {
  /** Where the rows of the `console` sink go. */
  readonly terminal: Terminal;
  readonly log: LogOptions;
}

/** Touches nothing but the environment until a port is used. */
export function denoWorld({ terminal, log }: WorldOptions): World {
  const environment = { get: (name: string) => Deno.env.get(name) };
  return {
    clock: denoClock,
    random: { uint32: () => crypto.getRandomValues(new Uint32Array(1))[0] },
    files: denoFiles,
    locks: fileLocks,
    log: denoLog(log, denoClock),
    environment,
    probe: probeFrom(environment),
    console: { write: (text) => terminal.out(text), isTerminal: Deno.stdout.isTerminal() },
    net: denoNet,
    http: denoHttp,
    process: denoProcess,
    processes: denoProcesses,
    openKv: openDenoKv,
    connectKv,
  };
}
