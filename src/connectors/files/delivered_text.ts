/** What stands in published CSV and NDJSON files, for whoever compares: plain parsing, nothing shared with what wrote them. */
import type { Delivered } from "../../component/component.ts";
import { MillraceError } from "../../data/fault.ts";
import type { Files } from "../../ports/mod.ts";
import { readWhole } from "../../ports/durable.ts";
import { jsonTable } from "../json_table.ts";
import type { FileFormat } from "./format.ts";

/** The one file of a run that ended; in its order. A file that is not there has no rows. */
export async function readTextFile(files: Files, path: string, format: FileFormat): Promise<Delivered> {
  const text = await textOf(files, path);
  return { ...joinTables([tableOf(text, format)]), order: "all" };
}

/** All files below the folder but those whose names begin with "_", in the order of their names. */
export async function textsBelow(files: Files, folder: string): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const path of await pathsBelow(files, folder)) texts.push(await textOf(files, path));
  return texts;
}
/** What stands in parts. */
export function partsTable(texts: readonly string[], format: FileFormat): Delivered {
  return { ...joinTables(texts.map((text) => tableOf(text, format))), order: "none" };
}

interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

async function textOf(files: Files, path: string): Promise<string> {
  const bytes = await readWhole(files, path);
  return bytes ? new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) : "";
}

async function pathsBelow(files: Files, folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of await files.list(folder)) {
    if (name.startsWith("_")) continue;
    const path = `${folder}/${name}`;
    if ((await files.stat(path))?.isFolder) found.push(...await pathsBelow(files, path));
    else found.push(path);
  }
  return found;
}

const tableOf = (text: string, format: FileFormat): Table =>
  format === "csv" ? csvTable(text) : jsonTable(text.split("\n").filter(Boolean));

/** RFC 4180: a quote begins a field that may hold anything, two stand for one. Rows without a line end at the end count. */
function csvTable(text: string): Table {
  const rows: string[][] = [];
  let row: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  while (field.lastIndex < text.length || row.length > 0) {
    const match = field.exec(text);
    if (!match) {
      throw new MillraceError("csv_damaged", "a published CSV file cannot be read back", { hint: "is another program writing to it?" });
    }
    row.push(match[1] === undefined ? match[2] : match[1].replaceAll('""', '"'));
    if (match[3] === ",") continue;
    rows.push(row);
    row = [];
    if (match[3] === "") break;
  }
  return { columns: rows[0] ?? [], rows: rows.slice(1) };
}

/** Tables one behind the other; a column that one of them lacks is empty there. */
function joinTables(tables: readonly Table[]): Table {
  const columns = [...new Set(tables.flatMap((table) => table.columns))];
  const rows = tables.flatMap((table) => {
    const at = columns.map((column) => table.columns.indexOf(column));
    return table.rows.map((row) => at.map((index) => row[index] ?? ""));
  });
  return { columns, rows };
}
