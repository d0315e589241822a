/**
 * A checkpoint store that several processes share, over KV Connect (denokv speaks it). Invariant: a write is sent once. Where it is
 * not answered nobody knows whether it took place, and that is what the caller is told: were it sent again behind his back, its
 * own first copy would fail its checks, and he would take himself for superseded. (Deno's built-in client sends it again, and a
 * commit takes it 44 ms beside the 1 ms of this one: docs/decisions/kv-connect.md.)
 */
import { MillraceError } from "../data/fault.ts";
import type { Kv, KvCommit, KvEntry, KvKey, SharedStore } from "../ports/kv.ts";
import { behind, decodeKey, encodeKey, rangeOf } from "./kv_keys.ts";
import { decodeRead, decodeWrite, encodeRead, encodeWrite, type RawEntry, type ReadRange, WRITE } from "./kv_messages.ts";

/** A server that is alive answers in milliseconds; behind this a request counts as unanswered. */
const ANSWER_WITHIN_MS = 10_000;
/** Entries of one read: at most 6 MB. The server allows 1,000. */
const LIST_ENTRIES = 100;
/** The server's description is asked for again this long before it expires. */
const RENEW_BEFORE_MS = 60_000;
const VERSION = 3;

interface Endpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresMs: number;
}

/** Connects when the first request is made. */
export function connectKv(store: SharedStore): Kv {
  return new ConnectedKv(store);
}

class ConnectedKv implements Kv {
  #endpoint: Promise<Endpoint> | null = null;
  readonly #closed = new AbortController();
  constructor(private readonly store: SharedStore) {}

  async get(key: KvKey): Promise<KvEntry | null> {
    const start = encodeKey(key);
    const [entry] = await this.#read({ start, end: behind(start), limit: 1 });
    return entry ? this.#entry(entry) : null;
  }

  async *list(prefix: KvKey): AsyncIterable<KvEntry> {
    const { start, end } = rangeOf(prefix);
    for (let from = start;;) {
      const entries = await this.#read({ start: from, end, limit: LIST_ENTRIES });
      for (const entry of entries) yield this.#entry(entry);
      if (entries.length < LIST_ENTRIES) return;
      from = behind(entries[entries.length - 1].key);
    }
  }

  async commit(operation: KvCommit) {
    const { status, versionstamp } = decodeWrite(await this.#ask("atomic_write", encodeWrite(operation)));
    if (status === WRITE.done) return { ok: true as const, versionstamp };
    if (status === WRITE.checkFailed) return { ok: false as const };
    if (status === WRITE.disabled) throw this.#elsewhere();
    throw this.#refused(`an answer of status ${status}`);
  }

  close(): void {
    this.#closed.abort();
  }

  async #read(range: ReadRange): Promise<readonly RawEntry[]> {
    const { entries, isNewest } = decodeRead(await this.#ask("snapshot_read", encodeRead(range)));
    if (!isNewest) throw this.#elsewhere();
    return entries;
  }

  #entry({ key, value, versionstamp }: RawEntry): KvEntry {
    const found = decodeKey(key);
    if (value === null) throw this.#refused(`a value that is not millrace's under ${JSON.stringify(found)}`);
    return { key: found, value, versionstamp };
  }

  async #ask(what: "snapshot_read" | "atomic_write", body: Uint8Array): Promise<Uint8Array> {
    const { url, headers } = await this.#connected();
    const answer = await this.#fetch(`${url}/${what}`, { ...headers, "content-type": "application/x-protobuf" }, body);
    if (answer.status === 200) return answer.body;
    if (answer.status >= 500) throw this.#unanswered(`it answers ${answer.status}`);
    this.#endpoint = null;
    throw this.#refused(`${answer.status}: ${new TextDecoder().decode(answer.body).slice(0, 200)}`);
  }

  async #connected(): Promise<Endpoint> {
    const known = await this.#endpoint;
    if (known && Date.now() < known.expiresMs) return known;
    this.#endpoint = this.#connect();
    this.#endpoint.catch(() => this.#endpoint = null);
    return await this.#endpoint;
  }

  /** Asks where and how the database is to be asked. */
  async #connect(): Promise<Endpoint> {
    const { url, token } = this.store;
    const body = new TextEncoder().encode(JSON.stringify({ supportedVersions: [VERSION] }));
    const answer = await this.#fetch(url, { authorization: `Bearer ${token}`, "content-type": "application/json" }, body);
    const text = new TextDecoder().decode(answer.body);
    if (answer.status >= 500) throw this.#unanswered(`it answers ${answer.status}`);
    if (answer.status === 401 || answer.status === 403) throw this.#refused("the token", "check token or token_file of [state]");
    if (answer.status !== 200) throw this.#refused(`${answer.status}: ${text.slice(0, 200)}`);
    const described = readDescription(text);
    if (!described) throw this.#refused("an answer that is not KV Connect's", "check url of [state]: it is the address of a denokv server");
    const endpoint = new URL(described.endpoint, url.endsWith("/") ? url : `${url}/`).href.replace(/\/$/, "");
    return {
      url: endpoint,
      headers: {
        authorization: `Bearer ${described.token}`,
        "x-denokv-version": String(VERSION),
        "x-denokv-database-id": described.databaseId,
        "user-agent": "millrace",
      },
      expiresMs: described.expiresMs - RENEW_BEFORE_MS,
    };
  }

  async #fetch(url: string, headers: Readonly<Record<string, string>>, body: Uint8Array) {
    const signal = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]);
    try {
      const response = await fetch(url, { method: "POST", headers, body: body as BodyInit, signal, redirect: "manual" });
      return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
    } catch {
      // The cause is not kept: its text holds addresses as the system sees them, and nothing a user could act on.
      throw this.#unanswered("no answer");
    }
  }

  #unanswered(how: string): MillraceError {
    return new MillraceError("kv_unanswered", `the checkpoint store at ${this.store.url} does not answer (${how})`, {
      retry: "wait",
      hint: "see that its server runs and can be reached; the run goes on when it answers",
    });
  }

  /** This server does not serve the database (any more); the next request asks who does. */
  #elsewhere(): MillraceError {
    this.#endpoint = null;
    return this.#unanswered("it does not serve the database now");
  }

  #refused(what: string, hint?: string): MillraceError {
    return new MillraceError("kv_refused", `the checkpoint store at ${this.store.url} refused: ${what}`, { hint });
  }
}

function readDescription(text: string) {
  try {
    const { databaseId, endpoints, token, expiresAt, version } = JSON.parse(text);
    const endpoint = endpoints.find((one: { consistency?: unknown }) => one.consistency === "strong")?.url;
    const expiresMs = Date.parse(expiresAt);
    const isWhole = version === VERSION && typeof endpoint === "string" && typeof token === "string" && typeof databaseId === "string";
    return isWhole && !Number.isNaN(expiresMs) ? { endpoint, token, databaseId, expiresMs } : null;
  } catch {
    return null;
  }
}
