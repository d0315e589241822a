/** The shared checkpoint store on a real denokv: what our client and Deno's own read of one another, limits, order, checks. */
import assert from "node:assert/strict";
import { connectKv } from "../../src/platform/kv_connect.ts";
import type { KvKey } from "../../src/ports/mod.ts";
import { inTemporaryFolder, projectRoot } from "../golden/command_line.ts";
import { withServers } from "./mod.ts";

const KEYS: readonly KvKey[] = [
  ["t", ""],
  ["t", "a\0b"],
  ["t", "ä", 1],
  ["t", "ä", 10],
  ["t", -1.5],
  ["t", 0],
  ["t", 2],
  ["t", 10],
  ["t", 2 ** 40, "head"],
];
const bytes = (text: string) => new TextEncoder().encode(text);

await withServers("what one client writes the other reads, in the same order", ["denokv"], async ({ denokv: { url, token } }) => {
  Deno.env.set("DENO_KV_ACCESS_TOKEN", token);
  using theirs = await Deno.openKv(url);
  const ours = connectKv({ url, token });
  const space = crypto.randomUUID();
  const result = await ours.commit({
    checks: [],
    sets: KEYS.map((key) => ({ key: [space, ...key], value: bytes(key.join()) })),
    deletes: [],
  });
  assert.ok(result.ok);
  const seen = [];
  for await (const { key, value, versionstamp } of theirs.list<Uint8Array>({ prefix: [space, "t"] })) {
    seen.push({ key, value, versionstamp });
  }
  assert.deepEqual(seen, KEYS.map((key) => ({ key: [space, ...key], value: bytes(key.join()), versionstamp: result.versionstamp })));
  const back = [];
  for await (const entry of ours.list([space, "t"])) back.push(entry);
  assert.deepEqual(back, seen);
  assert.deepEqual(await ours.get([space, "t", 10]), seen[7]);
  assert.equal(await ours.get([space, "t"]), null);
  await theirs.set([space, "foreign"], { not: "bytes" });
  await assert.rejects(ours.get([space, "foreign"]), { code: "kv_refused" });
  ours.close();
});

await withServers(
  "a commit checks, sets and deletes as one; the largest that the engine makes fits",
  ["denokv"],
  async ({ denokv: { url, token } }) => {
    const kv = connectKv({ url, token });
    const space = crypto.randomUUID();
    const one = await kv.commit({
      checks: [{ key: [space, 1], versionstamp: null }],
      sets: [{ key: [space, 1], value: bytes("1") }],
      deletes: [],
    });
    assert.ok(one.ok);
    const set = [{ key: [space, 2], value: bytes("2") }];
    assert.deepEqual(await kv.commit({ checks: [{ key: [space, 1], versionstamp: null }], sets: set, deletes: [] }), { ok: false });
    assert.equal(await kv.get([space, 2]), null);
    const { versionstamp } = one;
    assert.ok((await kv.commit({ checks: [{ key: [space, 1], versionstamp }], sets: set, deletes: [[space, 1]] })).ok);
    assert.deepEqual([await kv.get([space, 1]), (await kv.get([space, 2]))?.value], [null, bytes("2")]);
    const large = Array.from({ length: 12 }, (_, i) => ({ key: [space, "large", i], value: new Uint8Array(60_000).fill(i) }));
    assert.ok((await kv.commit({ checks: [], sets: large, deletes: Array.from({ length: 300 }, (_, i) => [space, "old", i]) })).ok);
    const many = Array.from({ length: 600 }, (_, i) => ({ key: [space, "many", i], value: bytes(String(i)) }));
    assert.ok((await kv.commit({ checks: [], sets: many, deletes: [] })).ok);
    const read = [];
    for await (const { key, value } of kv.list([space, "many"])) read.push([key[2], new TextDecoder().decode(value)]);
    assert.deepEqual(read, many.map((_, i) => [i, String(i)]));
    await assert.rejects(kv.commit({ checks: [], sets: [{ key: [space, 3], value: new Uint8Array(70_000) }], deletes: [] }), {
      code: "kv_refused",
    });
    kv.close();
  },
);

await withServers("a wrong token is refused, and not shown", ["denokv"], async ({ denokv: { url } }) => {
  const kv = connectKv({ url, token: "not-the-right-one" });
  await assert.rejects(kv.get(["a"]), (error: Error & { code?: string }) => {
    assert.equal(error.code, "kv_refused");
    assert.doesNotMatch(error.message, /not-the-right/);
    return true;
  });
  kv.close();
});

await withServers("check --connect asks the store, and a bounded run in it is done only once", ["denokv"], async ({ denokv }) => {
  await inTemporaryFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/rows.csv`, "id\n1\n2\n");
    const name = `p${crypto.randomUUID().slice(0, 8)}`;
    await Deno.writeTextFile(
      `${folder}/${name}.toml`,
      `[state]
url = "${denokv.url}"
token_file = "token"
[tables.names]
type = "csv"
path = "rows.csv"
key = "id"
fields = { id = "int" }
[sources.rows]
type = "csv"
path = "rows.csv"
fields = { id = "int" }
[transforms.known]
type = "decide"
inputs = ["rows"]
lookup = { name = "names[id]" }
emit = { id = "id", known = "name != null" }
[sinks.out]
type = "csv"
inputs = ["known"]
path = "out.csv"
`,
    );
    const millrace = async (...words: string[]) => {
      const args = ["run", "-A", "--no-check", `${projectRoot()}/src/main.ts`, ...words];
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: folder, env: { NO_COLOR: "1" } }).output();
      const said = new TextDecoder().decode(stderr);
      assert.doesNotMatch(said, /not-the-right-one|token-of-the-tests/);
      return { code, out: new TextDecoder().decode(stdout), said };
    };
    await Deno.writeTextFile(`${folder}/token`, "not-the-right-one\n");
    const refused = await millrace("check", `${name}.toml`, "--connect");
    assert.equal(refused.code, 1);
    assert.match(refused.out, /state "http:.*fault.*refused: the token/);
    await Deno.writeTextFile(`${folder}/token`, `${denokv.token}\n`);
    assert.match((await millrace("check", `${name}.toml`, "--connect")).out, /state "http:.*fine.*was not run yet/);
    const statusOf = ({ out, said }: { out: string; said: string }) => out ? JSON.parse(out)[0].status : said;
    assert.equal(statusOf(await millrace("run", `${name}.toml`, "-q", "--json")), "done");
    assert.equal(await Deno.readTextFile(`${folder}/out.csv`), "id,known\n1,true\n2,true\n");
    await Deno.remove(`${folder}/.millrace`, { recursive: true });
    assert.equal(statusOf(await millrace("run", `${name}.toml`, "-q", "--json")), "already_done", "another machine knows it too");
    assert.match((await millrace("check", `${name}.toml`, "--connect")).out, /keeps run [a-z0-9]+-[a-z0-9]+/);
  });
});
