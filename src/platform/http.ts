/**
 * HTTP on Deno: servers over TCP and Unix sockets, and a client that speaks to both. The client's module is loaded at its first request:
 * most runs never ask, and it takes 10 ms of processor time.
 */
import { MillraceError } from "../data/fault.ts";
import type { Http, HttpAnswer, HttpPlace, HttpServer } from "../ports/http.ts";
import { listenFailure } from "./net.ts";

/** An answer beyond it is not one of ours. */
const ANSWER_BYTES_MAX = 32 << 20;

export const denoHttp: Http = {
  async serve(place, handler): Promise<HttpServer> {
    const abort = new AbortController();
    const options = { signal: abort.signal, onListen() {}, onError: () => new Response("internal error\n", { status: 500 }) };
    try {
      const server = "socket" in place
        ? Deno.serve({ ...options, path: place.socket }, (request) => handler(request))
        : Deno.serve({ ...options, hostname: place.host, port: place.port }, (request) => handler(request));
      // Who may connect to a Unix socket is said by its file's mode.
      if ("socket" in place) await Deno.chmod(place.socket, 0o600);
      const { addr } = server;
      return {
        place: "port" in addr ? { host: addr.hostname, port: addr.port } : place,
        async close() {
          abort.abort();
          await server.finished;
        },
      };
    } catch (error) {
      abort.abort();
      throw "socket" in place ? error : listenFailure(place, error, "--dashboard HOST:PORT");
    }
  },
  async get(place, path, headers, timeoutMs) {
    const { request } = await import("node:http");
    return await new Promise((resolve, reject) => ask(request, place, path, headers, timeoutMs, resolve, reject));
  },
};

function ask(
  request: typeof import("node:http").request,
  place: HttpPlace,
  path: string,
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
  resolve: (answer: HttpAnswer) => void,
  reject: (error: Error) => void,
): void {
  const at = "socket" in place ? { socketPath: place.socket } : { host: place.host, port: place.port };
  const fail = (error: Error): void => reject(unreachable(place, error));
  const asked = request({ ...at, path, headers, agent: false }, (response) => {
    const chunks: string[] = [];
    let length = 0;
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      length += chunk.length;
      if (length > ANSWER_BYTES_MAX) asked.destroy(new Error("the answer is too long"));
      else chunks.push(chunk);
    });
    response.on("error", fail);
    response.on("end", () => resolve({ status: response.statusCode ?? 0, body: chunks.join("") }));
  });
  asked.setTimeout(timeoutMs, () => asked.destroy(new Error(`no answer within ${timeoutMs} ms`)));
  asked.on("error", fail);
  asked.end();
}

function unreachable(place: HttpPlace, error: Error): MillraceError {
  const where = "socket" in place ? place.socket : `${place.host}:${place.port}`;
  return new MillraceError("unreachable", `cannot ask ${where}: ${error.message}`, {
    hint: "is the pipeline running there, with --dashboard?",
    retry: "wait",
    cause: error,
  });
}
