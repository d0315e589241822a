/**
 * From the parts of a bounded run to the one file people see, at its end. It may be done again at any point and gives the same
 * bytes.
 */
import { MillraceError } from "../../data/fault.ts";
import type { Files } from "../../ports/mod.ts";
import { folderOf, makeDurableFolder, writeWhole } from "../../ports/durable.ts";
import { mergeParts } from "./merge.ts";
import type { Part } from "./part.ts";
import type { PartStore } from "./part_store.ts";

/** Merges all parts at the end and renames once. */
export class OneFilePublisher {
  constructor(private readonly files: Files, private readonly path: string, private readonly header: Uint8Array) {}

  /** A lane was taken over by `owner`. The file of an earlier run stays until the new one takes its place. */
  recovered(owner: number): Promise<void> {
    const name = this.path.slice(this.path.lastIndexOf("/") + 1);
    return removeTemporaries(this.files, folderOf(this.path), owner, (each) => each === name);
  }

  async finish(store: PartStore, owner: string): Promise<void> {
    const parts = await store.parts();
    if (parts.length === 0 && (await store.published()).length > 0) return await this.#checkPublished(store);
    await publishParts(store, parts, { path: this.path, header: this.header, owner });
    if (parts.length > 0) await store.markPublished(parts, owner);
    await store.removePublished();
  }

  async #checkPublished(store: PartStore): Promise<void> {
    if (!(await this.files.stat(this.path))) {
      throw new MillraceError("output_missing", `${this.path} was published by this run and has been removed since`, {
        hint: "start over with --rerun to make it again",
      });
    }
    await store.removePublished();
  }
}

/**
 * Removes temporary files of owners before `owner`, whose names without their ending are `ours`. Such an owner, should it still
 * live, can then not rename its file; all it would have shown is shown by its successor.
 */
async function removeTemporaries(files: Files, folder: string, owner: number, ours: (name: string) => boolean): Promise<void> {
  for (const name of await files.list(folder)) {
    const match = /^(.+)\.(\d+)\.tmp$/.exec(name);
    if (match && Number(match[2]) < owner && ours(match[1])) await files.remove(`${folder}/${name}`);
  }
}

async function publishParts(
  store: PartStore,
  parts: readonly Part[],
  target: { readonly path: string; readonly header: Uint8Array; readonly owner: string },
): Promise<void> {
  const { files } = store;
  const folder = folderOf(target.path);
  const scratch = `${store.folder}/merge-${target.owner}`;
  await makeDurableFolder(files, folder);
  const name = target.path.slice(target.path.lastIndexOf("/") + 1);
  await writeWhole(files, { folder, name, owner: target.owner }, async (handle) => {
    if (target.header.length > 0) await handle.write(target.header);
    await mergeParts(files, parts, scratch, (bytes) => handle.write(bytes));
  });
  await files.remove(scratch);
}
