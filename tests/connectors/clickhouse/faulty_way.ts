/** A way to a ClickHouse server on which requests go wrong, as they do on networks. */

/** What happens to an insert: its answer is lost behind it, it is answered late, or it does not arrive. */
export type Accident = "answer_lost" | "slow" | "not_sent";
export interface FaultyWay {
  readonly url: string;
  /** The next insert into a table whose name begins so has the accident; later ones do not. */
  next(accident: Accident, table: string): void;
  /** Inserts that reached the server, by their tables. */
  readonly arrived: readonly string[];
  close(): Promise<void>;
}
const SLOW_MS = 700;

/** With a certificate it is reached over TLS, as "localhost". */
export function faultyWayTo(server: string, tls?: { readonly cert: string; readonly key: string }): FaultyWay {
  let due: { readonly accident: Accident; readonly table: string } | null = null;
  const arrived: string[] = [];
  const serving = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {}, ...tls }, async (request) => {
    const url = new URL(request.url);
    const body = await request.arrayBuffer();
    const table = /^INSERT INTO `?(\w+)/.exec(url.searchParams.get("query") || new TextDecoder().decode(body.slice(0, 200)))?.[1];
    const accident = due && table?.startsWith(due.table) ? due.accident : null;
    if (accident) due = null;
    if (accident === "not_sent") return new Response("bad gateway", { status: 502 });
    const headers = new Headers(request.headers);
    headers.delete("host");
    const answer = await fetch(server + url.pathname + url.search, {
      method: request.method,
      headers,
      body: body.byteLength > 0 ? body : null,
    });
    const bytes = await answer.arrayBuffer();
    if (table && answer.ok) arrived.push(table);
    if (accident === "slow") await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
    if (accident === "answer_lost") return new Response("gateway timeout", { status: 504 });
    return new Response(bytes, { status: answer.status, headers: answer.headers });
  });
  return {
    url: tls ? `https://localhost:${serving.addr.port}` : `http://127.0.0.1:${serving.addr.port}`,
    next: (accident, table) => void (due = { accident, table }),
    arrived,
    close: () => serving.shutdown(),
  };
}
