/** The server under load, a short round of the documented command: bench/socket_server.ts. */
import assert from "node:assert/strict";
import { ROOT } from "./support.ts";

async function bench(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "bench/socket_server.ts", ...words],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert.equal(code, 0, text + new TextDecoder().decode(stderr));
  return text;
}
const number = (text: string, pattern: RegExp): number => {
  const match = pattern.exec(text);
  assert.ok(match, text);
  return Number(match[1]);
};

Deno.test("200 clients at 50 records/s each get their rate, in bounded memory", async () => {
  const text = await bench("clients", "--clients", "200", "--rate", "50", "--seconds", "4");
  assert.ok(number(text, /per client ([\d.]+) to/) >= 40, text);
  assert.ok(number(text, /, (\d+) MB at the end/) < 350, text);
  assert.match(text, /stopped: [\d,]+ records to 200 clients$/m);
});

Deno.test("1,000 connections come, misbehave and go; a new client is served at once", async () => {
  const text = await bench("churn", "--connections", "1000");
  assert.ok(number(text, /first record after ([\d.]+) ms/) < 1000, text);
  assert.ok(number(text, /peak (\d+) MB/) < 350, text);
});
