/**
 * The routes of a watched process: page, streams, metrics, probes. Invariant: everything but the three probes asks for access first,
 * and nothing is answered that the board does not hold.
 */
import type { Clock } from "../ports/mod.ts";
import { type Access, isEqual, refusal, TOKEN_COOKIE } from "./access.ts";
import type { Board } from "./board.ts";
import { eventText, Followers } from "./followers.ts";
import { type Health, readiness, startup } from "./health.ts";
import { FOLLOWERS_FRESH_MAX } from "./limits.ts";
import { PROMETHEUS_TYPE, prometheusText } from "./prometheus.ts";
import { search, type SearchFurther } from "./search.ts";
import { freshRows, nextSnapshot, topSnapshot, wholeSnapshot } from "./snapshot.ts";

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const SECURITY: Readonly<Record<string, string>> = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};
/** A login's form holds one token. */
const FORM_BYTES_MAX = 4_096;

export class Dashboard {
  readonly #board: Board;
  readonly #clock: Clock;
  readonly #followers = new Followers();
  readonly #further: SearchFurther | null;
  /** What a page begins with, until something new was gathered: hundreds may come at once, as after a restart. */
  #whole: string | null = null;

  /** `further` looks where the newest rows do not reach. */
  constructor(board: Board, clock: Clock, further: SearchFurther | null = null) {
    this.#board = board;
    this.#clock = clock;
    this.#further = further;
  }

  /** What a listener with this access answers. */
  handler(access: Access): (request: Request) => Promise<Response> {
    return async (request) => {
      const response = await this.#answer(request, access);
      for (const [name, value] of Object.entries(SECURITY)) response.headers.set(name, value);
      if (!response.headers.has("cache-control")) response.headers.set("cache-control", "no-store");
      return response;
    };
  }

  /** Once per second: takes a snapshot and sends it to all who follow. */
  tick(): void {
    this.#whole = null;
    const snapshot = nextSnapshot(this.#board, this.#clock.nowMicros());
    if (this.#followers.count > 0) this.#followers.send(eventText("snapshot", JSON.stringify(snapshot)));
    this.#board.followers = this.#followers.count;
    this.#board.followersDropped = this.#followers.dropped;
  }

  /** Between two snapshots: sends what is new of rows, at once, where few follow. */
  freshen(): void {
    this.#whole = null;
    if (this.#followers.count > 0 && this.#followers.count <= FOLLOWERS_FRESH_MAX) this.#sendFresh();
  }

  #sendFresh(): void {
    const fresh = freshRows(this.#board, this.#clock.nowMicros());
    if (fresh !== null && this.#followers.count > 0) this.#followers.send(eventText("fresh", JSON.stringify(fresh)));
  }

  close(): void {
    this.#followers.close();
  }

  async #answer(request: Request, access: Access): Promise<Response> {
    const url = new URL(request.url);
    // They tell nothing, and whoever asks for them has no token.
    switch (url.pathname) {
      case "/live":
        return plain(200, "live\n");
      case "/ready":
        return health(readiness(this.#board));
      case "/startup":
        return health(startup(this.#board));
    }
    const refused = refusal(access, request);
    if (url.pathname === "/login" && request.method === "POST" && refused?.status !== 403) return await login(request, access);
    if (refused) return refused.status === 401 && wantsPage(request, url) ? html(401, (await page()).loginPage) : refused;
    if (request.method !== "GET" && request.method !== "HEAD") return plain(405, "only GET is answered\n");
    return await this.#route(url);
  }

  async #route(url: URL): Promise<Response> {
    switch (url.pathname) {
      case "/metrics":
        return new Response(prometheusText(this.#board, this.#clock.nowMicros()), { headers: { "content-type": PROMETHEUS_TYPE } });
      case "/events":
        return this.#follow();
      case "/api/state":
        return json(wholeSnapshot(this.#board, this.#clock.nowMicros()));
      case "/api/top":
        return json(topSnapshot(this.#board, this.#clock.nowMicros()));
      case "/api/search":
        return json(await search(this.#board, url.searchParams.get("q") ?? "", this.#further));
    }
    const found = (await page()).asset(url.pathname);
    if (!found) return plain(404, "there is nothing here\n");
    return new Response(found.body, { headers: { "content-type": found.type, "cache-control": "no-cache" } });
  }

  #follow(): Response {
    if (this.#whole === null) {
      // What is new goes to the others first: who begins with the whole is not told of it again.
      this.#sendFresh();
      this.#whole = `retry: 1000\n${eventText("whole", JSON.stringify(wholeSnapshot(this.#board, this.#clock.nowMicros())))}`;
    }
    const stream = this.#followers.follow(this.#whole);
    if (!stream) return plain(503, "too many follow already\n");
    return new Response(stream, { headers: { "content-type": "text/event-stream", "x-accel-buffering": "no" } });
  }
}

/** Read when the first browser comes: most runs have none. */
const page = () => import("./page/assets.ts");

/** A browser's token goes into a cookie that no script can read. */
async function login(request: Request, access: Access): Promise<Response> {
  if (Number(request.headers.get("content-length") ?? FORM_BYTES_MAX + 1) > FORM_BYTES_MAX) return plain(413, "that is no token\n");
  const given = new URLSearchParams(await request.text()).get("token") ?? "";
  if (access.token === null || !isEqual(given, access.token)) return html(401, (await page()).loginPage);
  const cookie = `${TOKEN_COOKIE}=${encodeURIComponent(given)}; HttpOnly; SameSite=Strict; Path=/`;
  return new Response(null, { status: 303, headers: { location: "/", "set-cookie": cookie } });
}

const wantsPage = (request: Request, url: URL): boolean =>
  url.pathname === "/" && (request.headers.get("accept") ?? "").includes("text/html");
const plain = (status: number, body: string): Response =>
  new Response(body, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
const html = (status: number, body: string): Response =>
  new Response(body, { status, headers: { "content-type": "text/html; charset=utf-8" } });
const json = (value: unknown): Response =>
  new Response(JSON.stringify(value), { headers: { "content-type": "application/json; charset=utf-8" } });
const health = ({ ok, why }: Health): Response => plain(ok ? 200 : 503, ok ? "ok\n" : why.map((line) => line + "\n").join(""));
