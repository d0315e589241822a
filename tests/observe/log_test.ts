/** The log: formats, levels, and a bound to how often one event is written. */
import assert from "node:assert/strict";
import { denoLog, logOptions } from "../../src/platform/log.ts";

function logAt(setting: string) {
  const clock = { nowMicros: () => 1_760_000_000_000_000, monotonicMs: () => nowMs, sleep: () => Promise.resolve() };
  let nowMs = 0;
  const lines: string[] = [];
  const settings = logOptions(setting);
  return { settings, lines, log: denoLog(settings, clock, (line) => lines.push(line)), pass: (ms: number) => void (nowMs += ms) };
}

Deno.test("events are lines of text, or of JSON, and the level may change while the log is used", () => {
  const { settings, lines, log } = logAt("");
  log.event("info", "feed_connected", { connection: 1 });
  log.event("warning", "feed_lost", { records: 7, reason: "it closed" });
  settings.level = "info";
  settings.format = "json";
  log.event("info", "feed_connected", { connection: 2 });
  assert.deepEqual(lines, [
    '08:53:20.000 warning feed_lost records=7 reason="it closed"\n',
    '{"time":"2025-10-09T08:53:20.000Z","level":"info","event":"feed_connected","connection":2}\n',
  ]);
});

Deno.test("of one event twenty are written in ten seconds; the next one says how many were left out", () => {
  const { lines, log, pass } = logAt("warning,json");
  for (let i = 0; i < 500; i++) log.event("warning", "lane_dropped", { attempt: i });
  log.event("warning", "feed_lost", {});
  assert.equal(lines.length, 21);
  pass(10_000);
  log.event("warning", "lane_dropped", { attempt: 500 });
  assert.deepEqual(JSON.parse(lines.at(-1)!).leftOut, 480);
  pass(1_000);
  log.event("warning", "lane_dropped", { attempt: 501 });
  assert.equal("leftOut" in JSON.parse(lines.at(-1)!), false);
});
