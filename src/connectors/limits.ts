/** Bounds of buffers and loops in the connectors, together so that they can be compared. */
/** Sorted chains of parts merged at once; more are merged in several passes. Bounds open files and memory. */
export const MERGE_FAN_IN_MAX = 32;
/** Bytes of rows that one merge cursor reads at once (more only for a single longer row). */
export const MERGE_ROWS_BYTES_MAX = 256 << 10;
/** Bytes of the sort index that one merge cursor reads at once. */
export const MERGE_INDEX_BYTES_MAX = 64 << 10;
/** Bytes gathered before a published file is written to. */
export const WRITE_BYTES_MAX = 1 << 20;
/** Least bytes that a file source reads at once; small epochs do not pay for the largest read. */
export const READ_BYTES_MIN = 64 << 10;
/** Bytes without a record's end after which a file is taken not to be one of records: its reject would not fit into memory. */
export const RECORD_SCAN_BYTES_MAX = 256 << 20;
/** A log frame is closed when its records hold this many bytes. */
export const FRAME_BYTES_MAX = 256 << 10;
/** How long a source waits before it asks again for what is not there yet. */
export const WAIT_MS = 50;
/** Rows that a table source asks for at once. */
export const TABLE_PAGE_ROWS_MAX = 4096;
/** SQLite waits this long for another process's transaction unless the connection says otherwise. */
export const BUSY_TIMEOUT = "5s";
/** Builders of partitions that are kept from epoch to epoch; with more they are made anew. */
export const PARTITIONS_KEPT_MAX = 1024;
/** Bytes of rows in a journal of open files that are shown already, before it is written anew. */
export const JOURNAL_SPARE_BYTES = 4 << 20;
