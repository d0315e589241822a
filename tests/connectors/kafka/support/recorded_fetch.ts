/** What a broker answered to a fetch, kept as text, and what had been sent to it. */

export interface RecordedFetch {
  readonly name: string;
  /** Base64. */
  readonly records: string;
  readonly aborted: readonly { readonly producerId: string; readonly firstOffset: number }[];
}

export interface SentMessage {
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly partition: number;
}

export const BATCHES = 3;
/** One batch as kafkajs is given it: some values are null, long, or beyond ASCII, some records have an origin. */
export function sentMessages(batch: number): SentMessage[] {
  return Array.from({ length: 5 }, (_, i): SentMessage => ({
    key: i % 2 === 0 ? `key ${i}` : null,
    value: i === 3 ? null : JSON.stringify({ batch, i, text: i === 4 ? "long ".repeat(200) : "größer 😀" }),
    headers: i === 1 ? { "millrace-origin": String(originOf(batch, i)), other: "x" } : {},
    partition: 0,
  }));
}
/** Of those that have one. */
export const originOf = (batch: number, i: number): number => 1000 * batch + 500 + i;

/** How the transactions of the recording end. A record outside of them stands behind each. */
export const ENDS: readonly ("commit" | "abort")[] = ["commit", "abort", "abort", "commit"];
export const plainValue = (batch: number): string => `between ${batch}`;
