/** Bounds of what is kept for those who watch, together so that they can be compared. None of them bounds the pipeline. */

/** A snapshot is made and sent so often. */
export const SNAPSHOT_EVERY_MS = 1_000;
/** What lanes tell is gathered so often, and new rows are sent at once. */
export const GATHER_EVERY_MS = 250;
/** The event loop's delay is looked at so often. */
export const DELAY_PROBE_MS = 100;
/** Snapshots behind one another in the charts of the last minutes. */
export const HISTORY_LENGTH = 600;

/** Rows of one sink that are taken at one gathering; of more, the first. */
export const ROWS_GATHERED_MAX = 30;
/** Newest rows of one sink that are kept, to be shown and searched. */
export const ROWS_KEPT_MAX = 1_000;
/** Characters of one shown value. */
export const SHOWN_LENGTH_MAX = 200;
/** Values of one list or map that are looked at for showing it. */
export const SHOWN_ITEMS_MAX = 20;

/** Refused records that are shown of one gathering, and kept. */
export const SAMPLES_GATHERED_MAX = 10;
export const SAMPLES_KEPT_MAX = 50;
/** Different reasons of one node; further ones are counted as "other". */
export const REASONS_MAX = 64;
/** Characters of a refused record. */
export const SAMPLE_LENGTH_MAX = 400;

/** Rows of one panel that are looked at for one gathering; of more, evenly one in so many, each for all of them. */
export const PANEL_ROWS_MAX = 2_000;
/** Texts of which a panel remembers how they are shown. */
export const LABELS_KNOWN_MAX = 1_000;
/** Values of x on one chart; the oldest go. */
export const PANEL_POINTS_MAX = 600;
/** Lines of one chart; what has another label is added to "other". */
export const PANEL_LABELS_MAX = 16;
/** Keys of a panel of newest rows by key; the one longest untouched goes. */
export const PANEL_KEYS_MAX = 5_000;
/** Cells of one panel that one epoch of one lane may touch. */
export const PANEL_CELLS_MAX = 4_000;
/** Rows of a table on the page. */
export const PANEL_TABLE_ROWS_MAX = 200;

/** Different log events that are counted; further ones as "other". */
export const EVENTS_COUNTED_MAX = 100;
export const EVENTS_KEPT_MAX = 100;

/** Browsers that may follow at once, and snapshots that one may lag behind before it is dropped. */
export const FOLLOWERS_MAX = 1_000;
export const FOLLOWER_LAG_MAX = 8;
/** Beyond so many, new rows come with the snapshots only: each event is a write to every one of them. */
export const FOLLOWERS_FRESH_MAX = 50;
/** Answers of a search. */
export const FOUND_MAX = 50;
/** What one search reads of the files that sinks have shown, the newest first; how much at a time, and of how many files. */
export const FILE_SEARCH_BYTES_MAX = 64 << 20;
export const FILE_SEARCH_PIECE_BYTES = 1 << 20;
export const FILES_SEARCHED_MAX = 1_000;
/** An epoch that is open for longer means that checkpoints are not made any more: not ready. */
export const CHECKPOINT_AGE_MAX_MS = 30_000;
/** A run that lasts longer opens its control socket. */
export const CONTROL_SOCKET_AFTER_MS = 2_000;
