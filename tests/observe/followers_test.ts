/** Event streams: encoded once for all, and a slow reader is dropped. */
import assert from "node:assert/strict";
import { eventText, Followers } from "../../src/observe/followers.ts";
import { FOLLOWER_LAG_MAX, FOLLOWERS_MAX } from "../../src/observe/limits.ts";

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

Deno.test("everybody who follows gets the first event of their own, then the same ones", async () => {
  const followers = new Followers();
  const readers = [1, 2, 3].map((i) => followers.follow(`first ${i}`)!.getReader());
  followers.send(eventText("snapshot", "{}"));
  const bytes: Uint8Array[] = [];
  for (const [i, reader] of readers.entries()) {
    assert.equal(text((await reader.read()).value), `first ${i + 1}`);
    bytes.push((await reader.read()).value!);
  }
  assert.equal(text(bytes[0]), "event: snapshot\ndata: {}\n\n");
  assert.ok(bytes.every((one) => one === bytes[0]), "encoded once");
  followers.close();
  for (const reader of readers) assert.equal((await reader.read()).done, true);
});

Deno.test("a reader that does not read is dropped after a bounded number of snapshots, the others go on", async () => {
  const followers = new Followers();
  const slow = followers.follow("first")!.getReader();
  const quick = followers.follow("first")!.getReader();
  await quick.read();
  for (let i = 0; i < FOLLOWER_LAG_MAX * 3; i++) {
    followers.send(String(i));
    assert.equal(text((await quick.read()).value), String(i));
  }
  assert.equal(followers.count, 1);
  assert.equal(followers.dropped, 1);
  await assert.rejects(async () => {
    for (let i = 0; i <= FOLLOWER_LAG_MAX; i++) await slow.read();
  }, /too slow/);
  followers.close();
});

Deno.test("who leaves is forgotten, and there is a bound to how many may follow", async () => {
  const followers = new Followers();
  const streams = Array.from({ length: FOLLOWERS_MAX }, () => followers.follow("")!);
  assert.equal(followers.follow(""), null);
  await streams[0].cancel();
  assert.equal(followers.count, FOLLOWERS_MAX - 1);
  assert.notEqual(followers.follow(""), null);
  followers.close();
});
