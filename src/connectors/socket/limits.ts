/** Bounds of the socket connectors, together so that they can be compared. */

/** Bytes handed to the kernel at once at most; one record more where a record is longer. */
export const PIECE_BYTES_MAX = 128 << 10;
/** Records of one block that all readers of a shared stream take their bytes from. */
export const BLOCK_RECORDS = 256;
/** Blocks of a shared stream in memory; who is further behind makes them again. */
export const BLOCKS_KEPT_MAX = 64;
/** Timers of all clients meet on this grid. */
export const TICK_MS = 5;
/** Records that are closer together than this leave together. */
export const GROUP_MS = 25;
/** How often blocked clients are looked at where the policy is to disconnect them. */
export const WATCH_MS = 250;
/** After a stop, time for the records in flight; then connections are cut. */
export const STOP_GRACE_MS = 1_200;
/** What a client sends is read and dropped, no faster than this, so that a flood of it costs nothing. */
export const DISCARD_EVERY_MS = 100;
export const DISCARD_BYTES = 512;
/** A client of the resume port has this long to say where. */
export const HANDSHAKE_WITHIN_MS = 5_000;
export const HANDSHAKE_BYTES_MAX = 128;
/** Streams of single clients whose beginning is remembered for those that resume. */
export const STARTS_KEPT_MAX = 10_000;

/** Bytes read from a feed at once. */
export const RECEIVE_BYTES = 256 << 10;
/** Bytes of lines in one frame of the journal at most, but for a single longer line. */
export const FRAME_LINES_BYTES_MAX = 1 << 20;
/** A journal has at most about so many segments: what was read is given back one segment at a time. */
export const SEGMENTS_PER_JOURNAL = 16;
export const SEGMENT_BYTES_MAX = 64 << 20;
export const SEGMENT_BYTES_MIN = 64 << 10;
/** A feed that is there answers a connection within this. */
export const CONNECT_WITHIN_MS = 10_000;
/** How soon a full journal is looked at again. */
export const FULL_WAIT_MS = 50;
/** How soon a reader asks again that found nothing. */
export const POLL_WAIT_MS = 20;
