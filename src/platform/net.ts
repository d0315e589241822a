/** TCP on Deno. Small records leave at once (no Nagle); peers that vanish without a word are noticed by keep-alive. */
import { MillraceError } from "../data/fault.ts";
import type { Connection, Listener, Net, NetAddress } from "../ports/net.ts";

export const denoNet: Net = {
  listen({ host, port }) {
    try {
      return Promise.resolve(listener(Deno.listen({ hostname: host, port })));
    } catch (error) {
      return Promise.reject(listenFailure({ host, port }, error));
    }
  },
  async connect(address, timeoutMs) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), timeoutMs);
    try {
      return connection(await Deno.connect({ hostname: address.host, port: address.port, signal: abort.signal }));
    } catch (error) {
      const reason = abort.signal.aborted ? `no answer within ${timeoutMs} ms` : messageOf(error);
      throw new MillraceError("unreachable", `cannot connect to ${address.host}:${address.port}: ${reason}`, {
        hint: "is the server running there?",
        retry: "wait",
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  },
};

function listener(inner: Deno.TcpListener): Listener {
  const { hostname, port } = inner.addr;
  let closed = false;
  return {
    address: { host: hostname, port },
    async accept() {
      for (;;) {
        try {
          return connection(await inner.accept());
        } catch (error) {
          if (closed) return null;
          // A peer that gave up before it was accepted, or no file descriptor left just now: the next one may do.
          if (error instanceof Deno.errors.BadResource) return null;
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }
    },
    close() {
      if (closed) return;
      closed = true;
      inner.close();
    },
  };
}

function connection(inner: Deno.TcpConn): Connection {
  const { hostname, port } = inner.remoteAddr;
  try {
    inner.setNoDelay(true);
    inner.setKeepAlive(true);
  } catch {
    // Already broken; the first read or write says so.
  }
  let closed = false;
  return {
    remote: { host: hostname, port },
    read: async (into) => await inner.read(into) ?? 0,
    write: (bytes) => inner.write(bytes),
    endWrites: () => inner.closeWrite(),
    close() {
      if (closed) return;
      closed = true;
      inner.close();
    },
  };
}

/** What to tell of an address that cannot be listened at. `option` is how another one is chosen. */
export function listenFailure({ host, port }: NetAddress, error: unknown, option = "--listen HOST:PORT"): unknown {
  if (error instanceof Deno.errors.AddrInUse) {
    return new MillraceError("address_taken", `port ${port} on ${host} is taken by another process`, {
      hint: `choose another with ${option}; port 0 takes any free one`,
      cause: error,
    });
  }
  return new MillraceError("address_unusable", `cannot listen on ${host}:${port}: ${messageOf(error)}`, {
    hint: "the host must be an address of this machine; ports below 1024 need rights",
    cause: error,
  });
}

const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error);
