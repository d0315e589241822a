/**
 * Prometheus itself scrapes a run under load for a minute: its rates are those of what was sent and of what lies at the sink, and every
 * query of the shipped dashboard and alerts is one that it can answer.
 */
import assert from "node:assert/strict";
import { type Run, until, withRun } from "./run.ts";

const GRAFANA = new URL("../../deploy/grafana/", import.meta.url);
const LOAD_SECONDS = 60;
const RECORDS_PER_SECOND = 1_000;
const SENDS_PER_SECOND = 20;

const hasPrometheus = await new Deno.Command("prometheus", { args: ["--version"] }).output().then(({ success }) => success, () => false);
if (!hasPrometheus && Deno.env.get("CI") === "true") throw new Error("there is no Prometheus here: install the package `prometheus`");

interface Prometheus {
  query(expression: string): Promise<readonly { readonly metric: Record<string, string>; readonly value: readonly [number, string] }[]>;
}

async function withPrometheus(address: string, work: (prometheus: Prometheus) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = probe.addr;
  probe.close();
  const job = { job_name: "millrace", static_configs: [{ targets: [address] }] };
  const rules = new URL("alerts.yaml", GRAFANA).pathname;
  const config = { global: { scrape_interval: "1s", evaluation_interval: "1s" }, rule_files: [rules], scrape_configs: [job] };
  await Deno.writeTextFile(`${folder}/prometheus.yml`, JSON.stringify(config)); // JSON is YAML.
  const child = new Deno.Command("prometheus", {
    args: [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const ask = async (path: string): Promise<Response> => await fetch(`http://127.0.0.1:${port}${path}`);
  try {
    await until("Prometheus is there", async () => {
      try {
        const response = await ask("/-/ready");
        await response.body?.cancel();
        return response.ok;
      } catch {
        return false;
      }
    }, 30_000);
    await work({
      async query(expression) {
        const { status, error, data } = await (await ask(`/api/v1/query?query=${encodeURIComponent(expression)}`)).json();
        assert.equal(status, "success", `${expression}: ${error}`);
        return data.result;
      },
    });
  } finally {
    child.kill("SIGTERM");
    await child.status;
    await Deno.remove(folder, { recursive: true });
  }
}

/** Evenly, for LOAD_SECONDS; one record in a hundred is refused. Returns how many were sent. */
async function load(run: Run): Promise<number> {
  const began = performance.now();
  let sent = 0;
  for (let beat = 0; beat < LOAD_SECONDS * SENDS_PER_SECOND; beat++) {
    const lines = Array.from({ length: RECORDS_PER_SECOND / SENDS_PER_SECOND }, () => {
      const number = sent++;
      const amount = number % 100 === 99 ? "none" : 1 + number % 50;
      return JSON.stringify({
        id: `p${number}`,
        account: "a",
        amount,
        kind: number % 2 === 0 ? "shop" : "bar",
        at: new Date().toISOString(),
      });
    });
    await run.send(lines.join("\n"));
    const dueMs = began + (beat + 1) * 1_000 / SENDS_PER_SECOND;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
  }
  return sent;
}

interface GrafanaPanel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}
async function dashboardQueries(): Promise<readonly { readonly title: string; readonly expression: string }[]> {
  const { panels } = JSON.parse(await Deno.readTextFile(new URL("millrace.json", GRAFANA))) as { panels: GrafanaPanel[] };
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ title, expression: expr.replaceAll("$__rate_interval", "30s").replaceAll(/\$(?:job|pipeline)\b/g, ".*") }))
  );
}
/** Nothing here gives them values: no source that tells its lag, no connection that broke. */
const EMPTY_HERE = new Set(["Lag by partition"]);

const name = "Prometheus' rates are those of the records at the sink, and every shipped query has an answer";
if (!hasPrometheus) Deno.test(`SKIPPED, no Prometheus here: ${name}`, () => console.log(`skipped: ${name}`));
else {
  Deno.test(name, async () => {
    await withRun(async (run) => {
      await withPrometheus(run.address, async (prometheus) => {
        const sent = await load(run);
        const counter = (role: string, node: string): string => `millrace_records_in_total{role="${role}",node="${node}"}`;
        const one = async (expression: string): Promise<number> => Number((await prometheus.query(expression))[0]?.value[1]);
        await until("all that was sent is counted", async () => await one(counter("source", "payments")) === sent);
        await until("and judged", async () => await one(counter("sink", "sink:judged")) === sent * 0.99);
        // Over the middle of the load, where neither its beginning nor its end counts.
        const measured = await one(`rate(${counter("source", "payments")}[40s] offset 5s)`);
        assert.ok(Math.abs(measured / RECORDS_PER_SECOND - 1) < 0.05, `${measured} records per second were measured`);
        const written = await one(`rate(${counter("sink", "sink:judged")}[40s] offset 5s)`);
        assert.ok(Math.abs(written / measured / 0.99 - 1) < 0.02, `${written} written of ${measured}`);
        assert.equal(await one(`millrace_rejected_by_reason_total{reason="type:amount"}`), sent * 0.01);
        for (const { title, expression } of await dashboardQueries()) {
          const result = await prometheus.query(expression);
          if (!EMPTY_HERE.has(title)) assert.ok(result.length > 0, `"${title}" shows nothing: ${expression}`);
        }
        const rules = (await prometheus.query("ALERTS")).map(({ metric }) => metric.alertname);
        assert.deepEqual(rules.filter((alert) => alert !== "MillraceRejects"), [], "nothing is wrong with this run");
        await everyAlertIsRight(run, prometheus);
        await run.stop();
        assert.equal(await run.rowsOf("judged"), sent * 0.99);
      });
    });
  });
}

/** Each expression is understood, and asks for metrics that exist. */
async function everyAlertIsRight(run: Run, prometheus: Prometheus): Promise<void> {
  const known = new Set([...(await run.get("/metrics")).body.matchAll(/^# TYPE (\S+)/gm)].map(([, metric]) => metric));
  const yaml = await Deno.readTextFile(new URL("alerts.yaml", GRAFANA));
  const expressions = [...yaml.matchAll(/^ {8}expr: (?:>-\n((?: {10}.*\n)+)|(.*)\n)/gm)].map(([, folded, plain]) => folded ?? plain);
  assert.equal(expressions.length, [...yaml.matchAll(/- alert:/g)].length);
  for (const expression of expressions) {
    await prometheus.query(expression.trim());
    for (const [metric] of expression.matchAll(/\b(?:millrace|process)_\w+/g)) {
      const family = metric.replace(/_bucket$/, "");
      if (family !== "millrace_source_lag_records") assert.ok(known.has(family), `there is no ${family}`);
    }
  }
}
