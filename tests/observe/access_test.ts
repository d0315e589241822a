/** Who may read, and through which names. */
import assert from "node:assert/strict";
import { accessOf, isEqual, isLoopback, refusal, tokenOf } from "../../src/observe/access.ts";

const TOKEN = "0123456789abcdef0123";
const asked = (headers: Record<string, string>) => ({ headers: new Headers(headers) }) as Request;
const status = (host: string, token: string | null, headers: Record<string, string>): number | null =>
  refusal(accessOf(host, token), asked(headers))?.status ?? null;

Deno.test("on this machine's own addresses anybody on it may read, under its names only", () => {
  for (const host of ["localhost:8089", "127.0.0.1:8089", "[::1]:8089", "LOCALHOST"]) {
    assert.equal(status("127.0.0.1", null, { host }), null, host);
  }
  for (const host of ["evil.example", "evil.example:8089", "127.0.0.1.evil.example", ""]) {
    assert.equal(status("127.0.0.1", null, { host }), 403, host);
  }
});

Deno.test("another site may not read, whatever its name resolves to", () => {
  const host = "127.0.0.1:8089";
  assert.equal(status("127.0.0.1", null, { host, origin: "http://127.0.0.1:8089" }), null);
  for (const origin of ["http://evil.example", "http://127.0.0.1:9000", "null", "file://"]) {
    assert.equal(status("127.0.0.1", null, { host, origin }), 403, origin);
  }
  // Both without a host are no match.
  assert.equal(status("0.0.0.0", TOKEN, { authorization: `Bearer ${TOKEN}`, origin: "file://" }), 403);
});

Deno.test("elsewhere the token is asked for, in a header or the page's cookie", () => {
  const host = "pay.example:8089";
  assert.equal(status("0.0.0.0", TOKEN, { host }), 401);
  assert.equal(status("0.0.0.0", TOKEN, { host, authorization: `Bearer ${TOKEN}` }), null);
  assert.equal(status("0.0.0.0", TOKEN, { host, cookie: `a=b; millrace_token=${TOKEN}` }), null);
  for (const authorization of [`Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, "Bearer", `Basic ${TOKEN}`]) {
    assert.equal(status("0.0.0.0", TOKEN, { host, authorization }), 401, authorization);
  }
  assert.equal(status("0.0.0.0", TOKEN, { host, cookie: "millrace_token=%zz" }), 401);
  assert.equal(tokenOf(asked({})), "");
});

Deno.test("tokens are compared whole, of any length; loopback addresses are told from others", () => {
  assert.ok(isEqual(TOKEN, TOKEN));
  assert.ok(!isEqual("", TOKEN));
  assert.ok(!isEqual(TOKEN + TOKEN, TOKEN));
  for (const host of ["127.0.0.1", "127.1.2.3", "localhost", "::1"]) assert.ok(isLoopback(host), host);
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.evil.example", "example"]) assert.ok(!isLoopback(host), host);
});
