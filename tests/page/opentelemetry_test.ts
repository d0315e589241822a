/** Deno's own OpenTelemetry, switched on by its variables: what a small collector is told of a run. */
import assert from "node:assert/strict";
import { withFolder, withMillrace } from "./millrace.ts";
import { until } from "./run.ts";

interface Told {
  readonly path: string;
  readonly text: string;
}

Deno.test("with OTEL_DENO a collector is told of requests and of the runtime, under the service's name, and nothing without it", async () => {
  const told: Told[] = [];
  const collector = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    told.push({ path: new URL(request.url).pathname, text: await request.text() });
    return new Response();
  });
  const run = (more: Readonly<Record<string, string>>): Promise<void> =>
    withFolder((folder) => {
      const env = {
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_SERVICE_NAME: "payments",
        OTEL_METRIC_EXPORT_INTERVAL: "500",
        OTEL_BSP_SCHEDULE_DELAY: "500",
        TRADES_OUTPUT: folder,
        TRADES_LAKE: `${folder}/lake`,
        TRADES_FEED: "127.0.0.1:1", // Nobody is there.
        ...more,
      };
      return withMillrace(["stream", "-c", "config/trades"], env, async ({ address }) => {
        const response = await fetch(`http://${address}/metrics`, { headers: { authorization: "Bearer planted-bearer-token" } });
        await response.body?.cancel();
        if (more.OTEL_DENO === undefined) return;
        const spans = (): Told[] => told.filter(({ path }) => path === "/v1/traces");
        await until("the request is told", () => spans().some(({ text }) => text.includes("/metrics")), 30_000);
        await until("the runtime's figures are told", () => told.some(({ path }) => path === "/v1/metrics"), 30_000);
      });
    });
  try {
    await run({});
    assert.equal(told.length, 0, "nothing is sent unasked");
    await run({ OTEL_DENO: "true" });
    const span = told.find(({ path, text }) => path === "/v1/traces" && text.includes("/metrics"))!.text;
    assert.match(span, /"name":\s*"GET/);
    assert.match(span, /"key":\s*"http\.response\.status_code"/);
    assert.ok(told.every(({ text }) => text.includes(`"payments"`)), "under the service's name");
    assert.ok(told.every(({ text }) => !text.includes("planted-bearer-token")), "tokens are not told");
  } finally {
    await collector.shutdown();
  }
});
