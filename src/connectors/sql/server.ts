/**
 * A server that may not be there yet, or for a while: connecting with growing pauses, and saying so. Invariant: waiting ends when
 * the server answers, when it refuses, or when the run is stopped or the component closed; never by itself.
 */
import { MillraceError } from "../../data/fault.ts";
import type { World } from "../../ports/mod.ts";
import { SERVER_WAIT_MAX_MS, SERVER_WAIT_MIN_MS } from "./limits.ts";
import { type ServerAddress, serverOf } from "./address.ts";
import type { Login } from "./session.ts";
import { isLost, mayRetry } from "./session.ts";

export type ServerWorld = Pick<World, "clock" | "files" | "log" | "stopping">;

const decoder = new TextDecoder();

/** As much of a connection as reaching a server takes. */
export interface ServerConnection {
  /** Lets the server know, where it can be told. */
  close(): Promise<void>;
}

/** `connect` opens one connection, or throws a fault of which `isLost` says whether waiting may help. */
export class SqlServer<S extends ServerConnection> {
  readonly #closed = new AbortController();
  readonly #stop: AbortSignal;
  /** Attempts in vain since the server was last reached. */
  #failures = 0;
  constructor(
    private readonly address: ServerAddress,
    private readonly world: ServerWorld,
    private readonly connect: (login: Login) => Promise<S>,
  ) {
    this.#stop = world.stopping ? AbortSignal.any([this.#closed.signal, world.stopping]) : this.#closed.signal;
  }

  /** One attempt; a server that is not there is told, and that it is there again. */
  async open(): Promise<S> {
    const { log } = this.world;
    const server = serverOf(this.address);
    try {
      const session = await this.connect(await this.#login());
      if (this.#failures > 0) log.event("info", "server_reached", { server, attempts: this.#failures + 1 });
      this.#failures = 0;
      return session;
    } catch (error) {
      if (isLost(error)) {
        log.event("warning", "server_unreachable", { server, attempt: ++this.#failures, reason: (error as Error).message });
      }
      throw error;
    }
  }

  /**
   * Does something that may be done again, until it is done: over connections of its own, which are lost with the server and opened
   * again with it. Waits with growing pauses.
   */
  async ask<T>(action: (session: S) => Promise<T>): Promise<T> {
    const { clock, log } = this.world;
    for (let attempt = 0;; attempt++) {
      try {
        return await this.#askOnce(action);
      } catch (error) {
        if (!mayRetry(error) || this.#stop.aborted) throw error;
        const { code, message } = error as MillraceError;
        if (!code.endsWith("_unreachable")) log.event("warning", "server_asked_again", { server: serverOf(this.address), reason: message });
        await clock.sleep(Math.min(SERVER_WAIT_MAX_MS, SERVER_WAIT_MIN_MS * 2 ** Math.min(attempt, 10)), this.#stop);
        if (this.#stop.aborted) throw error;
      }
    }
  }

  /** Ends every wait. */
  close(): void {
    this.#closed.abort();
  }

  async #askOnce<T>(action: (session: S) => Promise<T>): Promise<T> {
    const session = await this.open();
    try {
      return await action(session);
    } finally {
      await session.close();
    }
  }

  async #login(): Promise<Login> {
    const { address } = this;
    return {
      address,
      password: address.passwordFile === ""
        ? address.password
        : (await this.#read(address.passwordFile, "password_file")).replace(/\r?\n$/, ""),
      authorities: address.caFile === "" ? "" : await this.#read(address.caFile, "ca_file"),
    };
  }

  async #read(path: string, setting: string): Promise<string> {
    const stat = await this.world.files.stat(path);
    if (!stat || stat.isFolder) {
      throw new MillraceError("file_missing", `${setting}: there is no file ${path}`, { hint: "check the connection's settings" });
    }
    const handle = await this.world.files.open(path, "read");
    try {
      const bytes = new Uint8Array(stat.size);
      return decoder.decode(bytes.subarray(0, await handle.read(bytes, 0)));
    } finally {
      handle.close();
    }
  }
}
