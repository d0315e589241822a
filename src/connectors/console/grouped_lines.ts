/**
 * Rows under titles: one title for each group of rows that follow one another with equal values. On a terminal a group takes the
 * place of the one before, so that the newest stands there alone; elsewhere groups follow each other with an empty line between.
 */

/** The row's group as text, and its line. */
export interface GroupedLine {
  readonly group: string;
  readonly line: string;
}
export interface GroupedLinesOptions {
  /** Above each group; "" for none. */
  readonly title: string;
  readonly inPlace: "redraw" | "append";
}

export class GroupedLines {
  #group: string | null = null;
  /** Lines of the group on the screen, title included. */
  #shown = 0;
  constructor(private readonly options: GroupedLinesOptions) {}

  /** What to print for rows that were delivered together. */
  render(rows: readonly GroupedLine[]): string {
    const { title, inPlace } = this.options;
    const redraws = inPlace === "redraw";
    let text = "";
    // Of several groups at once only the last one would be seen.
    const from = redraws ? startOfLastGroup(rows) : 0;
    for (let i = from; i < rows.length; i++) {
      const { group, line } = rows[i];
      if (group !== this.#group) {
        if (redraws && this.#shown > 0) text += `\x1b[${this.#shown}A\x1b[J`;
        else if (this.#group !== null) text += "\n";
        this.#group = group;
        this.#shown = 0;
        if (title !== "") {
          text += title + "\n";
          this.#shown++;
        }
      }
      text += line + "\n";
      this.#shown++;
    }
    return text;
  }
}

function startOfLastGroup(rows: readonly GroupedLine[]): number {
  let start = rows.length - 1;
  while (start > 0 && rows[start - 1].group === rows[start].group) start--;
  return Math.max(0, start);
}
