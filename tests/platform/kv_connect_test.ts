/** The client of a shared checkpoint store against a server that misbehaves; against denokv itself: tests/services/denokv_test.ts. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { connectKv } from "../../src/platform/kv_connect.ts";
import { behind, decodeKey, encodeKey, rangeOf } from "../../src/platform/kv_keys.ts";
import type { Kv } from "../../src/ports/mod.ts";

const TOKEN = "an-access-token";
const COMMIT = { checks: [], sets: [{ key: ["a"], value: new Uint8Array([1]) }], deletes: [] } as const;

interface Seen {
  readonly path: string;
  readonly authorization: string | null;
}
type Answer = (path: string) => Response | Promise<Response>;

async function withServer(answer: Answer, body: (kv: Kv, seen: readonly Seen[], url: string) => Promise<void>): Promise<void> {
  const seen: Seen[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname: path } = new URL(request.url);
    seen.push({ path, authorization: request.headers.get("authorization") });
    await request.arrayBuffer();
    return await answer(path);
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  const kv = connectKv({ url, token: TOKEN });
  try {
    await body(kv, seen, url);
  } finally {
    kv.close();
    await server.shutdown();
  }
}
const described = (change: object = {}): Response =>
  Response.json({
    version: 3,
    databaseId: "00000000-0000-0000-0000-000000000000",
    endpoints: [{ url: "/elsewhere", consistency: "eventual" }, { url: "/data", consistency: "strong" }],
    token: "session-token",
    expiresAt: "2099-01-01T00:00:00Z",
    ...change,
  });
const message = (fill: (writer: BinaryWriter) => void): Response => {
  const writer = new BinaryWriter();
  fill(writer);
  return new Response(writer.finish() as BodyInit);
};
const status = (value: number): Response => message((writer) => writer.tag(1, WireType.Varint).int32(value));

Deno.test("keys keep their order and come back, whatever texts and numbers they hold", () => {
  const part = fc.oneof(fc.string({ unit: "binary", maxLength: 6 }), fc.double({ noNaN: true }).map((n) => n + 0));
  const key = fc.array(part, { minLength: 1, maxLength: 3 });
  const utf8 = (text: string) => new TextEncoder().encode(text).toHex();
  const compare = (a: readonly (string | number)[], b: readonly (string | number)[]): number => {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      const [x, y] = [a[i], b[i]];
      if (x === y) continue;
      if (typeof x !== typeof y) return typeof x === "string" ? -1 : 1;
      if (typeof x === "number") return x < (y as number) ? -1 : 1;
      return utf8(x) < utf8(y as string) ? -1 : 1;
    }
    return a.length - b.length;
  };
  fc.assert(
    fc.property(key, key, (a, b) => {
      assert.deepEqual(decodeKey(encodeKey(a)), a);
      assert.equal(Math.sign(compareBytes(encodeKey(a), encodeKey(b))), Math.sign(compare(a, b)));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("a prefix's range holds the keys that go on behind it, and neither itself nor its neighbours", () => {
  const { start, end } = rangeOf(["lane", "r", 1]);
  const isIn = (key: (string | number)[]) => compareBytes(encodeKey(key), start) >= 0 && compareBytes(encodeKey(key), end) < 0;
  assert.deepEqual([["lane", "r", 1, "head"], ["lane", "r", 1, 0], ["lane", "r", 1, ""]].map(isIn), [true, true, true]);
  assert.deepEqual([["lane", "r", 1], ["lane", "r", 10, "head"], ["lane", "r", 2, "head"], ["lane", "rr", 1, "head"]].map(isIn), [
    false,
    false,
    false,
    false,
  ]);
  assert.ok(compareBytes(behind(encodeKey(["a"])), encodeKey(["a", ""])) < 0);
});

Deno.test("a commit is sent once: where the answer is lost, or the server is in trouble, it is told as unanswered", async () => {
  const cutOff = () => new Response(new ReadableStream({ pull: (controller) => controller.error(new Error("cut off")) }));
  for (const answer of [() => new Response("busy", { status: 503 }), () => status(5), cutOff]) {
    await withServer((path) => path === "/" ? described() : answer(), async (kv, seen) => {
      await assert.rejects(kv.commit(COMMIT), { code: "kv_unanswered", retry: "wait" });
      assert.equal(seen.filter(({ path }) => path === "/data/atomic_write").length, 1);
    });
  }
  await withServer(() => described(), async (_kv, _seen, url) => {
    const gone = connectKv({ url: url.replace(/\d+$/, "1"), token: TOKEN });
    await assert.rejects(gone.commit(COMMIT), { code: "kv_unanswered", retry: "wait" });
  });
});

Deno.test("the token is asked for once, and what the server gives in return is used where it says", async () => {
  await withServer((path) => path === "/" ? described() : status(1), async (kv, seen) => {
    await Promise.all([kv.commit(COMMIT), kv.commit(COMMIT)]);
    await kv.commit(COMMIT);
    assert.deepEqual(seen.filter(({ path }) => path === "/data/atomic_write").map(({ authorization }) => authorization), [
      "Bearer session-token",
      "Bearer session-token",
      "Bearer session-token",
    ]);
    assert.ok(seen.filter(({ path }) => path === "/").length <= 2, "asked together, they may both connect");
    assert.equal(seen[0].authorization, `Bearer ${TOKEN}`);
  });
});

Deno.test("a description that is about to expire is asked for again", async () => {
  const soon = new Date(Date.now() + 30_000).toISOString();
  await withServer((path) => path === "/" ? described({ expiresAt: soon }) : status(1), async (kv, seen) => {
    await kv.commit(COMMIT);
    await kv.commit(COMMIT);
    assert.equal(seen.filter(({ path }) => path === "/").length, 2);
  });
});

Deno.test("a refused check is no fault; every other refusal is one that waiting does not mend, and names no token", async () => {
  await withServer((path) => path === "/" ? described() : status(2), async (kv) => {
    assert.deepEqual(await kv.commit(COMMIT), { ok: false });
  });
  const refusals: readonly [Answer, RegExp][] = [
    [() => new Response("no", { status: 401 }), /refused: the token/],
    [() => new Response("hello"), /not KV Connect's/],
    [() => described({ endpoints: [{ url: "/x", consistency: "eventual" }] }), /not KV Connect's/],
    [(path) => path === "/" ? described() : new Response("A value exceeds the limit.", { status: 400 }), /400: A value exceeds/],
    [(path) => path === "/" ? described() : status(0), /status 0/],
  ];
  for (const [answer, text] of refusals) {
    await withServer(answer, async (kv) => {
      await assert.rejects(kv.commit(COMMIT), (error: Error & { code?: string; retry?: string }) => {
        assert.deepEqual([error.code, error.retry], ["kv_refused", "never"]);
        assert.match(error.message, text);
        assert.doesNotMatch(error.message, /token-|an-access-token|session/);
        return true;
      });
    });
  }
});

Deno.test("a read of a server that lags behind is not believed", async () => {
  for (const isStrong of [true, false]) {
    const answer = () =>
      message((writer) => {
        writer.tag(1, WireType.LengthDelimited).bytes(new Uint8Array());
        writer.tag(4, WireType.Varint).bool(isStrong);
        writer.tag(8, WireType.Varint).int32(1);
        writer.tag(99, WireType.LengthDelimited).string("a field of a newer server");
      });
    await withServer((path) => path === "/" ? described() : answer(), async (kv) => {
      if (isStrong) assert.equal(await kv.get(["a"]), null);
      else await assert.rejects(kv.get(["a"]), { code: "kv_unanswered" });
    });
  }
});

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}
