/** The object store through the sink's own client and through whole pipelines, against a real server. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { AwsV4Signer } from "aws4fetch";
import { UPLOAD_BYTES_MAX } from "../../src/connectors/s3/limits.ts";
import { inspectStore } from "../../src/connectors/s3/inspect.ts";
import { S3Place } from "../../src/connectors/s3/s3_place.ts";
import type { S3Target } from "../../src/connectors/s3/s3_settings.ts";
import { MillraceError } from "../../src/data/fault.ts";
import { denoWorld } from "../../src/platform/world.ts";
import type { World } from "../../src/ports/mod.ts";
import { inTemporaryFolder, projectRoot } from "../golden/command_line.ts";
import { lackingS3, type S3Server, s3Server } from "./s3_server.ts";

const quiet = { out: () => {}, err: () => {}, isTerminal: false, colors: false, width: 80 };
const realWorld = (): World => denoWorld({ terminal: quiet, log: { level: "error", format: "text" } });
/** Waits that nobody has to wait for. */
const hastyWorld = (): World => {
  const world = realWorld();
  return { ...world, clock: { ...world.clock, sleep: (ms, signal) => world.clock.sleep(ms > 1000 ? ms : 0, signal) } };
};

const reason = await lackingS3();

function withStore(name: string, body: (store: S3Server) => Promise<void>): void {
  if (reason !== null) return Deno.test(`SKIPPED (${reason}): ${name}`, () => {});
  Deno.test(name, async () => {
    const store = await s3Server();
    if ("skipped" in store) throw new Error(store.skipped);
    await store.start();
    await body(store);
  });
}

function targetOf(store: S3Server, bucket: string, change: Partial<NonNullable<S3Target["connection"]>> = {}): S3Target {
  const { endpoint, accessKey: accessKeyId, secretKey: secretAccessKey } = store;
  const none = { secretAccessKeyFile: null, sessionToken: null };
  const connection = {
    endpoint,
    region: "us-east-1",
    accessKeyId,
    secretAccessKey,
    ...none,
    pathStyle: true,
    requestTimeoutMs: 20_000,
    ...change,
  };
  return { bucket, prefix: "lake/", connection };
}

async function errorOf(promise: Promise<unknown>): Promise<MillraceError> {
  const error = await promise.then(() => null, (thrown) => thrown);
  assert.ok(error instanceof MillraceError, String(error));
  return error;
}
const bytesOf = (text: string) => new TextEncoder().encode(text);

withStore(
  "names of every kind are put, listed in pages and removed, and hold what was put",
  (store) =>
    inTemporaryFolder(async (folder) => {
      const bucket = await store.bucket();
      const place = new S3Place(realWorld(), targetOf(store, bucket), `${folder}/drafts`);
      await place.open();
      const names = ["a.ndjson", "day=2025-01-01/kind=a%2Fb/x.parquet", "n=%C3%BC+%25/a b&c=d.json", "_manifest/day=1/ü.json"];
      for (const name of names) {
        Deno.writeTextFileSync(`${folder}/drafts/1.tmp`, name);
        await place.show(`${folder}/drafts/1.tmp`, name, bytesOf(name).length);
        assert.equal(Deno.readTextFileSync(`${store.folderOf(bucket)}/lake/${name}`), name);
      }
      assert.deepEqual([...Deno.readDirSync(`${folder}/drafts`)], []);
      for (let i = 0; i < 1100; i++) Deno.writeTextFileSync(`${store.folderOf(bucket)}/lake/${String(i).padStart(4, "0")}`, "");
      const listed = await place.names();
      assert.equal(listed.length, 1100 + names.length);
      assert.deepEqual(names.filter((name) => !listed.includes(name)), []);
      await place.remove(names[1]);
      await place.remove(names[1]);
      assert.ok(!(await place.names()).includes(names[1]));
    }),
);

withStore("an entry is written once: whoever comes later is told what is there", (store) =>
  inTemporaryFolder(async (folder) => {
    const place = new S3Place(realWorld(), targetOf(store, await store.bucket()), folder);
    await place.open();
    assert.equal(await place.record("_manifest/a.json", bytesOf("first")), null);
    assert.equal(new TextDecoder().decode((await place.record("_manifest/a.json", bytesOf("second")))!), "first");
    const racing = await Promise.all(Array.from({ length: 8 }, (_, i) => place.record("_manifest/b.json", bytesOf(`racer ${i}`))));
    assert.equal(racing.filter((there) => there === null).length, 1);
  }));

withStore(
  "a large file goes in parts and appears whole; what a crash left of an earlier attempt is given up",
  (store) =>
    inTemporaryFolder(async (folder) => {
      const bucket = await store.bucket();
      const place = new S3Place(realWorld(), targetOf(store, bucket), folder);
      await place.open();
      const begun = await request(store, "POST", `${bucket}/lake/big.bin?uploads`);
      assert.match(begun, /<UploadId>/);
      const bytes = new Uint8Array(2 * UPLOAD_BYTES_MAX + 12_345);
      for (let i = 0; i < bytes.length; i += 997) bytes[i] = i % 251;
      Deno.writeFileSync(`${folder}/draft`, bytes);
      await place.show(`${folder}/draft`, "big.bin", bytes.length);
      const there = Deno.readFileSync(`${store.folderOf(bucket)}/lake/big.bin`);
      const digest = (one: Uint8Array) => createHash("sha256").update(one).digest("hex");
      assert.equal(digest(there), digest(bytes));
      assert.doesNotMatch(await request(store, "GET", `${bucket}?uploads`), /<UploadId>/);
    }),
);

