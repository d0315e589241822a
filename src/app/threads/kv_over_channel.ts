/**
 * The checkpoint store across threads: the main thread holds the one handle (two on one file make checked commits fail), workers ask
 * it by messages. Invariant: requests of one worker are answered each once, and at most KV_REQUESTS_MAX are open.
 */
import { assert } from "../../data/fault.ts";
import type { Kv, KvCommit, KvEntry, KvKey } from "../../ports/mod.ts";
import { KV_PAGE_ENTRIES, KV_REQUESTS_MAX } from "./limits.ts";
import { faultMessage, faultOf, type KvAnswer, type KvRequest } from "./messages.ts";

/** The worker's side. */
export class KvClient implements Kv {
  #requests = 0;
  #lists = 0;
  readonly #open = new Map<number, (answer: KvAnswer) => void>();
  readonly #waiting: (() => void)[] = [];
  constructor(private readonly send: (id: number, request: KvRequest) => void) {}

  /** An answer has come. */
  answered(id: number, answer: KvAnswer): void {
    const resolve = this.#open.get(id);
    assert(resolve, "an answer is to a request");
    this.#open.delete(id);
    resolve(answer);
    this.#waiting.shift()?.();
  }

  async get(key: KvKey): Promise<KvEntry | null> {
    const answer = await this.#ask({ kind: "get", key });
    assert(answer.kind === "entry", "a get is answered by an entry");
    return answer.entry;
  }

  async *list(prefix: KvKey): AsyncIterable<KvEntry> {
    const list = this.#lists++;
    let isLast = false;
    try {
      while (!isLast) {
        const page = await this.#ask({ kind: "list", list, prefix });
        assert(page.kind === "page", "a list is answered by pages");
        isLast = page.isLast;
        yield* page.entries;
      }
    } finally {
      if (!isLast) await this.#ask({ kind: "drop_list", list });
    }
  }

  async commit(operation: KvCommit) {
    const answer = await this.#ask({ kind: "commit", operation });
    assert(answer.kind === "committed", "a commit is answered by its result");
    return answer.result;
  }

  close(): void {}

  async #ask(request: KvRequest): Promise<KvAnswer> {
    while (this.#open.size >= KV_REQUESTS_MAX) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const id = this.#requests++;
    const answer = Promise.withResolvers<KvAnswer>();
    this.#open.set(id, answer.resolve);
    this.send(id, request);
    const given = await answer.promise;
    if (given.kind === "failed") throw faultOf(given.fault);
    return given;
  }
}

/** The main thread's side, of one worker. */
export class KvService {
  readonly #lists = new Map<number, AsyncIterator<KvEntry>>();
  constructor(private readonly kv: Kv) {}

  /** Never throws: a fault is an answer too. */
  async answer(request: KvRequest): Promise<KvAnswer> {
    try {
      switch (request.kind) {
        case "get":
          return { kind: "entry", entry: await this.kv.get(request.key) };
        case "commit":
          return { kind: "committed", result: await this.kv.commit(request.operation) };
        case "list":
          return await this.#page(request.list, request.prefix);
        case "drop_list":
          await this.#lists.get(request.list)?.return?.();
          this.#lists.delete(request.list);
          return { kind: "page", entries: [], isLast: true };
      }
    } catch (error) {
      return { kind: "failed", fault: faultMessage(error) };
    }
  }

  async #page(list: number, prefix: KvKey): Promise<KvAnswer> {
    const iterator = this.#lists.get(list) ?? this.kv.list(prefix)[Symbol.asyncIterator]();
    this.#lists.set(list, iterator);
    const entries: KvEntry[] = [];
    while (entries.length < KV_PAGE_ENTRIES) {
      const { done, value } = await iterator.next();
      if (done) {
        this.#lists.delete(list);
        return { kind: "page", entries, isLast: true };
      }
      entries.push(value);
    }
    return { kind: "page", entries, isLast: false };
  }
}
