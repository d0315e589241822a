/**
 * The requests that a sink makes of an object store. The library aws4fetch signs them; sending, patience and errors are ours.
 * Invariant: every request may be sent again, and one that changed something and lost its answer gives the same when it is.
 */
import { createHash } from "node:crypto";
import { MillraceError } from "../../data/fault.ts";
import type { World } from "../../ports/mod.ts";
import { readWhole } from "../../ports/durable.ts";
import { isPassing, type Refusal, refusalOf, refused, textOf, textsOf, unreachable } from "./errors.ts";
import { ATTEMPTS_MAX, RETRY_WAIT_MAX_MS, RETRY_WAIT_MIN_MS } from "./limits.ts";
import type { S3Connection, S3Target } from "./s3_settings.ts";

type Signer = typeof import("aws4fetch").AwsV4Signer;

interface Request {
  readonly method: "GET" | "PUT" | "POST" | "DELETE" | "HEAD";
  /** "" for the bucket itself. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** What is done, for messages. */
  readonly action: string;
}
interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}
interface Secrets {
  readonly secretAccessKey: string;
}

export class S3Client {
  #takesConditions = true;

  private constructor(
    private readonly world: World,
    private readonly bucket: string,
    private readonly connection: S3Connection & Secrets,
    private readonly Signer: Signer,
  ) {}

  /** Reads the secret and loads the library; asks nothing of the store. */
  static async open(world: World, { bucket, connection }: S3Target): Promise<S3Client> {
    const known = connection ?? fromEnvironment(world);
    const secretAccessKey = known.secretAccessKey ?? await readSecret(world, known.secretAccessKeyFile!);
    const { AwsV4Signer } = await import("aws4fetch");
    return new S3Client(world, bucket, { ...known, secretAccessKey }, AwsV4Signer);
  }

  /** Throws where the bucket cannot be used. */
  async check(): Promise<void> {
    await this.#ask({ method: "GET", key: "", query: { "list-type": "2", "max-keys": "1" }, action: "listing the bucket" });
  }

