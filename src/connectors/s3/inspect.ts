/** What `check --connect` learns from an object store. Asks for one name and changes nothing. */
import type { Finding } from "../../component/component.ts";
import { MillraceError } from "../../data/fault.ts";
import type { World } from "../../ports/mod.ts";
import { S3Client } from "./s3_client.ts";
import type { S3Target } from "./s3_settings.ts";

export async function inspectStore(world: World, target: S3Target): Promise<readonly Finding[]> {
  try {
    await (await S3Client.open(world, target)).check();
    return [{ level: "fine", text: `the bucket "${target.bucket}" is there, and this key may list it` }];
  } catch (error) {
    if (!(error instanceof MillraceError) || error.retry !== "never") throw error;
    return [{ level: "fault", text: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) }];
  }
}
