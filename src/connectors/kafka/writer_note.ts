/**
 * Whether a topic's writer is still at it: Kafka knows no end of a topic, so a bounded run leaves a note beside it, as offsets of a
 * consumer group that nobody joins. Its text says "open" or "sealed"; sealed offsets are where the writer's records end.
 * Invariant: a note only ever ends a read earlier than the topic's own end would; who may not see groups reads without notes.
 */
import { MillraceError } from "../../data/fault.ts";
import type { Cluster, Topic } from "./cluster.ts";

export interface WriterNote {
  readonly state: "open" | "sealed";
  /** Of the writer. */
  readonly run: string;
  /** By partition; meaningful where sealed. */
  readonly ends: readonly number[];
}
interface NoteText {
  readonly version: 1;
  readonly state: "open" | "sealed";
  readonly pipeline: string;
  readonly run: string;
}
export interface NotedTopic {
  readonly cluster: Cluster;
  readonly name: string;
  readonly topic: Topic;
}
const groupOf = (topic: string): string => `millrace.writer.${topic}`;

/** Says that a bounded run writes the topic, or that it has finished. "refused" where the user may not. */
export async function writeNote(
  { cluster, name, topic }: NotedTopic,
  note: { readonly state: "open" | "sealed"; readonly pipeline: string; readonly run: string },
): Promise<"written" | "refused"> {
  const ends = await cluster.offsets(name, topic, "latest");
  const text: NoteText = { version: 1, ...note };
  const offsets = ends.map((offset, partition) => ({ partition, offset, metadata: JSON.stringify(text) }));
  try {
    await cluster.commitOffsets(groupOf(name), name, offsets);
    return "written";
  } catch (error) {
    if (isDenied(error)) return "refused";
    throw error;
  }
}

/** null where nobody left one, or the user may not see it. */
export async function readNote({ cluster, name, topic }: NotedTopic): Promise<WriterNote | null> {
  const partitions = Array.from({ length: topic.partitions }, (_, partition) => partition);
  try {
    const offsets = await cluster.committedOffsets(groupOf(name), name, partitions);
    const texts = offsets.map(({ metadata }) => parseText(metadata));
    if (texts.length < partitions.length || texts.includes(null)) return null;
    const ends: number[] = [];
    for (const { partition, offset } of offsets) ends[partition] = offset;
    const open = texts.find((text) => text!.state === "open");
    return { state: open ? "open" : "sealed", run: (open ?? texts[0])!.run, ends };
  } catch (error) {
    if (isDenied(error)) return null;
    throw error;
  }
}

const isDenied = (error: unknown): boolean => error instanceof MillraceError && error.code === "not_allowed";

function parseText(metadata: string): NoteText | null {
  try {
    const text = JSON.parse(metadata);
    return text?.version === 1 && (text.state === "open" || text.state === "sealed") && typeof text.run === "string" ? text : null;
  } catch {
    return null; // Somebody else's offsets.
  }
}