  async get(key: string): Promise<Uint8Array> {
    return (await this.#ask({ method: "GET", key, action: `reading ${key}` })).body;
  }

  async put(key: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#ask({ method: "PUT", key, body, action: `writing ${key}` });
  }

  /** Puts an object unless there is one of that name, which is then given back. A store without conditions is asked first. */
  async putOnce(key: string, body: Uint8Array<ArrayBuffer>): Promise<Uint8Array | null> {
    if (this.#takesConditions) {
      const headers = { "if-none-match": "*" };
      const answer = await this.#ask({ method: "PUT", key, body, headers, action: `writing ${key}` }, [409, 412, 501]);
      if (answer.status < 300) return null;
      if (answer.status === 501) this.#takesConditions = false;
    }
    const there = await this.#ask({ method: "GET", key, action: `reading ${key}` }, [404]);
    if (there.status === 200) return there.body;
    await this.put(key, body);
    return null;
  }

  /** In parts, for what is too large for one request: `part(i)` gives the i-th of `count`. */
  async putParts(key: string, count: number, part: (index: number) => Promise<Uint8Array<ArrayBuffer>>): Promise<void> {
    const action = `writing ${key}`;
    await this.#abortUploads(key);
    const begun = await this.#ask({ method: "POST", key, query: { uploads: "" }, action });
    const uploadId = textOf(decode(begun.body), "UploadId");
    if (!uploadId) throw refused(action, this.#endpoint, { status: begun.status, code: "", message: "no upload was begun" });
    try {
      const tags: string[] = [];
      for (let index = 0; index < count; index++) {
        const query = { partNumber: String(index + 1), uploadId };
        const answer = await this.#ask({ method: "PUT", key, query, body: await part(index), action });
        tags.push(answer.headers.get("etag") ?? "");
      }
      await this.#complete(key, uploadId, tags, action);
    } catch (error) {
      // The first error is the one to tell; what cannot be aborted now is aborted by the next attempt.
      await this.#ask({ method: "DELETE", key, query: { uploadId }, action: `giving up on ${key}` }, [404]).catch(() => {});
      throw error;
    }
  }

  /** Keys that begin so, in the order of their bytes. */
  async list(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    for (let token: string | null = "";;) {
      const query: Record<string, string> = { "list-type": "2", prefix, ...(token === "" ? {} : { "continuation-token": token }) };
      const xml = decode((await this.#ask({ method: "GET", key: "", query, action: `listing ${prefix}` })).body);
      keys.push(...textsOf(xml, "Key"));
      token = textOf(xml, "IsTruncated") === "true" ? textOf(xml, "NextContinuationToken") : null;
      if (!token) return keys;
    }
  }

  async remove(key: string): Promise<void> {
    await this.#ask({ method: "DELETE", key, action: `removing ${key}` }, [404]);
  }

  /** A completion may fail behind a status of 200, and one that was lost on the way back finds its upload gone. */
  async #complete(key: string, uploadId: string, tags: readonly string[], action: string): Promise<void> {
    const parts = tags.map((tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag.replaceAll('"', "&quot;")}</ETag></Part>`);
    const body = new TextEncoder().encode(`<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`);
    const answer = await this.#ask({ method: "POST", key, query: { uploadId }, body, action }, [404]);
    const xml = decode(answer.body);
    const isDone = answer.status === 200 && !xml.includes("<Error>");
    if (isDone || answer.status === 404 && (await this.#ask({ method: "HEAD", key, action }, [404])).status === 200) return;
    throw refused(action, this.#endpoint, refusalOf(answer.status === 200 ? 500 : answer.status, xml));
  }

  /** What crashed owners left of the same object: parts that cost room and that nobody would complete. */
  async #abortUploads(key: string): Promise<void> {
    const action = `looking for unfinished uploads of ${key}`;
    const answer = await this.#ask({ method: "GET", key: "", query: { uploads: "", prefix: key }, action }, [404, 501]);
    if (answer.status !== 200) return;
    for (const upload of decode(answer.body).split("<Upload>").slice(1)) {
      const uploadId = textOf(upload, "UploadId");
      if (!uploadId || textOf(upload, "Key") !== key) continue;
      await this.#ask({ method: "DELETE", key, query: { uploadId }, action: `giving up on ${key}` }, [404]);
    }
  }

  get #endpoint(): string {
    const { endpoint, region } = this.connection;
    return endpoint ?? `https://s3.${region}.amazonaws.com`;
  }

  #url({ key, query = {} }: Request): string {
    const { pathStyle } = this.connection;
    const base = pathStyle ? `${this.#endpoint}/${this.bucket}/` : `${this.#endpoint.replace("://", `://${this.bucket}.`)}/`;
    const path = key.split("/").map(encodeStrictly).join("/");
    const search = Object.entries(query).map(([name, value]) => `${name}=${encodeStrictly(value)}`).join("&");
    return `${base}${path}${search && `?${search}`}`;
  }

  /** Sends until there is an answer to go by: a success, or one of `expected`. */
  async #ask(request: Request, expected: readonly number[] = []): Promise<Answer> {
    const { clock, random, stopping } = this.world;
    for (let attempt = 1;; attempt++) {
      let fault: MillraceError;
      try {
        const answer = await this.#send(request);
        if (answer.status < 300 || expected.includes(answer.status)) return answer;
        const refusal: Refusal = refusalOf(answer.status, decode(answer.body));
        fault = refused(request.action, this.#endpoint, refusal);
        if (!isPassing(refusal)) throw fault;
      } catch (error) {
        if (error instanceof MillraceError) throw error;
        fault = unreachable(this.#endpoint, error);
      }
      if (attempt >= ATTEMPTS_MAX || stopping?.aborted) throw fault;
      const most = Math.min(RETRY_WAIT_MAX_MS, RETRY_WAIT_MIN_MS * 2 ** (attempt - 1));
      await clock.sleep(most / 2 + (random.uint32() % 1000) / 1000 * most / 2, stopping);
    }
  }

  async #send(request: Request): Promise<Answer> {
    const { clock } = this.world;
    const { method, headers = {}, body } = request;
    const { accessKeyId, secretAccessKey, sessionToken, region, requestTimeoutMs } = this.connection;
    const sha256 = createHash("sha256").update(body ?? new Uint8Array(0)).digest("hex");
    const signed = await new this.Signer({
      method,
      url: this.#url(request),
      headers: { ...headers, "x-amz-content-sha256": sha256 },
      body,
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === null ? {} : { sessionToken }),
      service: "s3",
      region,
      datetime: new Date(clock.nowMicros() / 1000).toISOString().replace(/[:-]|\.\d{3}/g, ""),
    }).sign();
    const late = new AbortController();
    const answered = new AbortController();
    clock.sleep(requestTimeoutMs, answered.signal).then(() => late.abort(new Error("no answer in time")));
    try {
      const response = await fetch(signed.url, { method, headers: signed.headers, body, signal: late.signal, redirect: "manual" });
      return { status: response.status, headers: response.headers, body: new Uint8Array(await response.arrayBuffer()) };
    } finally {
      answered.abort();
    }
  }
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** As signatures want it: everything but letters, digits and -._~ as hexadecimal. */
const encodeStrictly = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

async function readSecret({ files }: World, path: string): Promise<string> {
  const bytes = await readWhole(files, path);
  if (bytes) return decode(bytes).trim();
  throw new MillraceError("file_missing", `there is no file ${path} with the secret access key`, {
    hint: "check secret_access_key_file; relative paths start at the working directory",
  });
}

const REQUEST_TIMEOUT_MS = 60_000;

/** The variables that every S3 tool reads. */
function fromEnvironment({ environment }: World): S3Connection {
  const accessKeyId = environment.get("AWS_ACCESS_KEY_ID");
  const secretAccessKey = environment.get("AWS_SECRET_ACCESS_KEY");
  if (!accessKeyId || !secretAccessKey) {
    throw new MillraceError("s3_credentials", "a path begins with s3://, and nothing says with which key to write there", {
      hint: "name a connection of type s3 at the sink, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    });
  }
  const endpoint = environment.get("AWS_ENDPOINT_URL_S3") ?? environment.get("AWS_ENDPOINT_URL");
  return {
    endpoint: endpoint?.replace(/\/+$/, "") ?? null,
    region: environment.get("AWS_REGION") ?? environment.get("AWS_DEFAULT_REGION") ?? "us-east-1",
    accessKeyId,
    secretAccessKey,
    secretAccessKeyFile: null,
    sessionToken: environment.get("AWS_SESSION_TOKEN") ?? null,
    pathStyle: true,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
  };
}
