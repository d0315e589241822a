/** The ids in the records of an embedded topic, by a reader of its files that is not the product's: whole epochs only. */
import { crc32 } from "node:zlib";

interface Span {
  readonly partition: number;
  readonly byte: number;
  readonly endByte: number;
}

/** In the order of partitions; empty where there is no topic. */
export async function readTopicIds(folder: string, topic: string): Promise<number[]> {
  const place = `${folder}/${topic}`;
  const described = await Deno.readTextFile(`${place}/topic.json`).catch(() => null);
  if (described === null) return [];
  const generation = `${place}/${JSON.parse(described).generation}`;
  const ids: number[] = [];
  for (let session = 1;; session++) {
    const number = String(session).padStart(6, "0");
    const commits = await Deno.readTextFile(`${generation}/commits-${number}.log`).catch(() => null);
    if (commits === null) return ids;
    for (const line of commits.split("\n")) {
      const [checksum, json] = [line.slice(0, 8), line.slice(9)];
      if (json === "" || crc32(new TextEncoder().encode(json)) !== Number.parseInt(checksum, 16)) continue;
      for (const { partition, byte, endByte } of (JSON.parse(json).spans ?? []) as Span[]) {
        const segment = await Deno.readFile(`${generation}/${partition}/${number}.seg`);
        const text = new TextDecoder().decode(segment.subarray(byte, endByte));
        ids.push(...[...text.matchAll(/"id":(\d+)/g)].map(([, id]) => Number(id)));
      }
    }
  }
}
