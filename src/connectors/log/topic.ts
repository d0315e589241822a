/**
 * Where things lie in an embedded topic, and its description file.
 *
 *   PATH/TOPIC/topic.json                    which generation counts; replaced by renaming
 *   PATH/TOPIC/writer.lock                   held by the one writing process
 *   PATH/TOPIC/GENERATION/commits-N.log      one per writing session (commit_log.ts)
 *   PATH/TOPIC/GENERATION/P/S.seg            records of partition P written in session S (frame.ts)
 *
 * A new run of the producer begins a new generation; a reader in the middle of an older one is told so.
 */
import { MillraceError } from "../../data/fault.ts";
import type { Files } from "../../ports/mod.ts";
import { makeDurableFolder, readWhole, writeWhole } from "../../ports/durable.ts";

export interface TopicDescription {
  readonly version: 1;
  readonly generation: number;
  readonly partitions: number;
  /** Who writes this generation. */
  readonly pipeline: string;
  readonly run: string;
}

export interface TopicPlace {
  readonly files: Files;
  /** PATH/TOPIC */
  readonly folder: string;
  readonly topic: string;
}

export const generationFolder = ({ folder }: TopicPlace, generation: number): string => `${folder}/${generation}`;
export const partitionFolder = (place: TopicPlace, generation: number, partition: number): string =>
  `${generationFolder(place, generation)}/${partition}`;
export const segmentName = (session: number): string => `${String(session).padStart(6, "0")}.seg`;

/** null while nobody has made the topic. */
export async function readTopic({ files, folder, topic }: TopicPlace): Promise<TopicDescription | null> {
  const bytes = await readWhole(files, `${folder}/topic.json`);
  if (!bytes) return null;
  const description = parse(bytes);
  if (description?.version === 1) return description;
  throw new MillraceError("log_version", `topic "${topic}" at ${folder} was not written by this version`, {
    hint: "remove the folder and produce the topic again",
  });
}

/** Begins a generation: its folders first, so that who sees the description finds them. */
export async function writeTopic(place: TopicPlace, description: TopicDescription, owner: string): Promise<void> {
  const { files, folder } = place;
  for (let partition = 0; partition < description.partitions; partition++) {
    await makeDurableFolder(files, partitionFolder(place, description.generation, partition));
  }
  const bytes = new TextEncoder().encode(JSON.stringify(description) + "\n");
  await writeWhole(files, { folder, name: "topic.json", owner }, (handle) => handle.write(bytes));
}

function parse(bytes: Uint8Array): TopicDescription | null {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null; // Reported by the caller: renamed into place whole, so it is not ours.
  }
}
