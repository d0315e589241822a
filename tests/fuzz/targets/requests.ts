/**
 * Requests to the dashboard, made from damaged texts. Each has an answer with the security headers; nothing but the probes and the login
 * page is answered to who has no token, where one is asked for, or comes under a foreign name.
 */
import assert from "node:assert/strict";
import { accessOf, TOKEN_COOKIE } from "../../../src/observe/access.ts";
import { Board } from "../../../src/observe/board.ts";
import { Dashboard } from "../../../src/observe/dashboard.ts";
import type { Dice } from "../../data/json_fuzz.ts";
import type { Account, Target } from "../harness.ts";
import { bytesOf, type Material, mutated } from "../mutate.ts";

const TOKEN = "0123456789abcdef0123";
const ROW = "a-row-that-is-nobodys-business";
const PROBES = new Set(["/live", "/ready", "/startup"]);
const STATUS = new Set([200, 303, 401, 403, 404, 405, 413, 503]);
const TARGETS = [
  "/",
  "/live",
  "/ready",
  "/startup",
  "/metrics",
  "/events",
  "/api/state",
  "/api/top",
  `/api/search?q=${ROW.slice(0, 8)}`,
  "/page.js",
  "/login",
];
const HEADS = [
  "host: localhost:8089",
  `host: pay.example:8089\nauthorization: Bearer ${TOKEN}`,
  `host: 127.0.0.1:8089\ncookie: a=b; ${TOKEN_COOKIE}=${TOKEN}\naccept: text/html`,
  "host: 127.0.0.1:8089\norigin: http://127.0.0.1:8089\naccept: text/html",
  `host: [::1]:8089\norigin: null\ncookie: ${TOKEN_COOKIE}=%zz`,
];
const MATERIAL: Material = {
  corpus: bytesOf([
    ...TARGETS.flatMap((target) => HEADS.map((head) => `GET ${target}\n${head}\n\n`)),
    `POST /login\nhost: localhost\ncontent-length: 27\n\ntoken=${TOKEN}`,
    `POST /login\nhost: localhost\ncontent-length: 11\n\ntoken=wrong`,
  ]),
  words: bytesOf([
    ..."GET HEAD POST PUT / // . .. %2e%2e %00 %zz %ff ? & q= = : ; \r \0 é localhost evil.example Bearer null token= @".split(" "),
    " ",
    "\nhost: evil.example\n",
    "\norigin: http://evil.example\n",
    "\ncontent-length: 5000\n",
    "\ncontent-length: x\n",
    "/api/search?q=",
    "/__proto__",
    ROW,
  ]),
};

function board(): Board {
  const made = new Board("1.0.0", 0, (text) => text);
  const shape = {
    name: "p",
    kind: "stream",
    nodes: [],
    edges: [],
    panels: [],
    rows: [{ sink: "out", columns: ["id"], ids: ["id"] }],
    epochEveryMs: 1000,
  };
  const pipeline = made.addPipeline(shape);
  pipeline.rows.set("out", [{ sink: "out", values: [ROW], epoch: 1, timeMicros: 1 }]);
  return made;
}

/** null: no request that any server would hand on. */
function requestOf(text: string): Request | null {
  const [head, ...rest] = text.split("\n\n");
  const [first, ...lines] = head.split("\n");
  const [method, target] = first.split(" ");
  try {
    const headers = new Headers(
      lines.filter((line) => line !== "").map((line): [string, string] => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1).trim()];
      }),
    );
    const body = method === "GET" || method === "HEAD" ? undefined : rest.join("\n\n");
    return new Request(`http://localhost${target}`, { method, headers, ...(body !== undefined && { body }) });
  } catch (error) {
    // Of what the platform's own classes refuse nothing reaches the dashboard.
    if (error instanceof TypeError) return null;
    throw error;
  }
}

export const requests: Target = {
  name: "requests",
  gateInputs: 10_000,
  open: () => {
    const clock = { nowMicros: () => 1_760_000_000_000_000, monotonicMs: () => 0, sleep: () => Promise.resolve() };
    const dashboard = new Dashboard(board(), clock);
    const ways = [{ token: TOKEN, host: "0.0.0.0" }, { token: null, host: "127.0.0.1" }].map(({ token, host }) => ({
      token,
      answer: dashboard.handler(accessOf(host, token)),
    }));
    return Promise.resolve({
      run: async (dice: Dice, account: Account) => {
        const { token, answer } = dice.pick(ways);
        const text = new TextDecoder().decode(mutated(MATERIAL, dice));
        const request = requestOf(text);
        if (request === null) return account("rejected request");
        // As the handler sees them: of a header that came twice, one of them empty, the other is left.
        const { headers } = request;
        const response = await answer(request);
        assert.ok(STATUS.has(response.status), `status ${response.status}`);
        assert.ok(response.headers.has("content-security-policy") && response.headers.has("cache-control"));
        const told = await bodyOf(response);
        const isJson = response.headers.get("content-type")?.startsWith("application/json");
        if (isJson) JSON.parse(told);
        assert.ok(!told.includes(TOKEN), "an answer tells the token");
        const isOpen = PROBES.has(new URL(request.url).pathname) || response.status === 303;
        if (response.status < 400 && !isOpen) {
          const isKnown = token === null
            ? ["localhost", "127.0.0.1", "[::1]"].includes((headers.get("host") ?? "").replace(/:\d+$/, "").toLowerCase())
            : `${headers.get("authorization")} ${decoded(headers.get("cookie") ?? "")}`.includes(TOKEN);
          assert.ok(isKnown, `answered to a stranger: ${JSON.stringify(text)}`);
          const origin = headers.get("origin");
          assert.ok(
            origin === null || URL.parse(origin)?.host === headers.get("host")?.toLowerCase(),
            `told to another site: ${JSON.stringify(text)}`,
          );
        } else assert.ok(!told.includes(ROW), `a row is told to a stranger: ${JSON.stringify(text)}`);
        account(response.status < 400 ? "accepted" : `rejected ${response.status}`);
      },
    });
  },
};

const decoded = (text: string): string => text.replaceAll(/%[0-9a-f]{2}/gi, (code) => String.fromCharCode(parseInt(code.slice(1), 16)));

/** The whole body; of a stream that goes on, its first piece. */
async function bodyOf(response: Response): Promise<string> {
  if (!response.headers.get("content-type")?.startsWith("text/event-stream")) return await response.text();
  const reader = response.body!.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value);
}
