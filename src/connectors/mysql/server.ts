/**
 * A server that may not be there yet, or for a while: connecting with growing pauses, and saying so. Invariant: waiting ends when
 * the server answers, when it refuses, or when the run is stopped or the component closed; never by itself.
 */
import { MillraceError } from "../../data/fault.ts";
import type { World } from "../../ports/mod.ts";
import { SERVER_WAIT_MAX_MS, SERVER_WAIT_MIN_MS } from "./limits.ts";
import { type MysqlAddress, serverOf } from "./address.ts";
import { type Login, Session } from "./driver.ts";
import { mayRetry } from "./driver_errors.ts";

export type ServerWorld = Pick<World, "clock" | "files" | "log" | "stopping">;

const decoder = new TextDecoder();

export class MysqlServer {
  readonly #closed = new AbortController();
  readonly #stop: AbortSignal;
  constructor(private readonly address: MysqlAddress, private readonly world: ServerWorld) {
    this.#stop = world.stopping ? AbortSignal.any([this.#closed.signal, world.stopping]) : this.#closed.signal;
  }

  /** One attempt. */
  async open(): Promise<Session> {
    return await Session.open(await this.#login());
  }

  /** Attempts until the server is there. */
  async reach(): Promise<Session> {
    return await this.#persist(() => this.open());
  }

  /**
   * Does something that may be done again, until it is done: over connections of its own, which are lost with the server and opened
   * again with it. Waits as `reach` does.
   */
  async ask<T>(action: (session: Session) => Promise<T>): Promise<T> {
    return await this.#persist(async () => {
      const session = await this.open();
      try {
        return await action(session);
      } finally {
        await session.close();
      }
    });
  }

  /** Ends every wait. */
  close(): void {
    this.#closed.abort();
  }

  async #persist<T>(action: () => Promise<T>): Promise<T> {
    const { clock, log } = this.world;
    const server = serverOf(this.address);
    for (let attempt = 1;; attempt++) {
      try {
        const result = await action();
        if (attempt > 1) log.event("info", "server_reached", { server, attempt });
        return result;
      } catch (error) {
        if (!mayRetry(error) || this.#stop.aborted) throw error;
        const waitMs = Math.min(SERVER_WAIT_MAX_MS, SERVER_WAIT_MIN_MS * 2 ** Math.min(attempt - 1, 10));
        const { code, message } = error as MillraceError;
        log.event("warning", code === "mysql_busy" ? "server_busy" : "server_unreachable", { server, attempt, waitMs, reason: message });
        await clock.sleep(waitMs, this.#stop);
        if (this.#stop.aborted) throw error;
      }
    }
  }

  async #login(): Promise<Login> {
    const { address } = this;
    return {
      address,
      password: address.passwordFile === "" ? address.password : (await this.#read(address.passwordFile, "password_file")).replace(/\r?\n$/, ""),
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
