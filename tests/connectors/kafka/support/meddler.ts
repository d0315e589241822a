/**
 * Stands between a client and a broker and meddles with chosen requests: so a test decides what the client learns of what the broker
 * did. The broker's address in its answers is replaced by this one's, so that clients stay here.
 */

/** What becomes of a request: "cut" loses it with its connection, "cut_answer" only what the broker says to it; a promise delays it. */
export type Fate = "pass" | "cut" | "cut_answer" | Promise<void>;
export const API = { produce: 0, addPartitions: 24, endTransaction: 26, commitMarker: 28 } as const;

export interface Meddler extends AsyncDisposable {
  readonly brokers: string;
  /** Asked for every request; "pass" at first. */
  meddle: (api: number) => Fate;
}

/** `brokers`: one broker at 127.0.0.1. */
export function meddlerBefore(brokers: string): Meddler {
  const port = Number(brokers.split(":")[1]);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const own = (listener.addr as Deno.NetAddr).port;
  const connections = new Set<Deno.TcpConn>();
  const serving: Promise<void>[] = [];
  const meddler: Meddler = {
    brokers: `127.0.0.1:${own}`,
    meddle: () => "pass",
    async [Symbol.asyncDispose]() {
      listener.close();
      connections.forEach(close);
      await Promise.allSettled(serving);
    },
  };
  const serve = async (client: Deno.TcpConn) => {
    const server = await Deno.connect({ hostname: "127.0.0.1", port });
    const both = [client, server];
    both.forEach((one) => connections.add(one));
    /** Requests whose answers end the connection. */
    const cut = new Set<number>();
    await Promise.allSettled([
      eachFrame(client, async (frame) => {
        const view = new DataView(frame.buffer);
        const fate = meddler.meddle(view.getInt16(4));
        if (fate === "cut") return both.forEach(close);
        if (fate === "cut_answer") cut.add(view.getInt32(8));
        else if (fate !== "pass") await fate;
        await writeAll(server, frame);
      }),
      eachFrame(server, async (frame) => {
        if (cut.has(new DataView(frame.buffer).getInt32(4))) return both.forEach(close);
        await writeAll(client, redirected(frame, port, own));
      }),
    ]);
  };
  serving.push((async () => {
    for await (const client of listener) serving.push(serve(client));
  })());
  return meddler;
}

/** Frames with their lengths, until the connection ends; then both sides end. */
async function eachFrame(connection: Deno.TcpConn, take: (frame: Uint8Array<ArrayBuffer>) => Promise<void> | void): Promise<void> {
  try {
    for (let held = new Uint8Array(0);;) {
      while (held.length >= 4) {
        const length = 4 + new DataView(held.buffer, held.byteOffset).getInt32(0);
        if (held.length < length) break;
        await take(held.slice(0, length));
        held = held.slice(length);
      }
      const chunk = new Uint8Array(1 << 16);
      const read = await connection.read(chunk);
      if (read === null) break;
      const joined = new Uint8Array(held.length + read);
      joined.set(held);
      joined.set(chunk.subarray(0, read), held.length);
      held = joined;
    }
  } finally {
    close(connection);
  }
}

/** The broker's own address, host and port behind each other, is the same length as ours. */
function redirected(frame: Uint8Array, from: number, to: number): Uint8Array {
  const host = [...new TextEncoder().encode("127.0.0.1")];
  const address = [...host, 0, 0, from >> 8, from & 255];
  for (let at = frame.indexOf(host[0]); at >= 0; at = frame.indexOf(host[0], at + 1)) {
    if (address.every((byte, i) => frame[at + i] === byte)) frame.set([to >> 8, to & 255], at + host.length + 2);
  }
  return frame;
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It is closed.
  }
}
