/**
 * Finds records among the newest rows of every sink, and beyond them in what sinks have shown. What must not be shown cannot be searched
 * for: it is not there.
 */
import type { Board } from "./board.ts";
import { FOUND_MAX } from "./limits.ts";
import { shownNode } from "./prometheus.ts";

export interface FoundRow {
  readonly pipeline: string;
  readonly sink: string;
  readonly columns: readonly string[];
  readonly values: readonly string[];
  /** null: it was found in a file, which is from `timeMicros`. */
  readonly epoch: number | null;
  readonly timeMicros: number;
}
/** What was found in files, and how much of them was looked through. */
export interface FurtherSearch {
  readonly found: readonly FoundRow[];
  readonly bytes: number;
  readonly files: number;
  /** Nothing was left out. */
  readonly isWhole: boolean;
}
export interface SearchResult {
  readonly found: readonly FoundRow[];
  /** How many rows were looked through. */
  readonly searched: number;
  /** null: the newest rows were enough, or there are no files that could be looked through. */
  readonly files: Omit<FurtherSearch, "found"> | null;
}
/** Rows with a value that is the text; null where it cannot be told now. */
export type SearchFurther = (words: string) => Promise<FurtherSearch | null>;

/** As searchRows; what none of the newest rows is called is looked for further. */
export async function search(board: Board, wished: string, further: SearchFurther | null): Promise<SearchResult> {
  const { isExact, ...newest } = searchRows(board, wished);
  const words = wished.trim();
  if (isExact || further === null || words === "" || words.length > WISHED_LENGTH_MAX) return newest;
  const more = await further(words);
  if (more === null) return newest;
  const { found, ...files } = more;
  const named = found.map((row) => ({ ...row, sink: shownName(board, row) }));
  return { ...newest, found: named.length > 0 ? named : newest.found, files };
}
const WISHED_LENGTH_MAX = 200;

function shownName(board: Board, { pipeline, sink }: FoundRow): string {
  const known = board.pipelines.get(pipeline);
  return known ? shownNode(known, sink) : sink;
}

/** Rows with a value that is `wished`, those that it identifies first; where there is none, rows with a value that contains it. */
export function searchRows(board: Board, wished: string): SearchResult & { readonly isExact: boolean } {
  const words = wished.trim().toLowerCase();
  const byId: FoundRow[] = [];
  const equal: FoundRow[] = [];
  const containing: FoundRow[] = [];
  let searched = 0;
  if (words === "") return { found: [], searched, files: null, isExact: false };
  for (const [pipeline, board_] of board.pipelines) {
    for (const [sink, rows] of board_.rows) {
      const shape = board_.shape.rows.find((shape) => shape.sink === sink);
      if (!shape) continue;
      for (let i = rows.length - 1; i >= 0; i--) {
        const { values, epoch, timeMicros } = rows[i];
        searched++;
        const at = values.findIndex((value) => value.toLowerCase() === words);
        const list = at >= 0 ? (shape.ids.includes(shape.columns[at]) ? byId : equal) : containing;
        if (at < 0 && (words.length < 3 || !values.some((value) => value.toLowerCase().includes(words)))) continue;
        if (list.length >= FOUND_MAX) continue;
        list.push({ pipeline, sink: shownNode(board_, sink), columns: shape.columns, values, epoch, timeMicros });
      }
    }
  }
  const exact = [...byId, ...equal];
  return { found: (exact.length > 0 ? exact : containing).slice(0, FOUND_MAX), searched, files: null, isExact: exact.length > 0 };
}
