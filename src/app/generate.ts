/** Writes a generated data set; the same seed gives the same bytes. */
import { type GeneratorOptions, generators } from "../connectors/generate/mod.ts";
import { MillraceError } from "../data/fault.ts";
import type { World } from "../ports/mod.ts";

export interface GeneratedSummary {
  readonly path: string;
  readonly bytes: number;
}

/** Undefined options take the generator's defaults. */
export async function generateDataSet(
  world: World,
  what: string,
  folder: string,
  wished: Partial<GeneratorOptions>,
): Promise<readonly GeneratedSummary[]> {
  const generator = generators.get(what);
  if (!generator) {
    throw new MillraceError("usage", `there is no generator "${what}"`, { hint: `there are: ${[...generators.keys()].join(", ")}` });
  }
  await world.files.makeFolder(folder);
  const written: GeneratedSummary[] = [];
  for (const { name, chunks } of generator.generate({ ...generator.defaults, ...wished })) {
    const path = `${folder}/${name}`;
    const handle = await world.files.open(path, "write");
    let bytes = 0;
    try {
      for (const chunk of chunks) {
        await handle.write(chunk);
        bytes += chunk.length;
      }
    } finally {
      handle.close();
    }
    written.push({ path, bytes });
  }
  return written;
}
