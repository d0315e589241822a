/**
 * A prefix of a bucket as the place of a sink's files. A file is put under its final name only, whole; it may be put again, with
 * the same rows. Until then it is a draft on the local disk.
 */
import { assert } from "../../data/fault.ts";
import type { World } from "../../ports/mod.ts";
import { makeDurableFolder, readAt } from "../../ports/durable.ts";
import type { PartPlace } from "../files/parts/contracts.ts";
import { UPLOAD_BYTES_MAX } from "./limits.ts";
import { S3Client } from "./s3_client.ts";
import type { S3Target } from "./s3_settings.ts";

export class S3Place implements PartPlace {
  #client: S3Client | null = null;

  constructor(private readonly world: World, private readonly target: S3Target, readonly drafts: string) {}

  async open(): Promise<void> {
    await makeDurableFolder(this.world.files, this.drafts);
    this.#client = await S3Client.open(this.world, this.target);
    await this.#client.check();
  }

  async show(draft: string, name: string, bytes: number): Promise<void> {
    const key = this.target.prefix + name;
    const { files } = this.world;
    const handle = await files.open(draft, "read");
    try {
      const read = async (at: number): Promise<Uint8Array<ArrayBuffer>> => {
        const piece = await readAt(handle, at, Math.min(UPLOAD_BYTES_MAX, bytes - at));
        assert(piece.length === Math.min(UPLOAD_BYTES_MAX, bytes - at), "a draft is as long as it was written");
        return piece as Uint8Array<ArrayBuffer>;
      };
      if (bytes <= UPLOAD_BYTES_MAX) await this.#store.put(key, await read(0));
      else await this.#store.putParts(key, Math.ceil(bytes / UPLOAD_BYTES_MAX), (index) => read(index * UPLOAD_BYTES_MAX));
    } finally {
      handle.close();
    }
    await files.remove(draft);
  }

  record(name: string, content: Uint8Array): Promise<Uint8Array | null> {
    return this.#store.putOnce(this.target.prefix + name, content as Uint8Array<ArrayBuffer>);
  }

  async names(): Promise<string[]> {
    const { prefix } = this.target;
    return (await this.#store.list(prefix)).map((key) => key.slice(prefix.length));
  }

  async remove(name: string): Promise<void> {
    await this.#store.remove(this.target.prefix + name);
  }

  get #store(): S3Client {
    assert(this.#client, "a place is opened before it is used");
    return this.#client;
  }
}
