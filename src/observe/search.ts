/** Finds records among the newest rows of every sink. What must not be shown cannot be searched for: it is not there. */
import type { Board } from "./board.ts";
import { FOUND_MAX } from "./limits.ts";
import { shownNode } from "./prometheus.ts";

export interface FoundRow {
  readonly pipeline: string;
  readonly sink: string;
  readonly columns: readonly string[];
  readonly values: readonly string[];
  readonly epoch: number;
  readonly timeMicros: number;
}
export interface SearchResult {
  readonly found: readonly FoundRow[];
  /** How many rows were looked through. */
  readonly searched: number;
}

/** Rows with a value that is `wished`, those that it identifies first; where there is none, rows with a value that contains it. */
export function searchRows(board: Board, wished: string): SearchResult {
  const words = wished.trim().toLowerCase();
  const byId: FoundRow[] = [];
  const equal: FoundRow[] = [];
  const containing: FoundRow[] = [];
  let searched = 0;
  if (words === "") return { found: [], searched };
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
  return { found: (exact.length > 0 ? exact : containing).slice(0, FOUND_MAX), searched };
}
