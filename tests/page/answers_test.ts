/** What a watched run answers: probes, access, streams, the control socket. No browser needed. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { type Run, until, withRun } from "./run.ts";

const record = (id: string) => ({ id, account: "a", amount: 1, kind: "shop", at: new Date().toISOString() });

/** One GET with a Host of its own, which fetch would not send. */
function asked(run: Run, path: string, headers: Record<string, string>): Promise<number> {
  const [host, port] = run.address.split(":");
  return new Promise((resolve, reject) => {
    request({ host, port, path, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    }).on("error", reject).end();
  });
}

Deno.test("probes, refusals, and headers that keep other sites out", () =>
  withRun(async (run) => {
    await until("it is ready", async () => (await run.get("/ready")).status === 200);
    assert.deepEqual(await run.get("/live"), { status: 200, body: "live\n" });
    assert.deepEqual(await run.get("/startup"), { status: 200, body: "ok\n" });
    assert.equal((await run.get("/nothing")).status, 404);
    const host = run.address;
    for (const path of ["/", "/metrics", "/api/state", "/api/search?q=x", "/api/top"]) {
      assert.equal(await asked(run, path, { host: "evil.example" }), 403, path);
      assert.equal(await asked(run, path, { host, origin: "http://evil.example" }), 403, path);
      assert.equal(await asked(run, path, { host }), 200, path);
    }
    const posted = await fetch(`http://${run.address}/api/state`, { method: "POST" });
    await posted.body?.cancel();
    assert.equal(posted.status, 405);
    const page = await fetch(`http://${run.address}/`);
    const html = await page.text();
    assert.match(page.headers.get("content-security-policy")!, /^default-src 'none'; script-src 'self';/);
    assert.equal(page.headers.get("x-content-type-options"), "nosniff");
    assert.ok(!/<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=|https?:\/\//.test(html), "nothing inline, nothing from elsewhere");
  }));

Deno.test("two hundred event streams all get every snapshot, and are forgotten when they go", () =>
  withRun(async (run) => {
    const abort = new AbortController();
    const streams = await Promise.all(Array.from({ length: 200 }, async () => {
      const response = await fetch(`http://${run.address}/events`, { signal: abort.signal });
      return { reader: response.body!.getReader(), text: "" };
    }));
    const snapshots = (text: string): number => text.split("event: snapshot\n").length - 1;
    const following = streams.map(async (stream) => {
      const decoder = new TextDecoder();
      while (snapshots(stream.text) < 4) {
        const { done, value } = await stream.reader.read();
        if (done) return;
        stream.text += decoder.decode(value, { stream: true });
      }
    });
    await run.send(record("seen-by-all"));
    await Promise.all(following);
    for (const { text } of streams) {
      assert.ok(text.startsWith("retry: 1000\nevent: whole\ndata: {"));
      assert.ok(text.includes("seen-by-all"));
    }
    assert.match((await run.get("/metrics")).body, /^millrace_dashboard_followers 200$/m);
    abort.abort();
    await Promise.allSettled(streams.map(({ reader }) => reader.cancel()));
    await until("they are gone", async () => /^millrace_dashboard_followers 0$/m.test((await run.get("/metrics")).body));
  }));

Deno.test("another machine's address asks for a token", async () => {
  const root = new URL("../../", import.meta.url).pathname;
  const start = async (token: string) => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "src/main.ts", "stream", "-c", "config/trades", "--dashboard", "0.0.0.0:0", "--for", "1s"],
      cwd: root,
      env: { MILLRACE_DASHBOARD_TOKEN: token, TRADES_OUTPUT: await Deno.makeTempDir(), NO_COLOR: "1" },
      stdin: "null",
    }).output();
    return { code, said: new TextDecoder().decode(stderr) };
  };
  const none = await start("");
  assert.equal(none.code, 2);
  assert.match(none.said, /error\[usage\]: --dashboard 0\.0\.0\.0:0 is reachable from other machines and needs a token/);
  const short = await start("short");
  assert.equal(short.code, 2);
  assert.match(short.said, /shorter than 16 characters/);
  assert.ok(!short.said.includes('"short"'));
});
