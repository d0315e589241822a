/** A prefix of its own that a proof has in a bucket. Invariant: only what stands below a prefix that a proof made is ever removed. */
import type { PlanContext, ProofPlace } from "../../component/component.ts";
import { assert } from "../../data/fault.ts";
import type { World } from "../../ports/mod.ts";
import { ofConnection } from "../proof_setting.ts";
import { S3Client } from "./s3_client.ts";
import type { S3Target } from "./s3_settings.ts";

/** The configured prefix; in a proof, below one of its own. */
export const ownPrefix = ({ proof }: PlanContext, prefix: string): string => proof === undefined ? prefix : `${proof}/${prefix}`;

/** What a sink writes. There is nothing to make. */
export function proofPrefix(context: PlanContext, target: S3Target): ProofPlace {
  const { proof } = context;
  return {
    ...ofConnection(context),
    key: `s3://${target.bucket}/${proof ?? ""}`,
    make: () => Promise.resolve(),
    async remove(world) {
      assert(proof !== undefined && target.prefix.startsWith(`${proof}/`), "a proof touches no prefix but its own");
      const client = await S3Client.open(world, target);
      for (const key of await client.list(`${proof}/`)) await client.remove(key);
    },
  };
}

/** The files that readers see, names that begin with "_" left out, as texts in the order of their names. */
export async function readShownTexts(target: S3Target, world: World): Promise<readonly string[]> {
  const client = await S3Client.open(world, target);
  const keys = (await client.list(target.prefix)).filter((key) => !/(^|\/)_/.test(key.slice(target.prefix.length)));
  const texts: string[] = [];
  for (const key of keys) texts.push(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await client.get(key)));
  return texts;
}
