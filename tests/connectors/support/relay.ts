/** A relay in front of a server that can lose a COMMIT, or the answer to one. */

export interface Relay {
  readonly port: number;
  /** What happens to the next COMMIT; afterwards nothing more is lost. */
  loseNext(what: "commit" | "answer"): void;
  close(): Promise<void>;
}

const COMMIT = new TextEncoder().encode("COMMIT");

/** `isCommit` knows one by what a client sends at once. */
export function relayTo(hostname: string, port: number, isCommit: (bytes: Uint8Array) => boolean): Relay {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.TcpConn>();
  let lose: "commit" | "answer" | null = null;

  const closeBoth = (...connections: Deno.TcpConn[]) => {
    for (const connection of connections) if (open.delete(connection)) connection.close();
  };
  async function copy(from: Deno.TcpConn, to: Deno.TcpConn, pass: (bytes: Uint8Array) => "pass" | "drop"): Promise<void> {
    const buffer = new Uint8Array(64 << 10);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null || pass(buffer.subarray(0, count)) === "drop") break;
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
      }
    } catch {
      // Either side may be gone; the other one is told by being closed.
    }
    closeBoth(from, to);
  }
  async function relay(client: Deno.TcpConn): Promise<void> {
    open.add(client);
    const server = await Deno.connect({ hostname, port });
    open.add(server);
    let answerIsLost = false;
    const toServer = copy(client, server, (bytes) => {
      if (lose === null || !isCommit(bytes)) return "pass";
      const what = lose;
      lose = null;
      answerIsLost = what === "answer";
      return what === "commit" ? "drop" : "pass";
    });
    await Promise.all([toServer, copy(server, client, () => answerIsLost ? "drop" : "pass")]);
  }
  const relays: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const client of listener) relays.push(relay(client));
  })();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    loseNext: (what) => lose = what,
    async close() {
      listener.close();
      await accepting;
      closeBoth(...open);
      await Promise.all(relays);
    },
  };
}

/** MySQL: a packet's four bytes of head, the command 3 (query), the text. */
export const isMysqlCommit = (bytes: Uint8Array): boolean => bytes.length === 5 + COMMIT.length && isAt(bytes, 5);
/** PostgreSQL: "Q", four bytes of length, the text, a zero. */
export const isPostgresCommit = (bytes: Uint8Array): boolean => bytes.length === 6 + COMMIT.length && bytes[0] === 0x51 && isAt(bytes, 5);
const isAt = (bytes: Uint8Array, at: number): boolean => COMMIT.every((byte, i) => bytes[at + i] === byte);
