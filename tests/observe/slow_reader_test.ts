/** A reader over a real socket that never reads: it is dropped, and what lies in memory for it is bounded. */
import assert from "node:assert/strict";
import { FOLLOWER_LAG_MAX } from "../../src/observe/limits.ts";
import { type Seen, SNAPSHOT_BYTES, SYSTEM_BYTES_MAX } from "./slow_reader.ts";

Deno.test("who never reads its socket is dropped, counted and not buffered for; who reads gets every snapshot", async () => {
  const script = new URL("./slow_reader.ts", import.meta.url).href;
  const ran = await new Deno.Command(Deno.execPath(), { args: ["run", "-A", "--no-check", "--quiet", script] }).output();
  assert.equal(ran.code, 0, new TextDecoder().decode(ran.stderr));
  const { sent, dropped, metrics, heldMax, followers } = JSON.parse(new TextDecoder().decode(ran.stdout)) as Seen;
  assert.equal(dropped, 1, `nobody was dropped in ${sent} snapshots of ${SNAPSHOT_BYTES} bytes`);
  assert.match(metrics, /^millrace_dashboard_followers_dropped_total 1$/m);
  assert.ok(heldMax < SYSTEM_BYTES_MAX + 2 * FOLLOWER_LAG_MAX * SNAPSHOT_BYTES, `${heldMax} bytes more were held`);
  assert.equal(followers, 1, "the one that reads goes on");
});
