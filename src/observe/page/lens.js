/** How whoever looks wants to see the panels: by which time, and above which values. It outlives the drawings, not the page. */

const KEY = "millrace-time";

export class Lens {
  /** "event": by the time in the records. "clock": by when they were processed. */
  time = "event";
  /** By node, port and field. */
  #limits = new Map();
  #listener = () => {};

  constructor() {
    try {
      if (localStorage.getItem(KEY) === "clock") this.time = "clock";
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
  }

  /** Called after every change; there is one listener. */
  onChange(listener) {
    this.#listener = listener;
  }

  chooseTime(time) {
    this.time = time;
    try {
      localStorage.setItem(KEY, time);
    } catch {
      // As above.
    }
    this.#listener();
  }

  limitAt({ edge, x, slider }) {
    return this.#limits.get(keyOf(edge, x)) ?? slider.at;
  }

  setLimit({ edge, x }, at) {
    this.#limits.set(keyOf(edge, x), at);
    this.#listener();
  }

  /** A limit that holds for a table of the same rows: { column, at }; null where there is none. */
  limitOf({ edge, columns }) {
    for (const [column, field] of columns.entries()) {
      const at = this.#limits.get(keyOf(edge, field));
      if (at !== undefined) return { column, at };
    }
    return null;
  }
}

const keyOf = ({ from, port }, field) => `${from} ${port} ${field}`;
