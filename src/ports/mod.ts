/**
 * The outside world, as interfaces. Everything that is not pure comes in through these: `platform/` implements them on
 * Deno, `sim/` implements them from one seed. Nothing here imports anything.
 */
export type { Clock } from "./clock.ts";
export type { Random } from "./random.ts";
export type { FileHandle, Files, FileStat, OpenMode } from "./files.ts";
export type { Kv, KvCommit, KvEntry, KvKey, SharedStore } from "./kv.ts";
export type { Log, LogFields, LogLevel, LogSettings } from "./log.ts";
export type { Lock, Locks } from "./locks.ts";
export type { Environment } from "./environment.ts";
export type { Probe, ProtocolStep } from "./probe.ts";
export type { Screen, Terminal } from "./terminal.ts";
export type { Console } from "./console.ts";
export type { Channel, Thread, Threads } from "./threads.ts";
export type { Connection, Listener, Net, NetAddress } from "./net.ts";
export type { Http, HttpAnswer, HttpPlace, HttpServer } from "./http.ts";
export type { Process, ProcessFigures } from "./process.ts";
export type { ChildEnd, ChildStart, Processes } from "./processes.ts";

import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";
import type { Files } from "./files.ts";
import type { Kv, SharedStore } from "./kv.ts";
import type { Log } from "./log.ts";
import type { Locks } from "./locks.ts";
import type { Environment } from "./environment.ts";
import type { Probe } from "./probe.ts";
import type { Console } from "./console.ts";
import type { Threads } from "./threads.ts";
import type { Net } from "./net.ts";
import type { Http } from "./http.ts";
import type { Process } from "./process.ts";
import type { Processes } from "./processes.ts";

/** All ports together; built once in a composition root. */
export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  readonly locks: Locks;
  readonly log: Log;
  readonly environment: Environment;
  readonly probe: Probe;
  /** Absent where nobody looks: in the simulated world. */
  readonly console?: Console;
  /** Absent where nobody listens or connects: in the simulated world. */
  readonly net?: Net;
  /** Absent where nobody watches: in the simulated world. */
  readonly http?: Http;
  readonly process?: Process;
  /** Absent where this program is not one of its own: in the simulated world. */
  readonly processes?: Processes;
  /** Absent where there is one thread: in the simulated world, and in workers themselves. */
  readonly threads?: Threads;
  /** Aborts when the run is to stop, so that waiting for what is not there ends. Absent where nobody stops a run. */
  readonly stopping?: AbortSignal;
  /** Opens the checkpoint store in the file at `path` (parent folders are made). One handle per file and process. */
  openKv(path: string): Promise<Kv>;
  /** A checkpoint store behind a server; it is asked at the first request. Absent where there is no network: in the simulated world. */
  connectKv?(store: SharedStore): Kv;
}
