/** The ports on Deno, against the real system. */
import assert from "node:assert/strict";
import { denoClock } from "../../src/platform/clock.ts";
import { denoFiles } from "../../src/platform/files.ts";
import { openDenoKv } from "../../src/platform/kv.ts";
import { fileLocks } from "../../src/platform/locks.ts";
import { denoLog } from "../../src/platform/log.ts";
import { probeFrom } from "../../src/platform/probe.ts";
import type { KvEntry } from "../../src/ports/mod.ts";

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("files: what is written at the end is read anywhere, also through one handle", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a`;
    await assert.rejects(denoFiles.open(path, "read"), { code: "ENOENT" });
    assert.equal(await denoFiles.stat(path), null);
    const handle = await denoFiles.open(path, "write");
    await handle.write(bytes("hello "));
    const into = new Uint8Array(4);
    assert.equal(await handle.read(into, 1), 4);
    await handle.write(bytes("world"));
    await handle.sync();
    assert.equal(await handle.size(), 11);
    assert.equal(await handle.read(into, 11), 0);
    handle.close();
    const more = await denoFiles.open(path, "append");
    await more.write(bytes("!"));
    more.close();
    assert.equal(await Deno.readTextFile(path), "hello world!");
    const again = await denoFiles.open(path, "write");
    assert.equal(await again.size(), 0);
    again.close();
  }));

Deno.test("files: folders, names and missing things", () =>
  withFolder(async (folder) => {
    assert.deepEqual(await denoFiles.list(`${folder}/none`), []);
    await denoFiles.makeFolder(`${folder}/x/y`);
    await denoFiles.makeFolder(`${folder}/x/y`);
    for (const name of ["b", "a"]) (await denoFiles.open(`${folder}/x/${name}`, "write")).close();
    assert.deepEqual(await denoFiles.list(`${folder}/x`), ["a", "b", "y"]);
    await denoFiles.rename(`${folder}/x/a`, `${folder}/x/b`);
    await denoFiles.syncFolder(`${folder}/x`);
    assert.deepEqual(await denoFiles.list(`${folder}/x`), ["b", "y"]);
    assert.equal((await denoFiles.stat(`${folder}/x`))!.isFolder, true);
    assert.ok((await denoFiles.stat(`${folder}/x/b`))!.modifiedMs > 1.6e12);
    await denoFiles.remove(`${folder}/x`);
    await denoFiles.remove(`${folder}/x`);
    assert.equal(await denoFiles.stat(`${folder}/x`), null);
    assert.equal(await denoFiles.stat(`${folder}/x/b/c`), null);
  }));

Deno.test("kv: versionstamps check, values come back as bytes, keys in order", () =>
  withFolder(async (folder) => {
    const kv = await openDenoKv(`${folder}/deep/k.kv`);
    const first = await kv.commit({
      checks: [{ key: ["a", 2], versionstamp: null }],
      sets: [{ key: ["a", 2], value: bytes("x") }],
      deletes: [],
    });
    assert.ok(first.ok);
    const stale = { checks: [{ key: ["a", 2], versionstamp: null }], sets: [{ key: ["a", 1], value: bytes("y") }], deletes: [] };
    assert.deepEqual(await kv.commit(stale), { ok: false });
    assert.equal(await kv.get(["a", 1]), null);
    const sets = [{ key: ["a", 10], value: new Uint8Array(65_536) }, { key: ["a", "s"], value: new Uint8Array(0) }];
    assert.ok((await kv.commit({ checks: [{ key: ["a", 2], versionstamp: first.versionstamp }], sets, deletes: [] })).ok);
    const entries: KvEntry[] = [];
    for await (const entry of kv.list(["a"])) entries.push(entry);
    assert.deepEqual(entries.map(({ key, value }) => [key[1], value.length]), [["s", 0], [2, 1], [10, 65_536]]);
    await assert.rejects(kv.commit({ checks: [], sets: [{ key: ["big"], value: new Uint8Array(65_537) }], deletes: [] }));
    assert.ok((await kv.commit({ checks: [], sets: [], deletes: [["a", 2]] })).ok);
    assert.equal(await kv.get(["a", 2]), null);
    kv.close();
  }));

Deno.test("locks: one process at a time, and the kernel frees them at a SIGKILL", () =>
  withFolder(async (folder) => {
    const path = `${folder}/deep/owner.lock`;
    const module = new URL("../../src/platform/locks.ts", import.meta.url).href;
    const holder = new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        "--quiet",
        `const { fileLocks } = await import("${module}"); const l = await fileLocks.acquire("${path}"); console.log(l ? "held" : "no"); setInterval(() => l, 1000);`,
      ],
      stdout: "piped",
    }).spawn();
    const reader = holder.stdout.getReader();
    assert.equal(new TextDecoder().decode((await reader.read()).value), "held\n");
    assert.equal(await fileLocks.acquire(path), null);
    holder.kill("SIGKILL");
    await holder.status;
    await reader.cancel();
    const lock = await fileLocks.acquire(path);
    assert.ok(lock);
    assert.equal(await fileLocks.acquire(path), null);
    lock.release();
    lock.release();
    const next = await fileLocks.acquire(path);
    assert.ok(next);
    next.release();
  }));

Deno.test("clock: sleeping ends early, without an error, when the signal comes", async () => {
  const controller = new AbortController();
  const from = denoClock.monotonicMs();
  const sleeping = denoClock.sleep(60_000, controller.signal);
  controller.abort();
  await sleeping;
  await denoClock.sleep(60_000, controller.signal);
  assert.ok(denoClock.monotonicMs() - from < 10_000);
  assert.ok(Number.isSafeInteger(denoClock.nowMicros()));
});

Deno.test("log: levels are filtered, lines are readable or JSON", () => {
  const lines: string[] = [];
  const clock = { ...denoClock, nowMicros: () => 1_700_000_000_123_000 };
  const text = denoLog({ level: "info", format: "text" }, clock, (line) => lines.push(line));
  text.event("debug", "epoch_flipped", { lane: 0 });
  text.event("info", "lane_taken", { lane: 1, path: "a/b.kv", reason: "old owner: gone" });
  denoLog({ level: "debug", format: "json" }, clock, (line) => lines.push(line)).event("debug", "epoch_flipped", { lane: 0, late: true });
  assert.deepEqual(lines, [
    '22:13:20.123 info    lane_taken lane=1 path=a/b.kv reason="old owner: gone"\n',
    '{"time":"2023-11-14T22:13:20.123Z","level":"debug","event":"epoch_flipped","lane":0,"late":true}\n',
  ]);
});

Deno.test("probe: kills at the counted passing of a step, or of any, and only then", () => {
  const killsAt = (variables: Record<string, string>) => {
    let kills = "";
    let passed = 0;
    const probe = probeFrom({ get: (name) => variables[name] }, () => kills += `${passed} `, () => kills += `frozen ${passed} `);
    for (const step of ["take_over", "fenced", "intent_written", "sink_delivered", "intent_written", "intent_written"] as const) {
      passed++;
      probe.step(step, "");
    }
    return kills;
  };
  assert.equal(killsAt({}), "");
  assert.equal(killsAt({ MILLRACE_KILL_AT: "intent_written:2" }), "5 ");
  assert.equal(killsAt({ MILLRACE_KILL_AFTER_STEPS: "2" }), "2 ");
  assert.equal(killsAt({ MILLRACE_FREEZE_AT: "intent_written:2" }), "frozen 5 ");
  assert.throws(() => killsAt({ MILLRACE_KILL_AT: "intent_written" }), { code: "kill_setting" });
  assert.throws(() => killsAt({ MILLRACE_FREEZE_AT: ":2" }), { code: "kill_setting" });
  assert.throws(() => killsAt({ MILLRACE_KILL_AFTER_STEPS: "soon" }), { code: "kill_setting" });
});

Deno.test("probe: the process is really gone, by SIGKILL", async () => {
  const module = new URL("../../src/platform/probe.ts", import.meta.url).href;
  const code =
    `const { probeFrom } = await import("${module}"); const p = probeFrom(Deno.env); p.step("fenced", ""); console.log("one"); p.step("fenced", ""); console.log("two");`;
  const ran = await new Deno.Command(Deno.execPath(), { args: ["eval", "--quiet", code], env: { MILLRACE_KILL_AT: "fenced:2" } }).output();
  assert.equal(ran.signal, "SIGKILL");
  assert.equal(new TextDecoder().decode(ran.stdout), "one\n");
});

Deno.test("what is no file is neither replaced nor removed", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const pipe = `${folder}/pipe`;
    assert.equal((await new Deno.Command("mkfifo", { args: [pipe] }).output()).code, 0);
    await Deno.writeTextFile(`${folder}/made`, "x");
    await assert.rejects(denoFiles.rename(`${folder}/made`, pipe), { code: "not_a_file" });
    await assert.rejects(denoFiles.remove(pipe), { code: "not_a_file" });
    assert.equal((await Deno.lstat(pipe)).isFile, false);
    await denoFiles.rename(`${folder}/made`, `${folder}/there`);
    await denoFiles.remove(`${folder}/there`);
    assert.equal(await denoFiles.stat(`${folder}/there`), null);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