withStore("refusals tell what to do, and never the secret", async (store) => {
  const folder = await Deno.makeTempDir();
  const open = (target: S3Target) => errorOf(new S3Place(hastyWorld(), target, folder).open());
  const bucket = await store.bucket();
  const secretAccessKey = "wrong-and-not-to-be-seen";
  const wrong = await open(targetOf(store, bucket, { secretAccessKey }));
  assert.deepEqual([wrong.code, wrong.retry], ["s3_refused", "never"]);
  assert.match(wrong.hint!, /access_key_id, the secret and `region`/);
  assert.ok(!`${wrong.message} ${wrong.hint} ${wrong.stack} ${wrong.cause}`.includes(secretAccessKey));
  const missing = await open(targetOf(store, "no-such-bucket"));
  const [fault] = await inspectStore(hastyWorld(), targetOf(store, "no-such-bucket"));
  assert.deepEqual([fault.level, fault.hint], ["fault", missing.hint]);
  const [fine] = await inspectStore(hastyWorld(), targetOf(store, bucket));
  assert.deepEqual([fine.level, fine.text], ["fine", `the bucket "${bucket}" is there, and this key may list it`]);
  assert.match(missing.hint!, /make the bucket first/);
  const away = await open(targetOf(store, bucket, { endpoint: "http://127.0.0.1:1" }));
  assert.deepEqual([away.code, away.retry], ["s3_unreachable", "wait"]);
  const lost = await open(targetOf(store, bucket, { secretAccessKey: null, secretAccessKeyFile: `${folder}/none` }));
  assert.equal(lost.code, "file_missing");
  Deno.writeTextFileSync(`${folder}/secret`, `${store.secretKey}\n`);
  await new S3Place(realWorld(), targetOf(store, bucket, { secretAccessKey: null, secretAccessKeyFile: `${folder}/secret` }), folder)
    .open();
  await Deno.remove(folder, { recursive: true });
});

const STREAM = `[epoch]
records_max = 20

[sources.numbers]
type   = "csv"
path   = "numbers.csv"
fields = { id = "int" }

[sinks.lake]
type    = "ndjson"
publish = "parts"
inputs  = ["numbers"]
path    = "\${LAKE}"
roll    = { size = "200B" }
`;

withStore(
  "a store that goes away is waited for; with the variables of the environment no connection is needed",
  (store) =>
    inTemporaryFolder(async (folder) => {
      const bucket = await store.bucket();
      const ids = Array.from({ length: 3000 }, (_, i) => i + 1);
      Deno.writeTextFileSync(`${folder}/lake.toml`, STREAM);
      Deno.writeTextFileSync(`${folder}/numbers.csv`, `id\n${ids.join("\n")}\n`);
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", `${projectRoot()}/src/main.ts`, "run", "lake.toml", "--quiet"],
        cwd: folder,
        env: {
          NO_COLOR: "1",
          LAKE: `s3://${bucket}/deep/er/`,
          AWS_ACCESS_KEY_ID: store.accessKey,
          AWS_SECRET_ACCESS_KEY: store.secretKey,
          AWS_ENDPOINT_URL: store.endpoint,
        },
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const output = child.output();
      const place = `${store.folderOf(bucket)}/deep/er`;
      const shown = () => {
        try {
          return [...Deno.readDirSync(place)].filter(({ name }) => name.endsWith(".ndjson")).map(({ name }) => name).sort();
        } catch {
          return [];
        }
      };
      while (shown().length < 10) await new Promise((resolve) => setTimeout(resolve, 10));
      await store.stop();
      const before = shown().length;
      await new Promise((resolve) => setTimeout(resolve, 1500));
      assert.equal(shown().length, before);
      await store.start();
      const { code, stderr } = await output;
      assert.equal(code, 0, new TextDecoder().decode(stderr));
      assert.ok(before < shown().length, "the store went away before the end");
      const rows = shown().flatMap((name) => Deno.readTextFileSync(`${place}/${name}`).trimEnd().split("\n"));
      assert.deepEqual(rows.map((row) => JSON.parse(row).id), ids);
    }),
);

/** By another way than the sink's client. */
async function request(store: S3Server, method: string, path: string): Promise<string> {
  const url = `${store.endpoint}/${path}`;
  const signed = await new AwsV4Signer({
    method,
    url,
    accessKeyId: store.accessKey,
    secretAccessKey: store.secretKey,
    service: "s3",
    region: "us-east-1",
  }).sign();
  const response = await fetch(signed.url, { method, headers: signed.headers });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return text;
}
