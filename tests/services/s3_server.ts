/**
 * An object store for tests: versitygw, built by `go install` (two minutes of one core, once) and run over a folder of its own.
 * What it holds can be looked at as files, past every S3 client.
 */
import { cacheFolder, freePort, instanceOf, isListening, type ServerProgram, underLock } from "./instance.ts";
import type { Skipped, TestServer } from "./mod.ts";
import { download, hasProgram } from "./run_command.ts";

const VERSION = "v1.8.0";
const ACCESS_KEY = "lake";
const SECRET_KEY = "secret-of-the-tests";

export interface S3Server extends TestServer {
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Makes an empty bucket of a name of its own. */
  bucket(): Promise<string>;
  /** Where the bucket's objects lie as files. */
  folderOf(bucket: string): string;
}

const program = (): string => `${cacheFolder()}/bin/versitygw`;
const isBuilt = (): Promise<boolean> => Deno.stat(program()).then(() => true, () => false);

/** Why there is no store here; null when there is or can be one. Under CI=true that is an error. */
export async function lackingS3(): Promise<string | null> {
  if (await isBuilt() || await hasProgram("go")) return null;
  if (Deno.env.get("CI") === "true") throw new Error("no object store: there is no go to build versitygw");
  return "no object store: there is no go to build versitygw";
}

/** A running store, shared by the files of this test process; it ends with the process. */
export async function s3Server(): Promise<S3Server | Skipped> {
  const skipped = await lackingS3();
  if (skipped !== null) return { skipped };
  await underLock(`${cacheFolder()}/services/versitygw.lock`, async () => {
    if (await isBuilt()) return;
    await download("versitygw", "go", ["install", `github.com/versity/versitygw/cmd/versitygw@${VERSION}`], {
      GOBIN: `${cacheFolder()}/bin`,
    });
  });
  const { folder, facts, start, stop } = await instanceOf(versitygw);
  const folderOf = (bucket: string) => `${folder}/data/${bucket}`;
  return {
    endpoint: `http://127.0.0.1:${facts.port}`,
    accessKey: ACCESS_KEY,
    secretKey: SECRET_KEY,
    start,
    stop,
    folderOf,
    bucket: async () => {
      const bucket = `lake-${crypto.randomUUID()}`;
      await Deno.mkdir(folderOf(bucket));
      return bucket;
    },
  };
}

const versitygw: ServerProgram = {
  name: "versitygw",
  prepare: async (folder) => {
    await Deno.mkdir(`${folder}/data`);
    return { port: String(freePort()) };
  },
  command: (folder, { port }) => {
    const keys = ["--access", ACCESS_KEY, "--secret", SECRET_KEY];
    return Promise.resolve([program(), ...keys, "--port", `127.0.0.1:${port}`, "--quiet", "posix", `${folder}/data`]);
  },
  ready: (_folder, { port }) => isListening(Number(port)),
};
