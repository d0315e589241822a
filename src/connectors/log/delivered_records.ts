/** The committed records of a topic, for whoever compares: partition, key, and the members of the value. */
import type { Delivered } from "../../component/component.ts";
import { jsonTable } from "../json_table.ts";
import { loadBlock } from "./partition_block.ts";
import { partitionFolder, readTopic, segmentName, type TopicPlace } from "./topic.ts";
import { TopicView } from "./topic_view.ts";

const READ_BYTES = 1 << 20;

/** Records of one key keep their order. A topic that is not there has none. */
export async function readTopicRows(place: TopicPlace): Promise<Delivered> {
  const description = await readTopic(place);
  if (!description) return { columns: [], rows: [], order: "none" };
  const view = new TopicView(place, description);
  const placed: (readonly [partition: string, key: string])[] = [];
  const values: string[] = [];
  try {
    await view.refresh();
    for (let partition = 0; partition < description.partitions; partition++) {
      await readPartition(view, partition, (key, value) => {
        placed.push([String(partition), key]);
        values.push(value);
      });
    }
  } finally {
    view.close();
  }
  const { columns, rows } = jsonTable(values);
  return { columns: ["(partition)", "(key)", ...columns], rows: rows.map((row, index) => [...placed[index], ...row]), order: { by: 1 } };
}

async function readPartition(view: TopicView, partition: number, take: (key: string, value: string) => void): Promise<void> {
  const { place, description } = view;
  const decoder = new TextDecoder();
  for (let offset = 0; offset < view.end(partition);) {
    const range = view.rangeOf(partition, offset);
    const path = `${partitionFolder(place, description.generation, partition)}/${segmentName(range.session)}`;
    const handle = await place.files.open(path, "read");
    try {
      for (let byte = range.byte; offset < range.endOffset;) {
        const block = await loadBlock(handle, range, byte, READ_BYTES, path);
        const { bytes, start, end, rows } = block.records;
        for (let row = 0; row < rows; row++) {
          const key = block.keyOf(row);
          take(key ? decoder.decode(key) : "", decoder.decode(bytes.subarray(start[row], end[row])));
        }
        offset = block.offset + rows;
        byte = block.endByte;
      }
    } finally {
      handle.close();
    }
  }
}
