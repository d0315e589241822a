/** Bounds of the Kafka connector's buffers and waits, together so that they can be compared. */
/** Bytes of one fetch of one partition, mostly one batch of rows; the broker sends one whole batch even where it is longer. */
export const FETCH_BYTES_MAX = 1 << 20;
/** Bytes of one partition that are held decoded ahead of their reader; a fetch under way may pass it once. */
export const PREFETCH_BYTES_MAX = 3 << 19;
/** Left readable behind records: decoders that look ahead leave records closer to the end of the bytes to slower ones. */
export const SPARE_BYTES = 4 << 10;
/** How long the broker holds a fetch back while there is nothing new. */
export const FETCH_WAIT_MS = 500;
/** How long a poll waits for records that are known to be there. */
export const POLL_WAIT_MS = 1_000;
/** How soon a reader that has caught up is asked again when nothing arrives: it may have ended, or be quiet for longer than it should. */
export const CAUGHT_UP_WAIT_MS = 100;
/** A record batch is closed before it is longer, header included. Brokers accept 1,048,588 by default, older ones 1,000,012. */
export const BATCH_BYTES_MAX = 900 << 10;
/** What a produce request says before a batch mostly fits into this: its header, the names of the transaction and the topic. */
export const BATCH_ROOM_BYTES = 512;
/** Waits between attempts double from the first to the second. */
export const RETRY_MIN_MS = 20;
export const RETRY_MAX_MS = 1_000;
/** How soon a coordinator that is still ending the transaction before is asked again: doubling from the first to the second. */
export const CONCURRENT_MIN_MS = 1;
export const CONCURRENT_MAX_MS = 16;
/** How long it is asked without a pause of the ordinary kind. */
export const CONCURRENT_ASKED_MS = 5_000;
/** A server that does not answer is reported at once, and then this often. */
export const REPORT_EVERY_MS = 10_000;
/** A server that answers that it is busy is reported after this long. */
export const BUSY_REPORT_MS = 1_000;
/** How long a run that is stopping still asks a server that answers that it is busy: what is under way should end. */
export const BUSY_WHILE_STOPPING_MS = 5_000;
/** How often a member of a group says that it lives, within the time after which it is given up for dead; and at least this often. */
export const HEARTBEATS_PER_SESSION = 10;
export const HEARTBEAT_MAX_MS = 3_000;
/** How long a stop waits for the group to have heard of it. */
export const LEAVE_WITHIN_MS = 2_000;
/** How often a reader at the end of a topic asks whether its writer has finished. */
export const SEAL_POLL_MS = 500;
/** How long a reader that saw the topic being made waits for its writer's note. */
export const NOTE_WAIT_MS = 30_000;
/** The same for one that was there already but empty: its writer may have made it a moment ago. */
export const EMPTY_TOPIC_WAIT_MS = 5_000;
/** Compressed records may become at most this many bytes: of one batch, so that a small message cannot fill the memory. */
export const DECOMPRESSED_BYTES_MAX = 256 << 20;
/** A longer response is not one: the longest is that to a fetch, one record batch of the largest size a broker can be set to. */
export const RESPONSE_BYTES_MAX = 1 << 30;

/** Of a topic between two stages of a pipeline: how long an epoch's delivery may take, and how long the reading end waits for a writer that died in it. */
export const EXCHANGE_TRANSACTION_TIMEOUT_MS = 10_000;
/** A replica that is silent for this long is given up, and others read its partitions between two stages. */
export const EXCHANGE_SESSION_TIMEOUT_MS = 10_000;
/** Lanes whose markers are asked for side by side before a start, each over a connection of its own. */
export const LANES_ASKED_MAX = 8;
